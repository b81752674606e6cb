import type { Client } from "pg";

/** What the current role may do in this database; read with pg_catalog alone on the search path. */
export interface RightFacts {
  readonly superuser: boolean;
  /** May create schemas, and trusted extensions. */
  readonly createInDatabase: boolean;
  /** Schemas in which it may create tables. */
  readonly createIn: readonly string[];
  /** What it lacks on the version table: USAGE on the schema, SELECT, INSERT, UPDATE, DELETE on the table. */
  readonly missingOnVersionTable: readonly string[];
  /** Tables and views that belong to roles whose rights it does not have; the first by name, and how many there are. */
  readonly foreignTables: readonly { readonly name: string; readonly owner: string }[];
  readonly foreignTableCount: number;
  /** Schemas with tables of its own in which it may not create: a new index needs that, too. */
  readonly closedSchemas: readonly string[];
}

const userRelations = `pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     and not exists (select from pg_depend m where m.classid = 'pg_class'::regclass and m.objid = c.oid and m.deptype = 'e')`;

const statement = `with relations as materialized (
  select c.oid, format('%I.%I', n.nspname, c.relname) as name, n.oid as schema, c.relowner, pg_has_role(c.relowner, 'usage') as mine
  from ${userRelations}),
version as (
  select n.oid as schema, c.oid from pg_namespace n join pg_class c on c.relnamespace = n.oid
  where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p'))
select (select rolsuper from pg_roles where rolname = current_user) as superuser,
  has_database_privilege(current_database(), 'create') as "createInDatabase",
  array(select n.nspname::text from pg_namespace n where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and has_schema_privilege(n.oid, 'create') order by 1) as "createIn",
  array(select p.name from version v, (values ('USAGE'), ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) p(name)
        where not case p.name when 'USAGE' then has_schema_privilege(v.schema, 'usage') else has_table_privilege(v.oid, p.name) end) as "missingOnVersionTable",
  (select coalesce(json_agg(json_build_object('name', f.name, 'owner', pg_get_userbyid(f.relowner))), '[]')
   from (select * from relations where not mine order by name limit 5) f) as "foreignTables",
  (select count(*)::int from relations where not mine) as "foreignTableCount",
  array(select n.nspname::text from pg_namespace n where not has_schema_privilege(n.oid, 'create')
        and n.oid in (select schema from relations where mine) order by 1) as "closedSchemas"`;

export async function readRights(
  client: Client,
  versionTable: { readonly schema: string; readonly table: string } | undefined,
): Promise<RightFacts> {
  const values = [versionTable?.schema ?? null, versionTable?.table ?? null];
  const { rows } = await client.query<RightFacts>(statement, values);
  if (rows[0] === undefined) throw new Error("the server did not say what the role may do");
  return rows[0];
}

/** An extension as the server could create it now. */
export interface ExtensionFact {
  readonly name: string;
  readonly installed: boolean;
  /** Its files are on the server. */
  readonly available: boolean;
  /** By any role that may create in the database: it is trusted, or needs no superuser. */
  readonly trusted: boolean;
  readonly requires: readonly string[];
  /** The role is a superuser, or has the role by which a provider lets its customers create extensions. */
  readonly allowedAll: boolean;
}

/** Amazon RDS and Aurora, Google Cloud SQL and AlloyDB, Azure: none is a superuser, each may create what is offered. */
const providerRoles = ["rds_superuser", "cloudsqlsuperuser", "alloydbsuperuser", "azure_pg_admin"];

/** The extensions of these names and those that they require, as the default version of each says. */
export async function readExtensions(client: Client, names: readonly string[]): Promise<ExtensionFact[]> {
  const { rows } = await client.query<ExtensionFact>(
    `with recursive versions as materialized (
       select a.name::text as name, v.superuser, v.trusted, v.requires
       from pg_available_extensions a join pg_available_extension_versions v on v.name = a.name and v.version = a.default_version),
     wanted(name) as (
       select unnest($1::text[]) collate "C" union
       select unnest(v.requires)::text collate "C" from wanted w join versions v on v.name = w.name)
     select w.name, exists (select from pg_extension e where e.extname = w.name) as installed, v.name is not null as available,
       coalesce(v.trusted or not v.superuser, false) as trusted, coalesce(v.requires::text[], '{}') as requires,
       exists (select from pg_roles r where r.rolname = current_user and r.rolsuper)
         or exists (select from pg_roles r where r.rolname = any ($2) and pg_has_role(r.oid, 'member')) as "allowedAll"
     from wanted w left join versions v on v.name = w.name order by 1`,
    [names, providerRoles],
  );
  return rows;
}
