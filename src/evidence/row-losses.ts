import type { RowLoss, RowSnapshot, RowValues, TableRows } from "../model/rows";
import { pairColumns } from "./row-columns";
import { compareRows } from "./row-comparison";
import { examplesOf } from "./row-examples";
import { isSecretColumn } from "./secret-columns";

/**
 * What `before` held and `after` does not, by table in the order of `before`. Rows and columns that only `after` has are
 * no loss, nor is a table or column that has another name now, nor a value that another type prints in another way.
 * Of a table that was not read there is only the number of its rows.
 */
export function rowLosses(before: RowSnapshot, after: RowSnapshot): readonly RowLoss[] {
  const fresh = new Map([...after].filter(([name]) => !before.has(name)));
  return [...before.values()].flatMap((table): readonly RowLoss[] => {
    const same = after.get(table.table);
    return same === undefined ? withoutTable(table, fresh) : tableLosses(table, same);
  });
}

/** How many rows a table has; undefined where that is not known. */
export function rowCount({ rows, unread }: TableRows): number | undefined {
  return unread === undefined ? rows.length : unread.rows;
}

/** A table of another name is this one where nothing but whole columns is missing in it. */
function withoutTable(table: TableRows, fresh: Map<string, TableRows>): readonly RowLoss[] {
  const count = rowCount(table);
  if (count === 0) return [];
  const renamed = [...fresh.values()]
    .filter((candidate) => table.unread === undefined && candidate.unread === undefined)
    .filter((candidate) => sharesValues(table, candidate))
    .map((candidate) => ({ candidate, losses: tableLosses(table, candidate) }))
    .filter(({ losses }) => losses.every(({ kind }) => kind === "column gone"))
    .sort((left, right) => left.losses.length - right.losses.length)[0];
  if (renamed !== undefined) {
    fresh.delete(renamed.candidate.table);
    return renamed.losses;
  }
  const rows = count ?? 0;
  return [lossOf(table, "table gone", { before: rows, after: 0, lost: rows })];
}

/** More columns with values have a counterpart than have none. */
function sharesValues(table: TableRows, candidate: TableRows): boolean {
  const { pairs, gone } = pairColumns(table, candidate);
  const withValues = (places: readonly number[]): number =>
    places.filter((at) => table.rows.some((row) => row[at] !== null)).length;
  return withValues(pairs.map((pair) => pair.before)) > withValues(gone);
}

function tableLosses(before: TableRows, after: TableRows): readonly RowLoss[] {
  if (before.unread !== undefined || after.unread !== undefined) return fewerRows(before, after);
  const { pairs, gone } = pairColumns(before, after);
  const rows = compareRows(before, after, pairs);
  // Without a row, no column has anything left: one message is enough.
  return after.rows.length === 0 ? rows : [...goneColumns(before, gone), ...rows];
}

function goneColumns(before: TableRows, gone: readonly number[]): RowLoss[] {
  return gone.flatMap((at) => {
    const values = before.rows.flatMap((row: RowValues) => row[at] ?? []);
    if (values.length === 0) return [];
    const column = before.columns[at]!.name;
    const count = values.length;
    const examples = examplesOf(isSecretColumn(column), values);
    return [{ ...lossOf(before, "column gone", { before: count, after: 0, lost: count }), column, examples }];
  });
}

function fewerRows(before: TableRows, after: TableRows): RowLoss[] {
  const [was, is] = [rowCount(before), rowCount(after)];
  if (was === undefined || is === undefined || is >= was) return [];
  return [lossOf(before, "rows gone", { before: was, after: is, lost: was - is })];
}

function lossOf(
  { table }: TableRows,
  kind: RowLoss["kind"],
  counts: Pick<RowLoss, "before" | "after" | "lost">,
): RowLoss {
  return { table, kind, column: undefined, ...counts, examples: [], onlyNulls: false };
}
