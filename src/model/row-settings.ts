import type { RowTier } from "./rows";

/** What a project says of one of its tables. */
export interface TableSteering {
  readonly rows?: number;
  readonly tier?: RowTier;
  readonly skip?: boolean;
  /** Per column, unquoted: the only values beside NULL that it is given, as text. Of a foreign key's, parents with these. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Columns whose values are unique although no index says so. */
  readonly unique?: readonly string[];
  /** Columns that are never NULL although nothing says so. */
  readonly notNull?: readonly string[];
}

/** The same as it is written in migration-gate.yml; names of columns may be quoted as the server prints them. */
export interface TableRowSettings extends TableSteering {
  /** With its schema or without, unquoted or as the server prints it. */
  readonly table: string;
  /** Where it stands, 1-based, in `Policy.file`. */
  readonly line: number;
}

/** `rows:` of migration-gate.yml. */
export interface RowSettings {
  /** Of every table that says nothing else. */
  readonly default: Pick<TableSteering, "rows" | "tier">;
  readonly tables: readonly TableRowSettings[];
}

/** An entry that steers nothing. */
export interface UnusedRowSetting {
  readonly table: string;
  /** Undefined where the table itself is the matter. */
  readonly column: string | undefined;
  readonly line: number;
  /** Tables that it could mean, where it means none of them for sure; of a column its table's, quoted as in catalog keys. */
  readonly among: readonly string[];
  /** Values of `column` that its type or CHECKs do not take; absent where the names are the matter. */
  readonly refused?: readonly string[];
  /** The nearest name that there is. */
  readonly nearest: string | undefined;
}
