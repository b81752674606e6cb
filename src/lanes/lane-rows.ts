import type { Client } from "pg";
import { readRows } from "../databases/postgres/row-snapshot";
import { fillTables } from "../databases/postgres/rows/fill";
import type { RowLevel } from "../model/deploy-lane";
import type { FilledTable, RowSnapshot } from "../model/rows";
import type { VersionTable } from "../tools/contract";

/** A database as it is before the change: nobody is connected to it, and it is copied for every try. */
export interface BaseDatabase {
  readonly name: string;
  /** Applied heads. */
  readonly heads: readonly string[];
  readonly versionTable: VersionTable | undefined;
  /** Every table that could be the version table, quoted as the server does: its rows are nobody's data. */
  readonly versionTables: readonly string[];
  /** Tables in which nothing is put: the version table, and those that migrations filled. Quoted as the server does. */
  readonly skip: readonly string[];
}

/** A copy of it with rows. */
export interface FilledDatabase {
  readonly name: string;
  readonly tables: readonly FilledTable[];
}

/** The rows of a database without those of the version table. */
export function rowsOf(
  client: Client,
  { versionTables }: Pick<BaseDatabase, "versionTables">,
): Promise<RowSnapshot> {
  return readRows(client, { skip: new Set(versionTables) });
}

/** Few rows show what a statement does with them; more would only take longer. */
const rowsPerTable = 10;

/** Puts rows of that level into every table but `skip`; `topUp`: beside those that are there. */
export async function fill(
  client: Client,
  level: RowLevel,
  skip: readonly string[],
  topUp: boolean,
): Promise<readonly FilledTable[]> {
  if (level === "landed") return [];
  return await fillTables(client, {
    tier: level === "hostile" ? "hostile" : "plain",
    rows: level === "single" ? 1 : rowsPerTable,
    skip: new Set(skip),
    topUp,
  });
}
