import type { Client } from "pg";
import { isMember, isUserSchema, qualified } from "../catalog/fragments";
import type { Check, Column, DatabaseShape, ForeignKey, Table, TypeShape, UniqueSet } from "./shape";

/**
 * Reads every table that rows can be put into in one statement: not the system's, not an extension's, not temporary,
 * not foreign; partitions by their root. The session's search_path must be pg_catalog alone, so that names are printed
 * qualified.
 */
export async function introspect(client: Client): Promise<DatabaseShape> {
  const { rows } = await client.query<{ answer: RawShape }>(statement);
  const raw = rows[0]!.answer;
  const types = typesOf(raw.types);
  return {
    tables: raw.tables.map((table) => tableOf(table, raw, types)),
    types,
    sequences: raw.sequences.map(({ name, column, table }) => ({
      name,
      owner: column === null || table === null ? undefined : { table, column },
    })),
    bypassesRowSecurity: raw.bypasses,
    isUnicode: raw.unicode,
  };
}

interface RawTable {
  oid: number;
  key: string;
  schema: string;
  name: string;
  kind: string;
  forced: boolean;
  allowed: boolean;
}
interface RawColumn {
  relation: number;
  name: string;
  key: string;
  number: number;
  type: number;
  modifier: number;
  typeName: string;
  required: boolean;
  identity: boolean;
  generated: boolean;
  default: string | null;
  reads: number[];
}
interface RawIndex {
  relation: number;
  name: string;
  keys: number[];
  expressions: string | null;
  predicate: string | null;
  reads: number[];
}
interface RawType {
  oid: number;
  name: string;
  kind: string;
  of: number | null;
  modifier: number;
  labels: string[];
  attributes: { type: number; modifier: number }[];
  required: boolean;
  checks: string[];
}
interface RawShape {
  tables: RawTable[];
  columns: RawColumn[];
  checks: { relation: number; name: string; expression: string; columns: number[] }[];
  partitions: { relation: number; leaves: number; bounds: string | null }[];
  indexes: RawIndex[];
  keys: (Omit<ForeignKey, "isFull" | "isReadable"> & {
    relation: number;
    full: boolean;
    readable: boolean;
  })[];
  triggers: { relation: number; body: string; insert: boolean; update: boolean }[];
  types: RawType[];
  sequences: { name: string; column: string | null; table: string | null }[];
  bypasses: boolean;
  unicode: boolean;
}

const list = (row: string, from: string) =>
  `(select coalesce(jsonb_agg(jsonb_build_object(${row})), '[]') from ${from})`;

const names = (numbers: string, relation: string) =>
  `(select jsonb_agg(named.attname order by listed.o) from unnest(${numbers}) with ordinality listed(n, o)
    join pg_attribute named on named.attrelid = ${relation} and named.attnum = listed.n)`;

/** Columns of a relation that an object reads. */
const reads = (object: string, relation: string) =>
  `(select coalesce(jsonb_agg(distinct dep.refobjsubid), '[]') from pg_depend dep where (${object})
    and dep.refclassid = 'pg_class'::regclass and dep.refobjid = ${relation} and dep.refobjsubid > 0)`;

/** PostgreSQL 15 and later: the expression depends on what it reads, and on its own column; before, the column does. */
const generatedReads = reads(
  `dep.classid = 'pg_attrdef'::regclass and dep.objid = d.oid and dep.refobjsubid <> a.attnum
    or dep.classid = 'pg_class'::regclass and dep.objid = a.attrelid and dep.objsubid = a.attnum`,
  "a.attrelid",
);

