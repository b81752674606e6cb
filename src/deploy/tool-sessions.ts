import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { localPort, within } from "../databases/postgres/own-session";

/** How the tool's sessions are named where its driver lets us; a gate's own number follows. */
export const toolSessionName = "migration-gate tool";

/** One session of the server for good: a later one may get its process id, and not at the same time. */
export interface SessionId {
  readonly pid: number;
  /** A timestamptz as the server printed it. */
  readonly backendStart: string;
}

/** Sessions of one tool, or of all. */
export interface ToolSessions {
  /** The start of their application_name; all of it where it is one run's. */
  readonly name: string;
  /** Also these, which another name was given. */
  readonly others: readonly SessionId[];
}

/** A session that nobody watches over. */
export interface Orphan {
  readonly pid: number;
  readonly name: string;
}

const graceMs = 2_000;
/** A network that drops everything must not be waited for. */
const answerLimitMs = 10_000;

const mine = `from pg_catalog.pg_stat_activity a
  where a.pid <> pg_catalog.pg_backend_pid() and a.datname = pg_catalog.current_database()
    and (pg_catalog.left(a.application_name, pg_catalog.length($1)) = $1
      or exists (select from unnest($2::int[], $3::timestamptz[]) s(pid, started)
                 where s.pid = a.pid and s.started = a.backend_start))`;

function valuesOf({ name, others }: ToolSessions): unknown[] {
  return [name, others.map(({ pid }) => pid), others.map(({ backendStart }) => backendStart)];
}

/**
 * Waits until the sessions of a tool that has ended are gone, then ends those that are not: a statement goes on in the
 * server after its client was killed, and what the version table says would not be final. True when none is left.
 */
export async function endToolSessions(
  client: Client,
  sessions: ToolSessions,
  waitMs = graceMs,
): Promise<boolean> {
  const left = async (what: string): Promise<number> => {
    const query = client.query<{ left: number }>(
      `select pg_catalog.count(${what})::int as left ${mine}`,
      valuesOf(sessions),
    );
    const { rows } = await within(client, query, answerLimitMs);
    return rows[0]?.left ?? 0;
  };
  if (await isNone(() => left("*"), waitMs)) return true;
  await left("case when pg_catalog.pg_terminate_backend(a.pid) then 1 end").catch(() => undefined);
  return await isNone(() => left("*"), 2 * graceMs);
}

/** Whoever holds the gate's lock knows that no gate watches over these. */
export async function orphans(client: Client, sessions: ToolSessions): Promise<Orphan[]> {
  const { rows } = await client.query<Orphan>(
    `select a.pid, a.application_name as name ${mine} order by 1`,
    valuesOf(sessions),
  );
  return rows;
}

/** Sessions from this machine with these local ports, which are those of the tool's processes. */
export async function sessionsByPort(
  client: Client,
  ports: readonly number[] | undefined,
): Promise<SessionId[]> {
  if (ports === undefined || ports.length === 0) return [];
  // Behind a tunnel or a translated address the server sees other ports, and one of them may be somebody else's.
  const { rows: mine } = await client.query<{ port: number | null }>(
    "select pg_catalog.inet_client_port() as port",
  );
  if (mine[0]?.port !== localPort(client)) return [];
  const { rows } = await client.query<SessionId>(
    `select a.pid, a.backend_start::text as "backendStart" from pg_catalog.pg_stat_activity a
     where a.client_port = any ($1::int[]) and a.client_addr = pg_catalog.inet_client_addr()
       and a.datname = pg_catalog.current_database() and a.usename = current_user and a.pid <> pg_catalog.pg_backend_pid()`,
    [ports],
  );
  return rows;
}

async function isNone(count: () => Promise<number>, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (let pause = 2; (await count()) > 0; pause = Math.min(100, 2 * pause)) {
    if (performance.now() > end) return false;
    await sleep(pause);
  }
  return true;
}
