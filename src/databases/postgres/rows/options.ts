import type { RowTier } from "../../../model/rows";

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

export interface FillOptions {
  readonly tier: RowTier;
  /** Rows wanted per table. */
  readonly rows: number;
  /** Tables that are not filled, as in catalog keys: quoted and schema-qualified. */
  readonly skip: ReadonlySet<string>;
  /**
   * `rows` new ones for every table, whatever it holds; without it a table's own rows count. Rows that were there and are
   * not ours come first among the parents of foreign keys, so that a downgrade that deletes them is seen.
   */
  readonly topUp: boolean;
  /** By table, as in catalog keys. */
  readonly steering?: ReadonlyMap<string, TableSteering>;
  /**
   * Literals that the revisions' own CHECKs, enum labels or inserts name, by table and column as in catalog keys, e.g.
   * `boards.cards.priority`. They come first in the plain tier; a unique column never gets one.
   */
  readonly hints?: ReadonlyMap<string, readonly string[]>;
}
