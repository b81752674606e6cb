import type { Client } from "pg";
import { readRows } from "../databases/postgres/row-snapshot";
import { fillTables } from "../databases/postgres/rows/fill";
import { type DatabaseFacts, readTableFacts } from "../databases/postgres/table-facts";
import type { RowLevel } from "../model/deploy-lane";
import type { RowSettings } from "../model/row-settings";
import type { FilledTable, RowSnapshot } from "../model/rows";
import type { VersionTable } from "../tools/contract";
import type { RowHints } from "./row-hints";
import { steeringFor } from "./row-steering";

/** A database as it is before the change: nobody is connected to it, and it is copied for every try. */
export interface BaseDatabase {
  readonly name: string;
  /** Applied heads. */
  readonly heads: readonly string[];
  readonly versionTable: VersionTable | undefined;
  /** Every table that could be the version table, quoted as the server does: its rows are nobody's data. */
  readonly versionTables: readonly string[];
  /** Tables into which the seed put rows enough to tell what production's are like. */
  readonly sown: readonly string[];
  /** Tables in which nothing is put: the version table, and those that migrations filled. Quoted as the server does. */
  readonly skip: readonly string[];
  /** Its tables, keys, constraints and enums. */
  readonly facts: DatabaseFacts;
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

export interface Filling {
  /** Tables in which nothing is put. */
  readonly skip: readonly string[];
  /** Beside the rows that are there. */
  readonly topUp: boolean;
  /** What the project says of its tables. */
  readonly settings: RowSettings | undefined;
  /** Absent where nothing is known of what the change asks for. */
  readonly hints?: RowHints;
}

/** Puts rows of that level into every table but those that are skipped. */
export async function fill(
  client: Client,
  level: RowLevel,
  { skip, topUp, settings, hints }: Filling,
): Promise<readonly FilledTable[]> {
  if (level === "landed") return [];
  const { tier, rows, tables } = steeringFor(level, settings, await readTableFacts(client));
  return await fillTables(client, {
    tier,
    rows,
    skip: new Set(skip),
    topUp,
    steering: tables,
    // Hostile rows are what nobody thought of, and those of the base are kept for other changes.
    ...(hints === undefined || level === "hostile" ? {} : { hints }),
  });
}
