import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { catalogSession } from "../../src/databases/postgres/catalog/session";
import type { Address } from "../../src/databases/postgres/connection";
import { testClient } from "../support/database";

/** All that a database holds: its schema as stored, and every row of every table as text. */
export async function contentOf(address: Address): Promise<Record<string, unknown>> {
  await using connected = await testClient(address);
  const { client } = connected;
  const catalog = await readCatalog(catalogSession(client));
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
     ORDER BY 1`,
  );
  const rows: Record<string, unknown> = {};
  for (const { name } of tables) {
    const { rows: found } = await client.query(`SELECT t::text FROM ${name} t ORDER BY 1`);
    rows[name] = found;
  }
  return { schema: Object.fromEntries(catalog), rows };
}