/** A type's kind: arrays first, because they are base types to pg_type. PostgreSQL 13 knows no multiranges. */
const statement = `with recursive t as materialized (
  select c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity and c.relforcerowsecurity as forced,
    has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT') as allowed
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't' and ${isUserSchema("n")} and not ${isMember("pg_class", "c.oid")}
), col as materialized (
  select a.* from t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
), parts as materialized (
  select ty.oid, ty.typname, ty.typnotnull, ty.typtypmod, ty.typrelid,
    case when ty.typtype = 'b' and ty.typcategory = 'A' and ty.typelem <> 0 and ty.typname not in ('oidvector', 'int2vector') then 'array' else case ty.typtype when 'e' then 'enum'
      when 'd' then 'domain' when 'c' then 'composite' when 'r' then 'range' when 'm' then 'multirange' else 'base' end end as kind,
    case when ty.typtype = 'b' and ty.typcategory = 'A' then nullif(ty.typelem, 0) when ty.typtype = 'd' then ty.typbasetype
      when ty.typtype = 'r' then (select r.rngsubtype from pg_range r where r.rngtypid = ty.oid)
      when ty.typtype = 'm' then (select r.rngtypid from pg_range r where to_jsonb(r) ->> 'rngmultitypid' = ty.oid::text) end as "of"
  from pg_type ty
), used(oid) as (
  select atttypid from col
  union
  select x.oid from used u join parts p on p.oid = u.oid
    cross join lateral (select p."of" where p."of" is not null
      union select a.atttypid from pg_attribute a where p.typrelid <> 0 and a.attrelid = p.typrelid and a.attnum > 0 and not a.attisdropped) x(oid)
)
select jsonb_build_object(
  'tables', (select coalesce(jsonb_agg(jsonb_build_object('oid', t.oid::int8, 'key', ${qualified("t.nspname", "t.relname")},
    'schema', t.nspname, 'name', t.relname, 'kind', t.relkind, 'forced', t.forced, 'allowed', t.allowed) order by t.nspname collate "C", t.relname collate "C"), '[]') from t),
  'columns', (select coalesce(jsonb_agg(jsonb_build_object('relation', a.attrelid::int8, 'name', a.attname, 'key', quote_ident(a.attname), 'number', a.attnum, 'type', a.atttypid::int8,
    'modifier', a.atttypmod, 'typeName', format_type(a.atttypid, a.atttypmod), 'required', a.attnotnull, 'identity', a.attidentity <> '',
    'generated', a.attgenerated <> '', 'default', pg_get_expr(d.adbin, d.adrelid),
    'reads', case when a.attgenerated <> '' then ${generatedReads} else '[]' end) order by a.attnum), '[]')
    from col a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum),
  'checks', (select coalesce(jsonb_agg(jsonb_build_object('relation', k.conrelid::int8, 'name', k.conname, 'expression', pg_get_expr(k.conbin, k.conrelid),
    'columns', coalesce(to_jsonb(k.conkey), '[]')) order by k.conname collate "C"), '[]') from t join pg_constraint k on k.conrelid = t.oid and k.contype = 'c'),
  'partitions', ${list(
    "'relation', t.oid::int8, 'leaves', leaf.n, 'bounds', leaf.bounds",
    `t cross join lateral (select count(*)::int as n, string_agg('(' || coalesce(pg_get_partition_constraintdef(l.relid), 'true') || ')', ' or ') as bounds
      from pg_partition_tree(t.oid) l where l.isleaf and l.relid <> t.oid) leaf where t.relkind = 'p'`,
  )},
  'indexes', (select coalesce(jsonb_agg(jsonb_build_object('relation', i.indrelid::int8, 'name', c.relname,
    'keys', (select coalesce(jsonb_agg(n), '[]') from unnest(i.indkey::int2[]) with ordinality listed(n, o) where n > 0 and o <= i.indnkeyatts),
    'expressions', pg_get_expr(i.indexprs, i.indrelid), 'predicate', pg_get_expr(i.indpred, i.indrelid),
    'reads', ${reads("dep.classid = 'pg_class'::regclass and dep.objid = i.indexrelid", "i.indrelid")}) order by i.indisprimary desc, c.relname collate "C"), '[]')
    from t join pg_index i on i.indrelid = t.oid and (i.indisunique or i.indisexclusion) join pg_class c on c.oid = i.indexrelid),
  'keys', (select coalesce(jsonb_agg(jsonb_build_object('relation', k.conrelid::int8, 'name', k.conname, 'columns', ${names("k.conkey", "k.conrelid")},
    'parentColumns', ${names("k.confkey", "k.confrelid")}, 'parentKey', ${qualified("n.nspname", "c.relname")},
    'parent', case when c.relkind = 'r' then 'only ' else '' end || ${qualified("n.nspname", "c.relname")},
    'parentRoot', case when c.relispartition then pg_partition_root(c.oid)::oid::int8 else c.oid::int8 end, 'full', k.confmatchtype = 'f',
    'readable', has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT'))
    order by cardinality(k.conkey) desc, k.conname collate "C"), '[]')
    from t join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' and k.conparentid = 0
    join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace),
  'triggers', ${list(
    "'relation', t.oid::int8, 'body', p.prosrc, 'insert', g.tgtype & 4 > 0, 'update', g.tgtype & 16 > 0",
    "t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal and g.tgenabled in ('O', 'A') join pg_proc p on p.oid = g.tgfoid",
  )},
  'types', ${list(
    `'oid', p.oid::int8, 'name', p.typname, 'kind', p.kind, 'of', p."of"::int8, 'modifier', p.typtypmod, 'required', p.typnotnull,
     'labels', (select coalesce(jsonb_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e where e.enumtypid = p.oid),
     'attributes', (select coalesce(jsonb_agg(jsonb_build_object('type', a.atttypid::int8, 'modifier', a.atttypmod) order by a.attnum), '[]')
       from pg_attribute a where p.typrelid <> 0 and a.attrelid = p.typrelid and a.attnum > 0 and not a.attisdropped),
     'checks', (select coalesce(jsonb_agg(pg_get_constraintdef(k.oid)), '[]') from pg_constraint k where k.contypid = p.oid and k.contype = 'c')`,
    "parts p where p.oid in (select oid from used)",
  )},
  'sequences', (select coalesce(jsonb_agg(jsonb_build_object('name', ${qualified("n.nspname", "c.relname")}, 'column', own.name, 'table', own.key)
      order by n.nspname collate "C", c.relname collate "C"), '[]')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace left join lateral (
      select quote_ident(a.attname) as name, ${qualified("tn.nspname", "tc.relname")} as key from pg_depend dep join pg_class tc on tc.oid = dep.refobjid
      join pg_namespace tn on tn.oid = tc.relnamespace join pg_attribute a on a.attrelid = tc.oid and a.attnum = dep.refobjsubid
      where dep.classid = 'pg_class'::regclass and dep.objid = c.oid and dep.deptype in ('a', 'i') and dep.refobjsubid > 0
        and has_schema_privilege(tn.oid, 'USAGE') and has_table_privilege(tc.oid, 'SELECT') limit 1) own on true
    where c.relkind = 'S' and c.relpersistence <> 't' and has_schema_privilege(n.oid, 'USAGE') and ${isUserSchema("n")} and not ${isMember("pg_class", "c.oid")}
      and case when c.relkind = 'S' then has_sequence_privilege(c.oid, 'UPDATE') and has_sequence_privilege(c.oid, 'SELECT') end),
  'unicode', getdatabaseencoding() = 'UTF8',
  'bypasses', (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
) as answer`;

function typesOf(raw: readonly RawType[]): Map<number, TypeShape> {
  const byOid = new Map(raw.map((type) => [type.oid, type]));
  const types = new Map<number, TypeShape>();
  const build = (oid: number): TypeShape => {
    const known = types.get(oid);
    if (known !== undefined) return known;
    const type = byOid.get(oid)!;
    const of = type.of === null ? undefined : build(type.of);
    const isDomain = type.kind === "domain";
    const built: TypeShape = {
      oid,
      name: type.name,
      kind: type.kind as TypeShape["kind"],
      of,
      modifier: type.modifier === -1 && isDomain ? (of?.modifier ?? -1) : type.modifier,
      labels: type.labels,
      attributes: type.attributes.map((one) => ({ type: build(one.type), modifier: one.modifier })),
      isRequired: type.required || (isDomain && of?.isRequired === true),
      checks: [...type.checks, ...(isDomain ? (of?.checks ?? []) : [])],
    };
    types.set(oid, built);
    return built;
  };
  for (const { oid } of raw) build(oid);
  return types;
}

function tableOf(table: RawTable, raw: RawShape, types: ReadonlyMap<number, TypeShape>): Table {
  const of = <Row extends { relation: number }>(rows: readonly Row[]) =>
    rows.filter((row) => row.relation === table.oid);
  const rawColumns = of(raw.columns);
  const named = new Map(rawColumns.map((column) => [column.number, column.name]));
  const namesOf = (numbers: readonly number[]) => [
    ...new Set(numbers.flatMap((number) => named.get(number) ?? [])),
  ];
  const columns = rawColumns.map((column): Column => {
    const type = types.get(column.type)!;
    const expression = column.default ?? undefined;
    return {
      name: column.name,
      key: column.key,
      number: column.number,
      type,
      modifier: column.modifier,
      typeName: column.typeName,
      isRequired: column.required || type.isRequired,
      isNumbered: column.identity || (!column.generated && /nextval\(/.test(expression ?? "")),
      default: column.generated ? undefined : expression,
      generated:
        column.generated && expression !== undefined
          ? { expression, columns: namesOf(column.reads) }
          : undefined,
    };
  });
  const sources = (list: readonly string[]) => [
    ...new Set(
      list.flatMap((name) => columns.find((column) => column.name === name)?.generated?.columns ?? [name]),
    ),
  ];
  const partition = of(raw.partitions)[0];
  const checks: Check[] = of(raw.checks).map(({ name, expression, columns }) => ({
    name,
    expression,
    columns: namesOf(columns),
  }));
  // The keys of partitions of partitions stand in the bounds alone.
  const bounds = partition?.bounds;
  if (bounds) {
    const inBounds = columns.filter(({ name }) => mentions(bounds, name)).map(({ name }) => name);
    checks.push({ name: undefined, expression: bounds, columns: inBounds });
  }
  return {
    oid: table.oid,
    key: table.key,
    schema: table.schema,
    name: table.name,
    isPartitioned: table.kind === "p",
    partitions: partition?.leaves ?? 0,
    isRowSecurityForced: table.forced,
    isAllowed: table.allowed,
    columns,
    checks,
    uniqueSets: of(raw.indexes).map((index) => uniqueSetOf(index, namesOf, sources)),
    foreignKeys: of(raw.keys).map(({ relation: _, full, readable, ...key }) => ({
      ...key,
      isFull: full,
      isReadable: readable,
    })),
    triggers: of(raw.triggers).flatMap(({ insert, body }) => (insert ? [body] : [])),
    hasUpdateTrigger: of(raw.triggers).some(({ update }) => update),
  };
}

/** pg_depend does not tell a key's expression from the predicate: the printed text does. */
function uniqueSetOf(
  index: RawIndex,
  namesOf: (numbers: readonly number[]) => string[],
  sources: (names: readonly string[]) => string[],
): UniqueSet {
  const reads = namesOf(index.reads);
  const within = (text: string | null) => reads.filter((name) => text !== null && mentions(text, name));
  return {
    name: index.name,
    columns: sources([...namesOf(index.keys), ...within(index.expressions)]),
    predicateColumns: sources(within(index.predicate)),
    predicate: index.predicate ?? undefined,
  };
}

/** Whether SQL that the server printed names this column; a string that looks like it counts, too. */
export function mentions(text: string, name: string): boolean {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  if (text.includes(quoted)) return true;
  return new RegExp(`(?<![\\w$])${name.replace(/[^\w]/g, "\\$&")}(?![\\w$])`).test(text);
}
