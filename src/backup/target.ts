import type { Client } from "pg";
import type { Address } from "../databases/postgres/connection";
import { UserError } from "../errors";

/** What is known of a database before something is restored into it. */
export interface Target {
  readonly address: Address;
  readonly major: number;
  readonly version: string;
  /** What users have made in it, the first few, e.g. "table public.users"; none in an empty database. */
  readonly objects: readonly string[];
  readonly objectCount: number;
  /** Other sessions, e.g. `web (user app), 3 sessions`. */
  readonly sessions: readonly string[];
  readonly mayReplace: string | undefined;
}

/** What an extension brought is no user's, and a schema or function of one need not be in the way of a restore. */
const objectsSql = `
  with own as (
    select 'pg_catalog.pg_class'::regclass::oid as class, c.oid, n.nspname as schema, c.relname as name,
           case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end as kind
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r','p','v','m','S','f') and c.relpersistence <> 't'
    union all select 'pg_catalog.pg_proc'::regclass, p.oid, n.nspname, p.proname, 'function'
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    union all select 'pg_catalog.pg_type'::regclass, t.oid, n.nspname, t.typname, 'type'
      from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace left join pg_catalog.pg_class c on c.oid = t.typrelid
     where t.typtype in ('d','e','r') or (t.typtype = 'c' and c.relkind = 'c')
    union all select 'pg_catalog.pg_operator'::regclass, o.oid, n.nspname, o.oprname, 'operator'
      from pg_catalog.pg_operator o join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
    union all select 'pg_catalog.pg_collation'::regclass, o.oid, n.nspname, o.collname, 'collation'
      from pg_catalog.pg_collation o join pg_catalog.pg_namespace n on n.oid = o.collnamespace
    union all select 'pg_catalog.pg_namespace'::regclass, n.oid, '', n.nspname, 'schema'
      from pg_catalog.pg_namespace n where n.nspname <> 'public'
    union all select 'pg_catalog.pg_publication'::regclass, oid, '', pubname, 'publication' from pg_catalog.pg_publication
    union all select 'pg_catalog.pg_event_trigger'::regclass, oid, '', evtname, 'event trigger' from pg_catalog.pg_event_trigger
    union all select 'pg_catalog.pg_foreign_server'::regclass, oid, '', srvname, 'server' from pg_catalog.pg_foreign_server
    union all select 'pg_catalog.pg_largeobject_metadata'::regclass, oid, '', oid::text, 'large object' from pg_catalog.pg_largeobject_metadata
  )
  select kind || ' ' || case schema when '' then '' else schema || '.' end || name as object, (count(*) over ())::int as count
    from own
   where schema !~ '^pg_' and schema <> 'information_schema' and not (kind = 'schema' and (name ~ '^pg_' or name = 'information_schema'))
     and not exists (select from pg_catalog.pg_depend d where d.classid = own.class and d.objid = own.oid and d.deptype = 'e')
   order by case kind when 'table' then 0 else 1 end, 1 limit 5`;

const factsSql = `
  select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
         pg_catalog.pg_is_in_recovery() as standby, current_user::text as role, r.rolsuper as superuser, r.rolcreatedb as createdb,
         pg_catalog.pg_has_role(d.datdba, 'usage') as owner
    from pg_catalog.pg_database d, pg_catalog.pg_roles r
   where d.datname = current_database() and r.rolname = current_user`;

const sessionsSql = `
  select coalesce(nullif(application_name, ''), 'without a name') as application, coalesce(usename::text, '') as role, count(*)::int as count
    from pg_catalog.pg_stat_activity
   where datname = current_database() and pid <> pg_catalog.pg_backend_pid() and usesysid is not null
   group by 1, 2 order by 3 desc, 1`;

/** Reads only. A UserError for a server that takes no writes. */
export async function readTarget(client: Client, address: Address): Promise<Target> {
  const { rows } = await client.query<{
    number: number;
    version: string;
    standby: boolean;
    role: string;
    superuser: boolean;
    createdb: boolean;
    owner: boolean;
  }>(factsSql);
  const [facts] = rows;
  if (facts === undefined) throw new Error("the server told nothing of its database");
  if (facts.standby) {
    throw new UserError({
      what: "The server is a read replica: nothing can be restored into it.",
      where: `${address.name}: ${address.host}:${address.port}`,
      do: `Put the primary server's address into ${address.name}.`,
    });
  }
  const objects = await client.query<{ object: string; count: number }>(objectsSql);
  const sessions = await client.query<{ application: string; role: string; count: number }>(sessionsSql);
  const { superuser, createdb, owner, role } = facts;
  return {
    address,
    major: Math.floor(facts.number / 10_000),
    version: facts.version.split(" ")[0] ?? facts.version,
    objects: objects.rows.map(({ object }) => object),
    objectCount: objects.rows[0]?.count ?? 0,
    sessions: sessions.rows.map(
      ({ application, role: user, count }) =>
        `${application} (user ${user}), ${count} ${count === 1 ? "session" : "sessions"}`,
    ),
    mayReplace:
      superuser || (createdb && owner)
        ? undefined
        : createdb
          ? `User "${role}" does not own the database.`
          : `User "${role}" may not create databases (CREATEDB).`,
  };
}

/** A UserError where the database is not empty and the setting replace does not say that this is meant, or it may not be done. */
export function requireRestorable(target: Target, replace: boolean): void {
  const { address, objects, objectCount, mayReplace } = target;
  const where = `${address.name}: ${address.host}:${address.port}, database "${address.database}"`;
  if (!replace && objectCount > 0) {
    throw new UserError({
      what: `The database "${address.database}" is not empty: ${objectCount} ${objectCount === 1 ? "object" : "objects"}.`,
      where,
      seen: `${objects.join(", ")}${objectCount > objects.length ? ", …" : ""}`,
      why: "A restore over what is there would mix the two. Nothing was written.",
      do: "Name an empty database, or add --replace: a new one is filled, checked, and then takes its name; the old one is kept.",
    });
  }
  if (replace && mayReplace !== undefined) {
    throw new UserError({
      what: `The database "${address.database}" cannot be replaced by this user.`,
      where,
      seen: mayReplace,
      why: "Replacing makes a new database and renames both. Nothing was written.",
      do: `Put the address of the database's owner with CREATEDB, or of a superuser, into ${address.name}.`,
    });
  }
}
