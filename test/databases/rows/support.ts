import pg from "pg";
import { type FillOptions, fillTables } from "../../../src/databases/postgres/rows/fill";
import type { FilledTable } from "../../../src/model/rows";
import type { TestServer } from "../server";

export interface Filled {
  readonly client: pg.Client;
  readonly tables: readonly FilledTable[];
}

/** A new database in which `owner`, no superuser, owns what it creates; the client is the owner's. */
export async function ownedDatabase(
  server: TestServer,
  name: string,
  extensions: readonly string[] = [],
): Promise<pg.Client> {
  const admin = await server.database(name);
  await admin.query("do $$ begin create role owner login; exception when duplicate_object then null; end $$");
  await admin.query("grant all on schema public to owner");
  await admin.query(`grant create on database ${pg.escapeIdentifier(name)} to owner`);
  for (const extension of extensions) await admin.query(`create extension ${extension}`);
  const client = new pg.Client({ host: "127.0.0.1", port: server.port, user: "owner", database: name });
  client.on("error", () => {});
  await client.connect();
  return client;
}

export function fill(client: pg.Client, options: Partial<FillOptions> = {}): Promise<readonly FilledTable[]> {
  return fillTables(client, { tier: "hostile", rows: 10, skip: new Set(), topUp: false, ...options });
}

/** Every row of every table as text, sorted, by table. */
export async function contents(client: pg.Client): Promise<Record<string, string[]>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
  );
  const all: Record<string, string[]> = {};
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t order by 1`);
    all[name] = rows.map(({ row }) => row);
  }
  return all;
}

/** By table: how many rows fewer than wanted went in, and why; tables with all of them are left out. */
export function shortages(
  tables: readonly FilledTable[],
): Record<string, readonly [number, string | undefined]> {
  return Object.fromEntries(
    tables
      .filter(({ rows, wanted }) => rows < wanted)
      .map(({ table, rows, reason }) => [table, [rows, reason]]),
  );
}
