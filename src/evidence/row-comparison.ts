import type { RowLoss, RowValues, TableRows } from "../model/rows";
import { type ColumnPair, keyPairs, textOf, unmatched } from "./row-columns";
import { changeExamples, examplesOf, rowExamples } from "./row-examples";

/**
 * The rows of a table that are not there any more as they were, in the columns that both sides have. A row of the same
 * primary key is the same row; without a key only the columns' values are compared, each column by itself.
 */
export function compareRows(
  before: TableRows,
  after: TableRows,
  pairs: readonly ColumnPair[],
): readonly RowLoss[] {
  const rest = unmatched(before.rows, after.rows, pairs);
  if (rest.before.length === 0) return [];
  const key = keyPairs(before, pairs);
  if (key.length > 0) return byKey({ before, after, pairs, key }, rest);
  const kept = pairs.filter((pair) => !isTouched(pair, rest));
  const other = unmatched(rest.before, rest.after, kept);
  return other.before.length === 0 ? [] : withoutKey({ before, after, pairs: kept, key }, other);
}

interface Comparison {
  readonly before: TableRows;
  readonly after: TableRows;
  readonly pairs: readonly ColumnPair[];
  readonly key: readonly ColumnPair[];
}

/** The rows of each side that the other one has not. */
interface Rest {
  readonly before: readonly RowValues[];
  readonly after: readonly RowValues[];
}

interface RowPair {
  readonly row: RowValues;
  readonly other: RowValues;
}

function byKey(comparison: Comparison, rest: Rest): RowLoss[] {
  const { key, pairs } = comparison;
  const others = new Map(rest.after.map((row) => [textOf(row, key, "after"), row]));
  const same: RowPair[] = [];
  const alone = rest.before.filter((row) => {
    const text = textOf(row, key, "before");
    const other = others.get(text);
    if (other === undefined) return true;
    others.delete(text);
    same.push({ row, other });
    return false;
  });
  // A key may have been made anew: then all the other columns are as they were.
  const values = pairs.filter((pair) => !key.includes(pair));
  const gone = values.length === 0 ? alone : unmatched(alone, [...others.values()], values).before;
  return [
    ...changedColumns(comparison, same),
    ...(gone.length < alone.length ? changedKeys(comparison, alone, new Set(gone)) : []),
    ...goneRows(comparison, gone, gone.length),
  ];
}

function changedColumns(comparison: Comparison, same: readonly RowPair[]): RowLoss[] {
  return comparison.pairs.flatMap((pair) => {
    const { canonical } = pair;
    const changes = same
      .map(({ row, other }) => ({ from: row[pair.before]!, to: other[pair.after]! }))
      .filter(({ from, to }) => canonical(from) !== canonical(to));
    if (changes.length === 0 || changes.every((change) => isTouch(pair, change))) return [];
    const values = changes.filter(({ from }) => from !== null);
    const onlyNulls = values.length === 0;
    const lost = missing(
      changes.map(({ from }) => canonical(from)),
      changes.map(({ to }) => canonical(to)),
    );
    return [
      columnLoss(comparison, pair, {
        kind: lost.length === 0 ? "values moved" : "values changed",
        lost: onlyNulls ? changes.length : values.length,
        examples: changeExamples(pair.isSecret, onlyNulls ? changes : values),
        onlyNulls,
      }),
    ];
  });
}

/** Columns that a trigger, or the migration itself, sets whenever it writes a row. */
const lastChange =
  /(?:^|_)(?:updated|modified|changed|touched|mtime)(?:_|$)|(?:updated|modified|changed)(?:at|on)$/;

/** The time of a row's last change moved on: that the row was written is no loss. */
function isTouch(
  { name, isTime }: ColumnPair,
  { from, to }: { from: string | null; to: string | null },
): boolean {
  return isTime && to !== null && (from === null || from < to) && lastChange.test(name.toLowerCase());
}

/** Every row that differs has a later time than all had. */
function isTouched(pair: ColumnPair, rest: Rest): boolean {
  const was = rest.before.flatMap((row) => row[pair.before] ?? []).reduce(later, "");
  return (
    rest.after.length > 0 && rest.after.every((row) => isTouch(pair, { from: was, to: row[pair.after]! }))
  );
}

function later(left: string, right: string): string {
  return left < right ? right : left;
}

function changedKeys(
  comparison: Comparison,
  alone: readonly RowValues[],
  gone: ReadonlySet<RowValues>,
): RowLoss[] {
  const kept = alone.filter((row) => !gone.has(row));
  return comparison.key.map((pair) =>
    columnLoss(comparison, pair, {
      kind: "values changed",
      lost: kept.length,
      examples: examplesOf(
        pair.isSecret,
        kept.flatMap((row) => row[pair.before] ?? []),
      ),
      onlyNulls: false,
    }),
  );
}

/** Which row is which cannot be told: rows that are fewer, then values that no row has any more, else the rows' order. */
function withoutKey(comparison: Comparison, rest: Rest): RowLoss[] {
  const fewer = Math.max(0, rest.before.length - rest.after.length);
  const changed = comparison.pairs.flatMap((pair) => {
    const lost = missing(
      rest.before.map((row) => pair.canonical(row[pair.before]!)),
      rest.after.map((row) => pair.canonical(row[pair.after]!)),
    );
    if (lost.length <= fewer) return [];
    const values = lost.flatMap((value) => value ?? []);
    const onlyNulls = values.length === 0;
    return [
      columnLoss(comparison, pair, {
        kind: "values changed",
        lost: onlyNulls ? lost.length : values.length,
        examples: examplesOf(pair.isSecret, values),
        onlyNulls,
      }),
    ];
  });
  if (fewer > 0)
    return [...goneRows(comparison, fewer === rest.before.length ? rest.before : [], fewer), ...changed];
  if (changed.length > 0) return changed;
  return [
    {
      ...tableLoss(comparison, "values moved", rest.before.length),
      examples: rowExamples(rest.before, comparison.pairs, comparison.key),
    },
  ];
}

function goneRows(comparison: Comparison, rows: readonly RowValues[], lost: number): RowLoss[] {
  if (lost === 0) return [];
  const examples = rowExamples(rows, comparison.pairs, comparison.key);
  return [{ ...tableLoss(comparison, "rows gone", lost), examples }];
}

function tableLoss({ before, after }: Comparison, kind: RowLoss["kind"], lost: number): RowLoss {
  return {
    table: before.table,
    kind,
    column: undefined,
    before: before.rows.length,
    after: after.rows.length,
    lost,
    examples: [],
    onlyNulls: false,
  };
}

function columnLoss(
  { before, after }: Comparison,
  pair: ColumnPair,
  loss: Pick<RowLoss, "kind" | "lost" | "examples" | "onlyNulls">,
): RowLoss {
  const filled = (rows: readonly RowValues[], at: number): number =>
    rows.filter((row) => row[at] !== null).length;
  return {
    table: before.table,
    column: pair.name,
    before: filled(before.rows, pair.before),
    after: filled(after.rows, pair.after),
    ...loss,
  };
}

/** Those of the values that the others do not have, counted one by one. */
function missing(values: readonly (string | null)[], others: readonly (string | null)[]): (string | null)[] {
  const counts = new Map<string | null, number>();
  for (const value of others) counts.set(value, (counts.get(value) ?? 0) + 1);
  return values.filter((value) => {
    const count = counts.get(value) ?? 0;
    if (count > 0) counts.set(value, count - 1);
    return count === 0;
  });
}
