import {
  boundExtensions,
  comment,
  definition,
  entry,
  options,
  privileges,
  qualified,
  tablespace,
  whenTrue,
} from "./fragments";

/** Entries of relations and of what belongs to them, read from the CTE `rel` (pg_class with `nspname` and `fq`). */
export function relationEntries(version: number): string[] {
  return [
    relation,
    columns(version),
    columnOrder,
    indexes,
    constraints,
    triggers,
    policies,
    rules,
    sequences,
  ];
}

const root = "'r' || r.oid";
const parents = (oid: string) =>
  `(select jsonb_agg(i.inhparent::regclass::text order by i.inhseqno) from pg_inherits i where i.inhrelid = ${oid})`;

const relation = entry(
  root,
  `case r.relkind when 'r' then 'table ' when 'p' then 'partitioned table ' when 'v' then 'view ' when 'm' then 'materialized view '
   when 'f' then 'foreign table ' else 'composite type ' end || r.fq`,
  definition({
    owner: "pg_get_userbyid(r.relowner)",
    privileges: `case when r.relkind = 'c' then (select ${privileges("ty.typacl", "'T'", "ty.typowner")} from pg_type ty where ty.oid = r.reltype)
      else ${privileges("r.relacl", "'r'", "r.relowner")} end`,
    persistence: "case r.relpersistence when 'u' then 'unlogged' end",
    rowSecurity: whenTrue("r.relrowsecurity"),
    forceRowSecurity: whenTrue("r.relforcerowsecurity"),
    replicaIdentity:
      "case when r.relkind in ('r', 'p', 'm') then case r.relreplident when 'f' then 'full' when 'n' then 'nothing' end end",
    options: options(
      `r.reloptions || (select array_agg('toast.' || o) from pg_class toast, unnest(toast.reloptions) o where toast.oid = r.reltoastrelid)`,
    ),
    accessMethod: "(select nullif(amname, 'heap') from pg_am where oid = r.relam)",
    tablespace: tablespace("r.reltablespace"),
    partitionKey: "case when r.relkind = 'p' then pg_get_partkeydef(r.oid) end",
    partitionBound: "pg_get_expr(r.relpartbound, r.oid)",
    inherits: parents("r.oid"),
    detachPending: whenTrue(
      "exists (select from pg_inherits i where i.inhrelid = r.oid and i.inhdetachpending)",
    ),
    ofType: "nullif(r.reloftype, 0)::regtype::text",
    query: "case when r.relkind in ('v', 'm') then pg_get_viewdef(r.oid) end",
    notPopulated: whenTrue("r.relkind = 'm' and not r.relispopulated"),
    server:
      "(select s.srvname from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = r.oid)",
    serverOptions: `(select ${options("f.ftoptions")} from pg_foreign_table f where f.ftrelid = r.oid)`,
    partitionTriggers:
      "(select jsonb_object_agg(g.tgname, g.tgenabled::text) from pg_trigger g where g.tgrelid = r.oid and g.tgparentid <> 0 and not g.tgisinternal and g.tgenabled <> 'O')",
    extensions: boundExtensions("pg_class", "r.oid"),
    comment: `case when r.relkind = 'c' then ${comment("pg_type", "r.reltype")} else ${comment("pg_class", "r.oid")} end`,
  }),
  "rel r where r.relkind in ('r', 'p', 'v', 'm', 'f', 'c')",
);

/**
 * Views print their columns in the query, so only what was set on a view's column by itself is an entry.
 * The name of a NOT NULL constraint (PostgreSQL 18) is left out: a renamed column keeps the old one, a column that
 * is added again gets a new one, and nothing else differs.
 */
function columns(version: number): string {
  const notNull =
    version < 180000
      ? "true"
      : `coalesce((select nullif(${definition({
          notValid: whenTrue("not k.convalidated"),
          noInherit: whenTrue("k.connoinherit"),
          inherited: whenTrue("not k.conislocal"),
          comment: comment("pg_constraint", "k.oid"),
        })}, '{}') from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey[1] = a.attnum), 'true'::jsonb)`;
  return entry(
    root,
    "'column ' || r.fq || '.' || quote_ident(a.attname)",
    definition({
      type: "format_type(a.atttypid, a.atttypmod)",
      notNull: `case when a.attnotnull then ${notNull} end`,
      default: "case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end",
      generated: "case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end",
      expression: "case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end",
      identity: "case a.attidentity when 'a' then 'always' when 'd' then 'by default' end",
      collation: "case when a.attcollation <> ty.typcollation then a.attcollation::regcollation::text end",
      storage:
        "case when a.attstorage <> ty.typstorage then case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end",
      compression: "case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end",
      statistics: "case when a.attstattarget >= 0 then a.attstattarget::int end",
      options: options("a.attoptions"),
      serverOptions: options("a.attfdwoptions"),
      privileges: `case when a.attacl is not null then nullif((select coalesce(jsonb_agg(item::text order by item::text collate "C"), '[]') from unnest(a.attacl) item), '[]') end`,
      inherited: whenTrue("a.attinhcount > 0"),
      local: whenTrue("a.attinhcount > 0 and a.attislocal"),
      comment: comment("pg_class", "r.oid", "a.attnum"),
    }),
    `rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
     join pg_type ty on ty.oid = a.atttypid
     left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
     where r.relkind in ('r', 'p', 'f', 'c') or r.relkind in ('v', 'm') and (d.oid is not null or a.attacl is not null
       or a.attoptions is not null or a.attstattarget >= 0 or a.attcompression <> '' or a.attstorage <> ty.typstorage
       or exists (select from pg_description c where c.objoid = r.oid and c.classoid = 'pg_class'::regclass and c.objsubid = a.attnum))`,
  );
}

