import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../databases/postgres/connection";
import { type OwnSession, ownSession } from "../databases/postgres/own-session";
import { UserError } from "../errors";
import { describeSession, duration } from "./describe-session";
import type { SeenSession } from "./watch-events";

export interface GateLockOptions {
  /** How long to wait for another holder, in milliseconds; 0 tries once. */
  readonly waitMs: number;
  /** One line on who is waited for: at once, when the holder changes, and every 30 s. */
  readonly onWait: (text: string) => void;
  /** What other runs are told of this one, e.g. "migration-gate apply 4711". */
  readonly applicationName: string;
}

export interface GateLock extends AsyncDisposable {
  /** Asks the server; a UserError where the session of the lock is lost, and with it the lock. */
  assertHeld(): Promise<void>;
  /** Of the session that holds it. */
  readonly pid: number;
  /** Aborted, with a UserError as its reason, as soon as the loss is noticed: at most 20 s later. */
  readonly lost: AbortSignal;
}

/**
 * "mgte" and 1: two int4 keys, because libraries that lock for themselves take one bigint (sqlx: a multiple of
 * 0x3d32ad9e). Advisory locks belong to one database (manual, 13.3.5).
 */
export const gateLockKey = [0x6d677465, 1] as const;

const pollMs = 250;
const sayAgainMs = 30_000;
const keepAliveMs = 10_000;
const answerLimitMs = 10_000;

/**
 * Keeps two writers of one database apart. It is tried for again and again instead of waited for: a session that waits
 * has a snapshot, and CREATE INDEX CONCURRENTLY of the holder would wait for that. The session that holds it is idle
 * outside of any transaction; when this process dies the server frees it. A UserError names the holder after `waitMs`.
 */
export async function takeGateLock(address: Address, options: GateLockOptions): Promise<GateLock> {
  const session = await ownSession(address, options);
  try {
    await take(session, address, options);
    return new HeldLock(session, address);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

async function take(session: OwnSession, address: Address, options: GateLockOptions): Promise<void> {
  const started = performance.now();
  let said: { pid: number | undefined; at: number } | undefined;
  for (;;) {
    const [answer] = await session.ask<{ got: boolean }>(
      "select pg_try_advisory_lock($1, $2) as got",
      gateLockKey,
      answerLimitMs,
    );
    if (answer?.got === true) return;
    const waited = performance.now() - started;
    const holder = await holderOf(session);
    if (waited >= options.waitMs) throw taken(address, holder, options.waitMs);
    if (said === undefined || said.pid !== holder?.pid || performance.now() - said.at > sayAgainMs) {
      options.onWait(
        `Waiting for another run on this database, up to ${duration(options.waitMs - waited)} more: ${described(holder)}`,
      );
      said = { pid: holder?.pid, at: performance.now() };
    }
    // Not all at the same moment, and never beyond the limit.
    await sleep(Math.min(pollMs * (0.8 + 0.4 * Math.random()), Math.max(options.waitMs - waited, 1)));
  }
}

interface Holder extends SeenSession {
  readonly since: string | undefined;
}

/** Undefined where it went meanwhile. */
async function holderOf(session: OwnSession): Promise<Holder | undefined> {
  const [row] = await session.ask<{ [Name in keyof Holder]: Holder[Name] | null }>(
    `select l.pid, a.usename as user, coalesce(a.application_name, '') as application,
       case when a.backend_start is not null then coalesce(host(a.client_addr), 'local') end as client,
       a.state, a.query, round(extract(epoch from clock_timestamp() - a.xact_start) * 1000)::float8 as "ageMs",
       to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
     from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.classid = $1::int8::oid and l.objid = $2::int8::oid and l.objsubid = 2 and l.granted
       and l.database = (select oid from pg_database where datname = current_database())`,
    gateLockKey,
    answerLimitMs,
  );
  if (row === undefined) return undefined;
  const known = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined]));
  return { ...known, query: undefined } as unknown as Holder;
}

function described(holder: Holder | undefined): string {
  if (holder === undefined) return "it has just ended.";
  return `${describeSession(holder)}${holder.since === undefined ? "" : `, connected since ${holder.since}`}.`;
}

function taken(address: Address, holder: Holder | undefined, waitMs: number): UserError {
  return new UserError({
    what: `Another run holds this database${waitMs === 0 ? "" : ` and did not end within ${duration(waitMs)}`}.`,
    where: placeOf(address),
    seen: described(holder),
    why: "Two migrations at once would do the same work twice, or meet half of what the other did.",
    do: `Run again when it is done. If nothing is behind that session any more: select pg_terminate_backend(${holder?.pid ?? "<pid>"});`,
  });
}

function placeOf({ name, host, port, database }: Address): string {
  return `${name}: ${host}:${port}/${database}`;
}

class HeldLock implements GateLock {
  readonly #session: OwnSession;
  readonly #address: Address;
  readonly #loss = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #released = false;

  constructor(session: OwnSession, address: Address) {
    this.#session = session;
    this.#address = address;
    void session.ended.then(() => this.#lose("The connection was closed."));
    // A path with a firewall or NAT forgets a connection that is silent for long.
    this.#timer = setInterval(() => void this.assertHeld().catch(() => undefined), keepAliveMs);
    this.#timer.unref();
  }

  get pid(): number {
    return this.#session.pid;
  }

  get lost(): AbortSignal {
    return this.#loss.signal;
  }

  async assertHeld(): Promise<void> {
    if (this.#released) throw new Error("the gate lock was released");
    if (this.lost.aborted) throw this.lost.reason;
    try {
      const rows = await this.#session.ask(
        `select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted
           and classid = $1::int8::oid and objid = $2::int8::oid and objsubid = 2`,
        gateLockKey,
        answerLimitMs,
      );
      if (rows.length === 0) this.#lose("The session does not hold it any more.");
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    }
    if (this.lost.aborted) throw this.lost.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    clearInterval(this.#timer);
    await this.#session[Symbol.asyncDispose]();
  }

  #lose(seen: string): void {
    if (this.#released || this.lost.aborted) return;
    clearInterval(this.#timer);
    this.#loss.abort(
      new UserError({
        what: "The lock that keeps two runs apart was lost.",
        where: placeOf(this.#address),
        seen,
        why: "Another run may have begun on the same database.",
        do: "Look at migration-gate status, then run the same job again.",
      }),
    );
  }
}
