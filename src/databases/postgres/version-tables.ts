import type { Client } from "pg";

/** A table that could be a tool's version table. */
export interface VersionTableCandidate {
  readonly schema: string;
  readonly table: string;
  /** The role that asks may read it. */
  readonly readable: boolean;
}

/**
 * Every table of the database with these columns and no other, the one of ids of text or a number, in order of schema and
 * name: a version table may have any name and lie in any schema. Needs no rights but to connect.
 */
export async function findVersionTables(
  client: Client,
  { column, columns = [column] }: { readonly column: string; readonly columns?: readonly string[] },
): Promise<VersionTableCandidate[]> {
  const { rows } = await client.query<VersionTableCandidate>(
    `select n.nspname as schema, c.relname as table,
       pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select') as readable
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and c.relpersistence <> 't'
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and (select pg_catalog.array_agg(a.attname::text order by a.attname::text collate "C") from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) = $2::text[]
       and exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
                   where a.attrelid = c.oid and a.attname = $1 and t.typcategory::text = any ($3::text[]))
     order by 1, 2`,
    // A lone column of numbers could be anything; text of that name could not.
    [column, [...columns].sort(), columns.length > 1 ? ["S", "N"] : ["S"]],
  );
  return rows;
}

/** Tables of users' schemas that no extension brought: the first names, and how many there are. */
export async function userTables(client: Client): Promise<{ names: string[]; count: number }> {
  const { rows } = await client.query<{ name: string; count: number }>(
    `select pg_catalog.format('%I.%I', n.nspname, c.relname) as name, (pg_catalog.count(*) over ())::int as count
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and c.relpersistence <> 't' and not c.relispartition
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and not exists (select from pg_catalog.pg_depend m where m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                       and m.objid = c.oid and m.deptype = 'e')
     order by 1 limit 5`,
  );
  return { names: rows.map(({ name }) => name), count: rows[0]?.count ?? 0 };
}
