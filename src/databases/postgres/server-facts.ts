import type { Client } from "pg";

/** What a server says of itself and of this connection; read with pg_catalog alone on the search path. */
export interface ServerFacts {
  readonly version: string;
  readonly major: number;
  readonly role: string;
  readonly database: string;
  /** E.g. TLSv1.3; null without encryption. */
  readonly tls: string | null;
  readonly inRecovery: boolean;
  /** Where a replica gets its data from; null where it is none, or where that is hidden from this role. */
  readonly primary: string | null;
  readonly readOnly: boolean;
  /** pg_settings.source of default_transaction_read_only, e.g. "user", "database", "configuration file". */
  readonly readOnlySource: string;
  readonly publications: readonly string[];
  readonly subscriptions: readonly string[];
  /** Time limits that every session of this role begins with. */
  readonly timeouts: readonly { readonly name: string; readonly value: string; readonly source: string }[];
  readonly connections: ConnectionFacts;
}

/** Of the role, of the database and of the server; a limit of -1 is none. */
export interface ConnectionFacts {
  readonly role: { readonly used: number; readonly limit: number };
  readonly database: { readonly used: number; readonly limit: number };
  readonly server: { readonly used: number; readonly limit: number };
}

/** Every column is visible to every role; subscriptions' connections are not asked for. */
const statement = `select current_setting('server_version') as version, current_setting('server_version_num')::int / 10000 as major,
  current_user::text as role, current_database()::text as database,
  (select s.version from pg_stat_ssl s where s.pid = pg_backend_pid() and s.ssl) as tls,
  pg_is_in_recovery() as "inRecovery",
  (select r.sender_host || ':' || r.sender_port from pg_stat_wal_receiver r limit 1) as primary,
  d.setting = 'on' as "readOnly", d.source as "readOnlySource",
  array(select p.pubname::text from pg_publication p order by 1) as publications,
  array(select s.subname::text from pg_subscription s join pg_database b on b.oid = s.subdbid
        where b.datname = current_database() order by 1) as subscriptions,
  (select coalesce(json_agg(json_build_object('name', t.name, 'value', current_setting(t.name), 'source', t.source) order by t.name), '[]')
   from pg_settings t where t.setting <> '0' and t.source not in ('default', 'session')
     and t.name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')) as timeouts,
  (select json_build_object(
     'role', json_build_object('limit', r.rolconnlimit, 'used', count(*) filter (where a.usesysid = r.oid)),
     'database', json_build_object('limit', b.datconnlimit, 'used', count(*) filter (where a.datid = b.oid)),
     'server', json_build_object('limit', case when r.rolsuper then -1 else current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int - coalesce(current_setting('reserved_connections', true)::int, 0) end,
       'used', count(*) filter (where a.usesysid is not null)))
   from pg_roles r join pg_database b on b.datname = current_database() cross join pg_stat_activity a
   where r.rolname = session_user
   group by r.oid, r.rolconnlimit, r.rolsuper, b.oid, b.datconnlimit) as connections
from pg_settings d where d.name = 'default_transaction_read_only'`;

export async function readServerFacts(client: Client): Promise<ServerFacts> {
  const { rows } = await client.query<ServerFacts>(statement);
  if (rows[0] === undefined) throw new Error("the server did not say what it is");
  return rows[0];
}

/** What must be asked outside of a transaction: the process that answers each question, and the schema of new tables. */
export async function askRepeatedly(
  client: Client,
): Promise<{ pids: readonly number[]; schema: string | null }> {
  const pids: number[] = [];
  let schema: string | null = null;
  for (let round = 0; round < 3; round++) {
    const { rows } = await client.query<{ pid: number; schema: string | null }>(
      "select pg_catalog.pg_backend_pid() as pid, pg_catalog.current_schema()::text as schema",
    );
    pids.push(rows[0]?.pid ?? 0);
    schema = rows[0]?.schema ?? null;
  }
  return { pids, schema };
}

/**
 * Reads in one read-only transaction, whatever the session is set to: names are found in pg_catalog alone and printed
 * qualified, times in UTC. The session is as it was afterwards.
 */
export async function readOnly<T>(client: Client, read: () => Promise<T>): Promise<T> {
  await client.query("begin transaction read only");
  try {
    await client.query(
      "set local search_path = pg_catalog, pg_temp; set local datestyle = iso; set local timezone = 'UTC'",
    );
    return await read();
  } finally {
    await client.query("rollback").catch(() => undefined);
  }
}
