import type { Client } from "pg";
import { isMember, isUserSchema, qualified } from "./catalog/fragments";

/** What a database knows that the text of a statement does not say. */
export interface DatabaseFacts {
  readonly tables: readonly TableFacts[];
  /** Labels in their order, by the enum's name without its schema. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
}

/** What is known of a table without its rows. Names are as they are, unquoted, unless it says otherwise. */
export interface TableFacts {
  /** Quoted and schema-qualified as in catalog keys. */
  readonly key: string;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ColumnFacts[];
  /** In the key's order; empty where there is none. */
  readonly primaryKey: readonly string[];
  /** As `pg_get_constraintdef` prints it where only pg_catalog is searched, by name. */
  readonly constraints: Readonly<Record<string, string>>;
}

export interface ColumnFacts {
  readonly name: string;
  /** As in catalog keys: quoted where it must be. */
  readonly key: string;
  /** A text of some type: it can hold what another type's values look like. */
  readonly isText: boolean;
}

const statement = `select ${qualified("n.nspname", "c.relname")} as key, n.nspname::text as schema, c.relname::text as name,
  coalesce((select json_agg(json_build_object('name', a.attname, 'key', quote_ident(a.attname), 'isText', t.typcategory = 'S') order by a.attnum)
    from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns,
  array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey[0:i.indnkeyatts - 1])
    where i.indrelid = c.oid and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)) as "primaryKey",
  coalesce((select json_object_agg(k.conname, pg_get_constraintdef(k.oid)) from pg_constraint k where k.conrelid = c.oid), '{}') as constraints
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't' and ${isUserSchema("n")} and not ${isMember("pg_class", "c.oid")}
order by n.nspname, c.relname`;

const enumStatement = `select t.typname::text as name, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
from pg_enum e join pg_type t on t.oid = e.enumtypid group by t.oid, t.typname order by t.typname`;

/** Needs a client in no transaction, as `readTableFacts` does. */
export function readDatabaseFacts(client: Client): Promise<DatabaseFacts> {
  return inCatalog(client, async () => {
    const { rows: tables } = await client.query<TableFacts>(statement);
    const { rows: enums } = await client.query<{ name: string; labels: string[] }>(enumStatement);
    return { tables, enums: Object.fromEntries(enums.map(({ name, labels }) => [name, labels])) };
  });
}

/** Every table of users' schemas that no extension brought, in the order of schema and name. */
export function readTableFacts(client: Client): Promise<readonly TableFacts[]> {
  return inCatalog(client, async () => (await client.query<TableFacts>(statement)).rows);
}

/** Where only pg_catalog is searched: names of users cannot stand for others, and all are printed qualified. */
async function inCatalog<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.query("begin read only; set local search_path = pg_catalog");
  try {
    return await work();
  } finally {
    await client.query("rollback");
  }
}
