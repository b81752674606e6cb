import type { TableSteering } from "../../../model/row-settings";
import type { RowTier } from "../../../model/rows";

export type { TableSteering } from "../../../model/row-settings";

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
