import type { Client } from "pg";
import type { FilledTable, RowTier } from "../../../model/rows";
export interface FillOptions {
  readonly tier: RowTier;
  readonly rows: number;
  readonly skip: ReadonlySet<string>;
  readonly topUp: boolean;
}
export async function fillTables(_client: Client, _options: FillOptions): Promise<readonly FilledTable[]> {
  return [];
}