const columnOrder = entry(
  root,
  "'column order ' || r.fq",
  "(select coalesce(jsonb_agg(a.attname order by a.attnum), '[]') from pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped)",
  "rel r where r.relkind in ('r', 'p', 'f', 'c')",
);

const indexFields = {
  invalid: whenTrue("not i.indisvalid"),
  clustered: whenTrue("i.indisclustered"),
  replicaIdentity: whenTrue("i.indisreplident"),
  tablespace: tablespace("ic.reltablespace"),
  attachedTo: `${parents("ic.oid")} -> 0`,
  statistics:
    "(select jsonb_object_agg(a.attnum, a.attstattarget) from pg_attribute a where a.attrelid = ic.oid and a.attstattarget >= 0)",
  extensions: boundExtensions("pg_class", "ic.oid"),
};

const indexes = entry(
  root,
  `'index ' || ${qualified("r.nspname", "ic.relname")}`,
  definition({
    definition: "pg_get_indexdef(ic.oid)",
    ...indexFields,
    comment: comment("pg_class", "ic.oid"),
  }),
  `rel r join pg_index i on i.indrelid = r.oid join pg_class ic on ic.oid = i.indexrelid
   where not exists (select from pg_constraint k where k.conrelid = r.oid and k.conindid = ic.oid and k.contype in ('p', 'u', 'x'))`,
);

/** Constraint triggers are entries as triggers, NOT NULL belongs to the column, a partition's clone to its parent. */
const constraints = entry(
  root,
  "'constraint ' || r.fq || '.' || quote_ident(k.conname)",
  definition({
    definition: "pg_get_constraintdef(k.oid)",
    inherited: whenTrue("not k.conislocal"),
    ...indexFields,
    options: options("ic.reloptions"),
    comment: comment("pg_constraint", "k.oid"),
    indexComment: comment("pg_class", "ic.oid"),
  }),
  `rel r join pg_constraint k on k.conrelid = r.oid
   left join pg_index i on i.indexrelid = k.conindid and k.contype in ('p', 'u', 'x') left join pg_class ic on ic.oid = i.indexrelid
   where k.contype in ('c', 'p', 'u', 'x') or k.contype = 'f' and k.conparentid = 0`,
);

const enabled = (column: string) =>
  `case ${column} when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end`;

const triggers = entry(
  root,
  "'trigger ' || r.fq || '.' || quote_ident(g.tgname)",
  definition({
    definition: "pg_get_triggerdef(g.oid)",
    enabled: enabled("g.tgenabled"),
    extensions: boundExtensions("pg_trigger", "g.oid"),
    comment: comment("pg_trigger", "g.oid"),
  }),
  "rel r join pg_trigger g on g.tgrelid = r.oid where not g.tgisinternal and g.tgparentid = 0",
);

const policies = entry(
  root,
  "'policy ' || r.fq || '.' || quote_ident(p.polname)",
  definition({
    command:
      "case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end",
    restrictive: whenTrue("not p.polpermissive"),
    roles: `(select jsonb_agg(role order by role collate "C") from (select case member when 0 then 'public' else pg_get_userbyid(member) end as role from unnest(p.polroles) member) of)`,
    using: "pg_get_expr(p.polqual, p.polrelid)",
    check: "pg_get_expr(p.polwithcheck, p.polrelid)",
    comment: comment("pg_policy", "p.oid"),
  }),
  "rel r join pg_policy p on p.polrelid = r.oid",
);

const rules = entry(
  root,
  "'rule ' || r.fq || '.' || quote_ident(w.rulename)",
  definition({
    definition: "pg_get_ruledef(w.oid)",
    enabled: enabled("w.ev_enabled"),
    comment: comment("pg_rewrite", "w.oid"),
  }),
  "rel r join pg_rewrite w on w.ev_class = r.oid where w.rulename <> '_RETURN'",
);

const sequences = entry(
  root,
  "'sequence ' || r.fq",
  definition({
    type: "format_type(s.seqtypid, null)",
    start: "s.seqstart",
    increment: "s.seqincrement",
    min: "s.seqmin",
    max: "s.seqmax",
    cache: "s.seqcache",
    cycle: whenTrue("s.seqcycle"),
    ownedBy: "own.fq",
    identity: whenTrue("own.deptype = 'i'"),
    owner: "pg_get_userbyid(r.relowner)",
    privileges: privileges("r.relacl", "'s'", "r.relowner"),
    persistence: "case r.relpersistence when 'u' then 'unlogged' end",
    comment: comment("pg_class", "r.oid"),
  }),
  `rel r join pg_sequence s on s.seqrelid = r.oid left join lateral (
     select d.refobjid::regclass::text || '.' || quote_ident(a.attname) as fq, d.deptype, d.refobjid as relation from pg_depend d
     join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
     where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.objsubid = 0 and d.refclassid = 'pg_class'::regclass
       and d.deptype in ('a', 'i')
     limit 1) own on true
   where r.relkind = 'S'`,
  "'r' || own.relation",
);
