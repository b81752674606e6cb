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

interface Row {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  readonly bytes: string;
  readonly countable: boolean;
}

/** Every table that holds rows of its own, by schema and name. Reads only, in two questions. */
export async function tableSizes(client: Client): Promise<TableSize[]> {
  await client.query("begin transaction isolation level repeatable read read only");
  try {
    await client.query(
      "set local statement_timeout = '10s'; set local lock_timeout = '1s'; set local row_security = off",
    );
    const { rows } = await client.query<Row>(
      `select n.nspname as schema, c.relname as name, c.reltuples::float8 as rows,
              pg_catalog.pg_total_relation_size(c.oid) as bytes,
              c.relispopulated and pg_catalog.pg_relation_size(c.oid) <= $1
                and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select') as countable
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'm') and c.relpersistence <> 't'
          and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        order by 1, 2`,
      [smallBytes],
    );
    const counts = await count(client, rows.filter(({ countable }) => countable).slice(0, mostCounted));
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

/** All of them, or none where one is locked or kept from the role: then the estimates have to do. */
async function count(client: Client, tables: readonly Row[]): Promise<ReadonlyMap<Row, number>> {
  if (tables.length === 0) return new Map();
  const questions = tables.map(
    ({ schema, name }, index) =>
      `select ${index} as index, pg_catalog.count(*) as count from only ${escapeIdentifier(schema)}.${escapeIdentifier(name)}`,
  );
  try {
    const { rows } = await client.query<{ index: number; count: string }>(questions.join(" union all "));
    return new Map(rows.map(({ index, count: rowCount }) => [tables[index]!, Number(rowCount)]));
  } catch {
    return new Map();
  }
}
