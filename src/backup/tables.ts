import { type Client, escapeIdentifier } from "pg";

export interface TableSize {
  readonly schema: string;
  readonly table: string;
  /** With its indexes and TOAST. */
  readonly bytes: number;
  /** Null where nobody has counted: the table was never analysed. */
  readonly rows: number | null;
  /** counted: just before the dump began; estimated: the server's own estimate of the last ANALYZE. */
  readonly rowsAre: "counted" | "estimated" | "unknown";
}

/** Up to this size a table is counted; and not more than so many, so that the counting takes no time. */
const smallBytes = 1024 * 1024;
const mostCounted = 200;

/** Every table that holds rows of its own, by schema and name. Reads only. */
export async function tableSizes(client: Client): Promise<TableSize[]> {
  await client.query("begin transaction isolation level repeatable read read only");
  try {
    await client.query("set local statement_timeout = '10s'; set local lock_timeout = '1s'");
    const { rows } = await client.query<{
      schema: string;
      name: string;
      bytes: string;
      heap: string;
      rows: number;
    }>(
      `select n.nspname as schema, c.relname as name, c.reltuples::float8 as rows,
              pg_catalog.pg_total_relation_size(c.oid) as bytes, pg_catalog.pg_relation_size(c.oid) as heap
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'm') and c.relpersistence <> 't'
          and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        order by 1, 2`,
    );
    const small = rows.filter(({ heap }) => Number(heap) <= smallBytes).slice(0, mostCounted);
    const counts = new Map<unknown, number>();
    for (const row of small) {
      const counted = await count(client, row.schema, row.name);
      if (counted !== undefined) counts.set(row, counted);
    }
    return rows.map((row) => {
      const counted = counts.get(row);
      const estimate = row.rows < 0 ? null : Math.round(row.rows);
      return {
        schema: row.schema,
        table: row.name,
        bytes: Number(row.bytes),
        rows: counted ?? estimate,
        rowsAre: counted !== undefined ? "counted" : estimate === null ? "unknown" : "estimated",
      };
    });
  } finally {
    await client.query("rollback").catch(() => undefined);
  }
}

/** Undefined where the role may not read it, or somebody holds it; the dump will say so, if it matters. */
async function count(client: Client, schema: string, table: string): Promise<number | undefined> {
  await client.query("savepoint counting");
  try {
    const { rows } = await client.query<{ count: string }>(
      `select pg_catalog.count(*) from only ${escapeIdentifier(schema)}.${escapeIdentifier(table)}`,
    );
    return Number(rows[0]?.count);
  } catch {
    await client.query("rollback to savepoint counting");
    return undefined;
  } finally {
    await client.query("release savepoint counting").catch(() => undefined);
  }
}
