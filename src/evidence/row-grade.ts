import type { ServerError } from "../model/statement";

/**
 * - any rows: it fails on every table that has rows, whatever is in them.
 * - these rows: it depends on what the rows are.
 */
export type RowGrade = "any rows" | "these rows";

/** A column that the revision adds, unquoted. */
export interface AddedColumn {
  readonly table: string;
  readonly column: string;
}

/**
 * How far the failure of a statement comes from the rows; undefined where it does not (SQLSTATE classes 22 and 23 do).
 * `added` are columns of which no statement of the revision fills the rows: those that it does fill depend on the rows again.
 */
export function gradeOf(
  error: Pick<ServerError, "sqlstate" | "detail" | "table" | "column">,
  added: readonly AddedColumn[],
): RowGrade | undefined {
  const { sqlstate, table } = error;
  if (!/^2[23]/.test(sqlstate)) return undefined;
  const isAdded = (name: string): boolean =>
    added.some((one) => one.column === name && (table === undefined || one.table === table));
  if (sqlstate === "23502")
    return error.column !== undefined && isAdded(error.column) ? "any rows" : "these rows";
  if (sqlstate !== "23505") return "these rows";
  const columns = keyOf(error.detail);
  return columns.length > 0 && columns.every(isAdded) ? "any rows" : "these rows";
}

/** The columns in `Key (a, "b c")=(1, 2) is duplicated.`, as the server prints an index; translations begin otherwise. */
function keyOf(detail = ""): string[] {
  const key = /\((.*?)\)=\(/s.exec(detail)?.[1] ?? "";
  const names = key.match(/"(?:[^"]|"")+"|[^,\s"][^,"]*/g) ?? [];
  return names.map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.trim()));
}
