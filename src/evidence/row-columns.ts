import type { RowValues, TableRows } from "../model/rows";
import { type Canonical, canonicalFor } from "./row-values";
import { isSecretColumn } from "./secret-columns";

/** A column that both sides have, under its old name: where its values stand, and how they are compared. */
export interface ColumnPair {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly canonical: Canonical;
  /** By its name before or after. */
  readonly isSecret: boolean;
  /** Its type is the same day or time before and after, so that its texts stand in time's order. */
  readonly isTime: boolean;
}

export interface ColumnPairs {
  readonly pairs: readonly ColumnPair[];
  /** Places of the old columns that have no counterpart. */
  readonly gone: readonly number[];
}

/**
 * The columns of one table before and after. One of another name is the same column where every old row has its value
 * there: rows are told by the primary key, and where there is none, the values must be the same ones altogether.
 */
export function pairColumns(before: TableRows, after: TableRows): ColumnPairs {
  const places = new Map(after.columns.map(({ name }, at) => [name, at]));
  const pairs: ColumnPair[] = [];
  const missing: number[] = [];
  for (const [at, { name }] of before.columns.entries()) {
    const place = places.get(name);
    places.delete(name);
    if (place === undefined) missing.push(at);
    else pairs.push(pairOf(before, at, after, place));
  }
  const key = keyPairs(before, pairs);
  const gone: number[] = [];
  for (const at of missing) {
    const type = before.columns[at]!.type;
    const candidates = [...places.values()]
      .sort(
        (left, right) =>
          Number(after.columns[right]!.type === type) - Number(after.columns[left]!.type === type),
      )
      .map((place) => pairOf(before, at, after, place));
    const renamed = candidates.find((pair) => keepsValues(before, after, pair, key));
    if (renamed === undefined) gone.push(at);
    else {
      pairs.push(renamed);
      places.delete(after.columns[renamed.after]!.name);
    }
  }
  return { pairs, gone };
}

function pairOf(before: TableRows, at: number, after: TableRows, place: number): ColumnPair {
  const { name, type } = before.columns[at]!;
  const other = after.columns[place]!;
  return {
    name,
    before: at,
    after: place,
    canonical: canonicalFor(type, other.type),
    isSecret: isSecretColumn(name) || isSecretColumn(other.name),
    isTime: type === other.type && /^(?:timestamp|date)\b(?!.*\[\])/.test(type),
  };
}

/** The primary key's columns; none where one of them is gone. */
export function keyPairs({ key }: TableRows, pairs: readonly ColumnPair[]): readonly ColumnPair[] {
  const found = pairs.filter(({ name }) => key.includes(name));
  return found.length === key.length ? found : [];
}

function keepsValues(
  before: TableRows,
  after: TableRows,
  pair: ColumnPair,
  key: readonly ColumnPair[],
): boolean {
  if (before.rows.every((row) => row[pair.before] === null)) return false;
  if (key.length === 0) {
    const columns = [pair];
    return unmatched(before.rows, after.rows, columns).before.length === 0;
  }
  const rows = new Map(after.rows.map((row) => [textOf(row, key, "after"), row]));
  const both = before.rows.flatMap((row) => {
    const other = rows.get(textOf(row, key, "before"));
    return other === undefined ? [] : [{ row, other }];
  });
  const isSame = ({ row, other }: (typeof both)[number]): boolean =>
    pair.canonical(row[pair.before]!) === pair.canonical(other[pair.after]!);
  return both.some(({ row }) => row[pair.before] !== null) && both.every(isSame);
}

/** A row as one text, equal where these columns' values are. */
export function textOf(row: RowValues, pairs: readonly ColumnPair[], side: "before" | "after"): string {
  return JSON.stringify(pairs.map((pair) => pair.canonical(row[pair[side]]!)));
}

/** The rows of each side that the other one has not, in these columns; equal rows count one by one. */
export function unmatched(
  before: readonly RowValues[],
  after: readonly RowValues[],
  pairs: readonly ColumnPair[],
): { before: RowValues[]; after: RowValues[] } {
  const there = new Map<string, RowValues[]>();
  for (const row of after) {
    const text = textOf(row, pairs, "after");
    const equal = there.get(text);
    if (equal === undefined) there.set(text, [row]);
    else equal.push(row);
  }
  const left = before.filter((row) => there.get(textOf(row, pairs, "before"))?.pop() === undefined);
  return { before: left, after: [...there.values()].flat() };
}
