import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";

/** A session of the server, told apart from a later one that got the same process id. */
export interface SessionId {
  readonly pid: number;
  /** As the server prints it, e.g. `2026-11-22 08:00:00.123456+00`. */
  readonly backendStart: string;
}

const graceMs = 3_000;

/**
 * Waits until the sessions of a tool that has ended are gone, then ends those that are not: a statement goes on in the
 * server after its client was killed, and what the version table says would not be final. True when none is left.
 */
export async function endToolSessions(
  client: Client,
  applicationName: string,
  sessions: readonly SessionId[],
): Promise<boolean> {
  const values = [
    applicationName.slice(0, 63),
    sessions.map(({ pid }) => pid),
    sessions.map(({ backendStart }) => backendStart),
  ];
  const ask = async (action: string): Promise<number> => {
    const { rows } = await client.query<{ left: number }>(
      `select pg_catalog.count(${action})::int as left from pg_catalog.pg_stat_activity a
       where a.pid <> pg_catalog.pg_backend_pid() and a.datname = pg_catalog.current_database()
         and (a.application_name = $1
           or exists (select from unnest($2::int[], $3::timestamptz[]) s(pid, started)
                      where s.pid = a.pid and s.started = a.backend_start))`,
      values,
    );
    return rows[0]?.left ?? 0;
  };
  for (const [action, limit] of [
    ["1", graceMs],
    ["case when pg_catalog.pg_terminate_backend(a.pid) then 1 end", 2 * graceMs],
  ] as const) {
    const end = performance.now() + limit;
    let left = await ask(action);
    for (; left > 0 && performance.now() < end; left = await ask("1")) await sleep(50);
    if (left === 0) return true;
  }
  return false;
}

/** Sessions of gates that are gone: whoever holds the gate's lock knows that no gate watches over them. */
export async function orphans(client: Client, prefix: string): Promise<(SessionId & { name: string })[]> {
  const { rows } = await client.query<SessionId & { name: string }>(
    `select a.pid, a.backend_start::text as "backendStart", a.application_name as name
     from pg_catalog.pg_stat_activity a
     where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid()
       and pg_catalog.left(a.application_name, pg_catalog.length($1)) = $1`,
    [prefix],
  );
  return rows;
}
