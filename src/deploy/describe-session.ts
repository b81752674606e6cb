import type { ActivityRow } from "../databases/postgres/tool-activity";
import { visible } from "../reports/visible";
import type { SeenSession } from "./watch-events";

const shownCharacters = 200;

/** A row of the server, where it has one of this process id. */
export function seenSession(row: ActivityRow | undefined, pid: number): SeenSession {
  return {
    pid,
    user: row?.user ?? undefined,
    application: row?.application ?? "",
    client: row?.client ?? undefined,
    state: row?.state ?? undefined,
    query: row?.query ?? undefined,
    ageMs: row?.ageMs ?? undefined,
  };
}

/** One line on a session, with what is hidden from this role said to be hidden. */
export function describeSession(session: SeenSession): string {
  const { pid, user, application, client, state, query, ageMs } = session;
  // How pg_blocking_pids names one.
  if (pid === 0) return "a prepared transaction (select * from pg_prepared_xacts)";
  const words = [`pid ${pid}`];
  if (user !== undefined) words.push(`user ${quoted(user)}`);
  if (application !== "") words.push(`application ${quoted(application)}`);
  if (client !== undefined) words.push(client === "local" ? "from this server's socket" : `from ${client}`);
  if (state !== undefined)
    words.push(ageMs === undefined ? state : `${state}, in a transaction for ${duration(ageMs)}`);
  if (state === undefined) words.push("what it does is hidden from this role");
  else if (query !== undefined && query !== "") words.push(`last statement ${oneLine(query)}`);
  return words.join(", ");
}

/** A name of the server's on one line, in quotes. */
export function quoted(name: string): string {
  return `"${oneLine(name).replaceAll('"', '\\"')}"`;
}

/** Foreign text on one line, cut. */
export function oneLine(text: string): string {
  const line = visible(text).replace(/\s+/g, " ").trim();
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}…` : line;
}

/** E.g. 300 ms, 4.2 s, 38 min, 5 h, 12 days. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 90) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
