import type { Client } from "pg";

/** An object by the name that a statement gives it; without a schema search_path decides. */
export interface NamedObject {
  readonly kind: "table" | "materialized view" | "index" | "column" | "constraint" | "type";
  readonly schema: string | undefined;
  /** The table of a column, of a constraint, or of an index. */
  readonly table: string | undefined;
  readonly name: string;
}

export interface PresentObject {
  readonly kind: NamedObject["kind"];
  /** Qualified and quoted; of a column or constraint with its table. */
  readonly name: string;
  /** An index whose build did not end. */
  readonly isInvalid: boolean;
  /** What removes it. */
  readonly drop: string;
}

interface Found {
  readonly schema: string;
  readonly relation: string | null;
  readonly name: string;
  readonly invalid: boolean | null;
}

const relation = `select n.nspname as schema, null as relation, c.relname as name, not (i.indisvalid and i.indisready) as invalid
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_index i on i.indexrelid = c.oid
  where c.oid = pg_catalog.to_regclass($1)`;

const questions: Readonly<Record<NamedObject["kind"], string>> = {
  table: `${relation} and c.relkind in ('r', 'p', 'f')`,
  "materialized view": `${relation} and c.relkind = 'm'`,
  index: `${relation} and c.relkind in ('i', 'I')`,
  column: `select n.nspname as schema, c.relname as relation, a.attname as name, null::boolean as invalid
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where a.attrelid = pg_catalog.to_regclass($1) and a.attname = $2 and not a.attisdropped and a.attnum > 0`,
  constraint: `select n.nspname as schema, c.relname as relation, k.conname as name, null::boolean as invalid
    from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where k.conrelid = pg_catalog.to_regclass($1) and k.conname = $2`,
  type: `select n.nspname as schema, null as relation, t.typname as name, null::boolean as invalid
    from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    where t.oid = pg_catalog.to_regtype($1)::oid`,
};

/** Those of the objects that are there, in their order. */
export async function presentObjects(
  client: Client,
  objects: readonly NamedObject[],
): Promise<ReadonlyMap<NamedObject, PresentObject>> {
  const present = new Map<NamedObject, PresentObject>();
  for (const object of objects) {
    const { kind, schema, table, name } = object;
    const isPart = kind === "column" || kind === "constraint";
    const holder = qualified(schema, isPart ? (table ?? "") : name);
    const { rows } = await client.query<Found>(questions[kind], isPart ? [holder, name] : [holder]);
    const [found] = rows;
    if (found !== undefined) present.set(object, presentObject(kind, found));
  }
  return present;
}

function presentObject(kind: NamedObject["kind"], { schema, relation, name, invalid }: Found): PresentObject {
  const isInvalid = invalid === true;
  if (relation !== null) {
    const word = kind === "column" ? "COLUMN" : "CONSTRAINT";
    const table = qualified(schema, relation);
    const drop = `ALTER TABLE ${table} DROP ${word} ${quoted(name)}`;
    return { kind, name: `${table}.${quoted(name)}`, isInvalid, drop };
  }
  const own = qualified(schema, name);
  const word = kind === "index" ? "INDEX CONCURRENTLY" : kind.toUpperCase();
  return { kind, name: own, isInvalid, drop: `DROP ${word} ${own}` };
}

function qualified(schema: string | undefined, name: string): string {
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
