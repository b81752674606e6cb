/** What the server said of a failed statement. `position` counts characters from 1 (PostgreSQL 55.8, field P). */
export interface ServerError {
  readonly severity: string;
  readonly sqlstate: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly context: string | undefined;
  readonly position: number | undefined;
  /** Names of what it is about, unquoted, where the server told them (fields t, c and n). */
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

/** A bound value as it went over the wire: text, or hexadecimal of the binary format; cut values say so. */
export type BoundValue = string | null | { readonly hex: string; readonly cut: boolean };

/** One statement that the tool ran on the shadow database, as the recorder saw it. */
export interface RecordedStatement {
  readonly sequence: number;
  readonly connection: number;
  /** A number per transaction; statements outside one have a number of their own. */
  readonly transaction: number;
  readonly protocol: "simple" | "extended";
  readonly sql: string;
  readonly values: readonly BoundValue[];
  /** Type oids of the values as the client declared them; 0 where it left them to the server. */
  readonly valueTypes: readonly number[];
  /** True when it ran outside a transaction block. */
  readonly autocommit: boolean;
  /** Milliseconds from the first byte to the server until its CommandComplete. */
  milliseconds: number;
  /** Rows that CommandComplete told, where it did. */
  rows: number | undefined;
  error: ServerError | undefined;
}

/** A lock on a relation as pg_locks tells it; `mode` is pg_locks' word, e.g. AccessExclusiveLock. */
export interface RelationLock {
  readonly relation: string;
  readonly mode: string;
}
