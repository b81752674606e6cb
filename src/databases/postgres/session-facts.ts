import type { Client } from "pg";
import type { ActivityRow } from "./tool-activity";

/** Another session of this database that is in a transaction, waits, works on the version table, or is a gate's tool. */
export interface SessionFact extends ActivityRow {
  readonly inTransaction: boolean;
  /** Since it is in its state. */
  readonly stateMs: number | null;
  /** Tables of users that it has locked, the first five by name, and how. */
  readonly locks: readonly string[];
  /** The strongest lock that it has or waits for on the version table, beyond reading; null for none. */
  readonly versionTable: string | null;
  readonly waitsFor: {
    readonly mode: string;
    readonly relation: string;
    readonly blockers: readonly number[];
  } | null;
  /** An autovacuum that does not give way. */
  readonly wraparound: boolean;
  /** It has the gate's lock. */
  readonly gateLock: boolean;
}

export interface PreparedFact {
  readonly gid: string;
  readonly owner: string;
  readonly ageMs: number;
  readonly locks: readonly string[];
}

export interface SessionFacts {
  readonly sessions: readonly SessionFact[];
  readonly prepared: readonly PreparedFact[];
}

const since = (moment: string) =>
  `greatest(round(extract(epoch from clock_timestamp() - ${moment}) * 1000), 0)::float8`;

/** Tables, not their indexes; what another transaction has just made is not visible here and in nobody's way. */
const locksOf = (condition: string) => `(select coalesce(json_agg(k.text order by k.text), '[]') from (
    select distinct format('%s (%s)', r.oid::regclass, l.mode) as text from locks l join pg_class r on r.oid = l.relation
    where ${condition} and l.granted and l.locktype = 'relation' and r.oid >= 16384 and r.relkind in ('r', 'p', 'm') limit 5) k)`;

/** Any other autovacuum gives way to whoever waits for its lock. */
const wraparound =
  "^autovacuum: VACUUM (ANALYZE )?(?!pg_catalog\\.|pg_toast\\.).*\\(to prevent wraparound\\)$";

/** It has no pid, and the virtual transaction that its own transactionid is locked by. */
const ofPrepared = `l.pid is null and l.virtualtransaction in (select x.virtualtransaction from locks x
    where x.pid is null and x.locktype = 'transactionid' and x.transactionid = p.transaction and x.granted)`;

/** pg_locks tells every role who is in a transaction (its own virtualxid) and what it has locked, but not since when. */
const statement = `with my as materialized (select oid as database from pg_database where datname = current_database()),
locks as materialized (
  select l.* from pg_locks l, my where l.database = my.database or l.locktype in ('virtualxid', 'transactionid')),
version as materialized (
  select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2),
facts as (
  select a.*, exists (select from locks l where l.pid = a.pid and l.locktype = 'virtualxid' and l.granted) as busy,
    (select l.mode from locks l join version v on l.relation = v.oid where l.pid = a.pid and l.locktype = 'relation'
       and l.mode <> 'AccessShareLock' order by length(l.mode) desc limit 1) as version_mode,
    (select json_build_object('mode', l.mode, 'relation', l.relation::regclass::text, 'blockers', pg_blocking_pids(l.pid))
     from locks l where l.pid = a.pid and not l.granted and l.locktype = 'relation' limit 1) as wanted,
    exists (select from locks l where l.pid = a.pid and l.locktype = 'advisory' and l.granted
      and l.classid = $4::int8::oid and l.objid = $5::int8::oid and l.objsubid = 2) as gate_lock,
    a.backend_type is not null and a.backend_type = 'autovacuum worker' as wraparound
  from pg_stat_activity a join my on a.datid = my.database
  where a.pid <> pg_backend_pid() and a.pid <> all ($3::int[])
    and (a.usesysid is not null and coalesce(a.backend_type, 'client backend') = 'client backend'
      or a.backend_type = 'autovacuum worker' and a.query ~ '${wraparound}'))
select (select coalesce(json_agg(json_build_object('pid', a.pid, 'user', a.usename, 'application', coalesce(a.application_name, ''),
    'client', case when a.backend_start is not null then coalesce(host(a.client_addr), 'local') end,
    'state', a.state, 'query', case when a.state is not null then left(a.query, 1000) end, 'ageMs', ${since("a.xact_start")},
    'stateMs', ${since("a.state_change")}, 'inTransaction', a.busy, 'locks', ${locksOf("l.pid = a.pid")}, 'versionTable', a.version_mode,
    'waitsFor', a.wanted,
    'wraparound', a.wraparound, 'gateLock', a.gate_lock) order by a.xact_start, a.pid), '[]')
  from facts a where a.busy or a.wraparound or a.gate_lock or left(a.application_name, length($6::text)) = $6::text) as sessions,
(select coalesce(json_agg(json_build_object('gid', p.gid, 'owner', p.owner, 'ageMs', ${since("p.prepared")},
    'locks', ${locksOf(ofPrepared)}) order by p.prepared), '[]')
  from pg_prepared_xacts p where p.database = current_database()) as prepared`;

export interface SessionQuestion {
  readonly versionTable: { readonly schema: string; readonly table: string } | undefined;
  readonly ownPids: readonly number[];
  readonly gateLockKey: readonly [number, number];
  /** Of application names that a gate gives to its tools. */
  readonly toolPrefix: string;
}

export async function readSessions(client: Client, question: SessionQuestion): Promise<SessionFacts> {
  const { versionTable, ownPids, gateLockKey, toolPrefix } = question;
  const { rows } = await client.query<SessionFacts>(statement, [
    versionTable?.schema ?? null,
    versionTable?.table ?? null,
    ownPids,
    ...gateLockKey,
    toolPrefix,
  ]);
  if (rows[0] === undefined) throw new Error("the server did not tell its sessions");
  return rows[0];
}
