/** One row's values as text, in the order of its table's columns; null is SQL's NULL. */
export type RowValues = readonly (string | null)[];

/** All rows of one table at one moment. */
export interface TableRows {
  /** Quoted and schema-qualified as in catalog keys, e.g. `boards.users`. */
  readonly table: string;
  /** Without generated ones; names as they are, unquoted; types as `format_type` prints them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly RowValues[];
  /** The primary key's columns in its order; empty where there is none. */
  readonly key: readonly string[];
  /** Set where `rows` is empty because they were not read: why, and how many there are if that is known. */
  readonly unread?: { readonly reason: string; readonly rows: number | undefined };
}

/** The rows of a database by table, of every table that keeps rows of its own but the version table. */
export type RowSnapshot = ReadonlyMap<string, TableRows>;

/** What was there and is not there any more. */
export interface RowLoss {
  readonly table: string;
  /**
   * - table gone, column gone: it was dropped, and had values.
   * - rows gone: fewer rows.
   * - values changed: the same number of rows, and values that no row has any more.
   * - values moved: every value is still there, but in another row.
   */
  readonly kind: "table gone" | "column gone" | "rows gone" | "values changed" | "values moved";
  readonly column: string | undefined;
  /** Rows of the table, or values that are not NULL of the column, before and after. */
  readonly before: number;
  readonly after: number;
  /** How many of those rows or values are lost. */
  readonly lost: number;
  /** Some of what was lost, cut, as it is (control characters too); never of a column whose name says that it is secret. */
  readonly examples: readonly string[];
  /** True where all that was lost is NULL that became a value: a default took its place. */
  readonly onlyNulls: boolean;
}

/**
 * - plain: distinct, modest values, no NULL where a value can stand.
 * - hostile: NULL wherever allowed, duplicates, full lengths, extremes.
 */
export type RowTier = "plain" | "hostile";

/** One table after a fill. */
export interface FilledTable {
  readonly table: string;
  readonly wanted: number;
  /** Rows that were put in. */
  readonly rows: number;
  /** Why there are fewer than wanted: one sentence that names the constraint or what the server said. */
  readonly reason: string | undefined;
  /** True where its triggers refused every row and were off for these; its keys were verified after. */
  readonly suspended: boolean;
  /** Values that the project wants in a column, and that its type or CHECKs do not take; absent where there are none. */
  readonly refused?: readonly { readonly column: string; readonly values: readonly string[] }[];
}

/** A read-only query that tells whether a statement can fail on, or change, the rows that a database has. */
export interface DataQuery {
  /** e.g. "fails if two rows share email". */
  readonly words: string;
  /**
   * - fails: no rows means that the statement is safe; where the server cannot compute it (SQLSTATE classes 22 and 23), the statement fails, too.
   * - changes: each row has a value that will be another one.
   * - loses: one row with the number of values or rows that will be gone; none where there are none.
   */
  readonly effect: "fails" | "changes" | "loses";
  /** One SELECT, never more than 20 rows. At most a few columns, each a value that explains the row. */
  readonly sql: string;
  /** How the statement fails; undefined where it does not. */
  readonly sqlstate: string | undefined;
  /** Functions that the statement's own expressions call, without their schema. */
  readonly functions: readonly string[];
}
