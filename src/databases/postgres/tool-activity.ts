import type { OwnSession } from "./own-session";

/** A row of pg_stat_activity; null is what this role may not see. Times in milliseconds by the server's clock. */
export interface ActivityRow {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string;
  /** Its address; "local" for a Unix socket. */
  readonly client: string | null;
  readonly state: string | null;
  readonly query: string | null;
  /** Since its transaction began. */
  readonly ageMs: number | null;
}

/** A session that is or may be the tool's. */
export interface CandidateRow extends ActivityRow {
  /** Its application_name is the tool's. */
  readonly named: boolean;
  /** It came from where this connection came from. */
  readonly sameClient: boolean;
  readonly port: number | null;
  /** As the server prints them; with pid, `backendStart` names a session and `queryStart` one statement of it. */
  readonly backendStart: string | null;
  readonly queryStart: string | null;
  /** Since the statement began; how long it took where it has ended. */
  readonly runMs: number | null;
  /** Holds or waits for a lock, ShareUpdateExclusive or stronger, on a permanent relation of users. */
  readonly strong: boolean;
}

/** A lock that is waited for. */
export interface WaitRow {
  readonly pid: number;
  readonly type: string;
  readonly mode: string;
  /** Qualified and quoted; null where the lock is on something else. */
  readonly relation: string | null;
  /** Null before PostgreSQL 14, and in its first moment. */
  readonly waitedMs: number | null;
  /** 0 is a prepared transaction. Also sessions that only wait before it in the queue. */
  readonly blockers: readonly number[];
}

export interface Activity {
  readonly candidates: readonly CandidateRow[];
  /** Of candidates, and of who waits for one. */
  readonly waits: readonly WaitRow[];
  /** Who blocks a candidate or waits for one, and is none. */
  readonly others: readonly ActivityRow[];
}

export interface ActivityQuestion {
  readonly applicationName: string;
  readonly startedAt: string;
  readonly ignorePids: readonly number[];
}

/** More waiting sessions than these are not looked at: pg_blocking_pids stops the lock manager for each. */
const mostWaits = 100;
const queryCharacters = 4_000;

const since = (moment: string) =>
  `greatest(round(extract(epoch from clock_timestamp() - ${moment}) * 1000), 0)::float8`;

const seen = `'pid', a.pid, 'user', a.usename, 'application', coalesce(a.application_name, ''),
  'client', case when a.backend_start is not null then coalesce(host(a.client_addr), 'local') end,
  'state', a.state, 'query', case when a.state is not null then left(a.query, ${queryCharacters}) end, 'ageMs', ${since("a.xact_start")}`;

/** The search path is pg_catalog alone (own-session.ts). pg_locks is visible to every role, pg_stat_activity is not. */
const statement = `with my as materialized (
  select d.oid as database, r.oid as role, inet_client_addr() as client
  from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = session_user),
activity as materialized (
  select a.*, coalesce(c.named, false) as named, coalesce(c.named or c.newcomer, false) as candidate
  from pg_stat_activity a join my on a.datid = my.database cross join lateral (
    select a.application_name = $1 and coalesce(a.backend_type, 'client backend') = 'client backend' as named,
      a.usesysid = my.role and a.backend_type = 'client backend' and a.backend_start >= $2::timestamptz as newcomer
    where a.pid <> all ($3::int[])) c
  where a.pid <> pg_backend_pid()),
locks as materialized (select l.* from pg_locks l where exists (select from activity where candidate)),
waiting as (
  select l.pid, l.locktype, l.mode, l.relation, (to_jsonb(l) ->> 'waitstart')::timestamptz as since, a.candidate
  from locks l join activity a on a.pid = l.pid where not l.granted order by a.candidate desc limit ${mostWaits}),
waits as materialized (select w.*, pg_blocking_pids(w.pid) as blockers from waiting w),
relevant as materialized (
  select w.* from waits w where w.candidate or w.blockers && array(select pid from activity where candidate)),
strong as materialized (
  select distinct l.pid from locks l join my on l.database = my.database join pg_class r on r.oid = l.relation
  where l.locktype = 'relation' and r.oid >= 16384 and r.relpersistence <> 't'
    and l.mode in ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
select json_build_object(
  'candidates', (select coalesce(json_agg(json_build_object(${seen}, 'named', a.named,
      'sameClient', a.client_addr is not distinct from my.client
        or (a.client_addr <<= inet '127.0.0.0/8' or a.client_addr = inet '::1') and (my.client <<= inet '127.0.0.0/8' or my.client = inet '::1'),
      'port', a.client_port, 'backendStart', a.backend_start::text, 'queryStart', a.query_start::text,
      'runMs', case when a.state = 'active' then ${since("a.query_start")}
        else greatest(round(extract(epoch from a.state_change - a.query_start) * 1000), 0)::float8 end,
      'strong', exists (select from strong s where s.pid = a.pid))), '[]') from activity a, my where a.candidate),
  'waits', (select coalesce(json_agg(json_build_object('pid', w.pid, 'type', w.locktype, 'mode', w.mode,
      'relation', w.relation::regclass::text, 'waitedMs', ${since("w.since")}, 'blockers', w.blockers)), '[]') from relevant w),
  'others', (select coalesce(json_agg(json_build_object(${seen})), '[]') from activity a
    where not a.candidate and a.pid in (select pid from relevant union select unnest(blockers) from relevant))) as activity`;

/** What the tool's sessions do, whom they wait for and who waits for them, in one round trip. */
export async function readActivity(
  session: OwnSession,
  { applicationName, startedAt, ignorePids }: ActivityQuestion,
  limitMs: number,
): Promise<Activity> {
  const values = [applicationName, startedAt, ignorePids];
  const [row] = await session.ask<{ activity: Activity }>(statement, values, limitMs, "activity");
  if (row === undefined) throw new Error("pg_stat_activity was not answered");
  return row.activity;
}

export interface Victim {
  readonly pid: number;
  readonly backendStart: string;
  readonly queryStart: string;
  /** Only while it waits for a lock. */
  readonly waiting: boolean;
}

/**
 * Cancels this statement of this session and no other: true when the signal was sent, false where it was done by then.
 * The conditions are looked at in the statement that sends it. Rejects where the role may not (42501).
 */
export async function cancelStatement(
  session: OwnSession,
  victim: Victim,
  limitMs: number,
): Promise<boolean> {
  const rows = await session.ask<{ sent: boolean }>(
    `select pg_cancel_backend(a.pid) as sent from pg_stat_activity a
     where a.pid = $1 and a.backend_start = $2::timestamptz and a.query_start = $3::timestamptz and a.state = 'active'
       and (not $4 or exists (select from pg_locks l where l.pid = a.pid and not l.granted))`,
    [victim.pid, victim.backendStart, victim.queryStart, victim.waiting],
    limitMs,
  );
  return rows[0]?.sent === true;
}

/** The server's clock, as it prints a timestamptz. */
export async function serverTime(session: OwnSession, limitMs: number): Promise<string> {
  const [row] = await session.ask<{ now: string }>("select clock_timestamp()::text as now", [], limitMs);
  return row?.now ?? "";
}

/** The port that the server sees this connection come from; undefined for a Unix socket. */
export async function seenPort(session: OwnSession, limitMs: number): Promise<number | undefined> {
  const [row] = await session.ask<{ port: number | null }>("select inet_client_port() as port", [], limitMs);
  return row?.port ?? undefined;
}
