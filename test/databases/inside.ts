import type pg from "pg";
import { type CatalogSession, catalogSettings } from "../../src/databases/postgres/catalog/session";

/** The client's own session, as the recorder asks in it: within a savepoint, or a transaction, that is rolled back. */
export function within(client: pg.Client): CatalogSession {
  return {
    async ask(name, text, params) {
      const { rows } = await client.query<[Buffer]>({ name, text, values: [...params], rowMode: "array" });
      return rows[0]?.[0] ?? Buffer.alloc(0);
    },
  };
}

export async function inside<T>(client: pg.Client, open: boolean, work: () => Promise<T>): Promise<T> {
  await client.query(open ? "savepoint inside" : "begin");
  await client.query(catalogSettings);
  await client.query("set local lock_timeout = '50ms'");
  try {
    return await work();
  } finally {
    await client.query(open ? "rollback to inside; release inside" : "rollback");
  }
}
