import type { Socket } from "node:net";
import type { Client } from "pg";
import { UserError } from "../../errors";
import { type Address, connect } from "./connection";

/** A connection that the gate keeps beside the migration: never in a transaction, every answer within a limit. */
export interface OwnSession extends AsyncDisposable {
  /** The server process that answers. */
  readonly pid: number;
  /** Of the TCP connection on this side; undefined for a Unix socket. */
  readonly localPort: number | undefined;
  /** Resolves once the connection is gone, whoever ended it. */
  readonly ended: Promise<void>;
  /**
   * One statement by itself; rejects, and gives the connection up, after `limitMs`. With a `name`, which stands for this
   * text alone, it is planned once.
   */
  ask<Row extends object>(
    text: string,
    values: readonly unknown[],
    limitMs: number,
    name?: string,
  ): Promise<Row[]>;
}

/**
 * Nothing may end it for being idle, a dead network is noticed by the server too (within 60 s instead of hours, so
 * that its locks go), times are printed one way, and no object of a user stands for one of pg_catalog.
 */
const settings: Readonly<Record<string, string>> = {
  search_path: "pg_catalog, pg_temp",
  DateStyle: "ISO, YMD",
  TimeZone: "UTC",
  statement_timeout: "5s",
  lock_timeout: "5s",
  idle_session_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  transaction_timeout: "0",
  default_transaction_isolation: "read committed",
  tcp_keepalives_idle: "30",
  tcp_keepalives_interval: "10",
  tcp_keepalives_count: "3",
  jit: "off",
  plan_cache_mode: "force_generic_plan",
  max_parallel_workers_per_gather: "0",
};

/** Settings that this server's version does not have are left out. */
const settle = `select pg_catalog.count(pg_catalog.set_config(s.name, s.value, false)) from unnest($1::text[], $2::text[]) s(name, value)
  where exists (select from pg_catalog.pg_settings p where pg_catalog.lower(p.name) = pg_catalog.lower(s.name))`;

const endLimitMs = 1_000;

export interface OwnSessionOptions {
  readonly applicationName: string;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/** A UserError where it cannot be had, also where a pooler stands between. */
export async function ownSession(
  address: Address,
  { applicationName, timeoutMs = 10_000 }: OwnSessionOptions,
): Promise<OwnSession> {
  const client = await connect(address, { applicationName, timeoutMs });
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  const ask: OwnSession["ask"] = async <Row extends object>(
    text: string,
    values: readonly unknown[],
    limitMs: number,
    name?: string,
  ) => {
    const query = { text, values: [...values], ...(name === undefined ? {} : { name }) };
    const { rows } = await within(client, client.query<Row>(query), limitMs);
    return rows;
  };
  try {
    const [answer] = await ask<{ pid: number }>("select pg_catalog.pg_backend_pid() as pid", [], timeoutMs);
    const pid = answer?.pid ?? 0;
    // Before anything is set: in a pooler's process it would stay, for whoever gets that next.
    if (announcedPid(client) !== pid) throw pooled(address);
    await ask(settle, [Object.keys(settings), Object.values(settings)], timeoutMs);
    return {
      pid,
      localPort: localPort(client),
      ended,
      ask,
      [Symbol.asyncDispose]: () => close(client),
    };
  } catch (error) {
    await close(client);
    throw error;
  }
}

function pooled({ name, host, port, database }: Address): UserError {
  return new UserError({
    what: "There is a connection pooler between here and the database.",
    where: `${name}: ${host}:${port}/${database}`,
    seen: "The server process that answers is not the one that the connection was made to.",
    why: "A lock would belong to whoever the pooler gives the same server process to.",
    do: `Put the server's own address into ${name}, not the pooler's.`,
  });
}

/** BackendKeyData, which pg keeps and its types do not name. */
export function announcedPid(client: Client): number | undefined {
  return (client as unknown as { processID: number | null }).processID ?? undefined;
}

/** Of the TCP connection on this side; undefined for a Unix socket. */
export function localPort(client: Client): number | undefined {
  return streamOf(client).localPort;
}

/** A network that drops everything answers no end, either. */
export async function close(client: Client): Promise<void> {
  await within(client, client.end(), endLimitMs).catch(() => undefined);
}

/** A limit was reached before there was an answer. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The work of a connection; rejects with NoAnswer after `limitMs`, and gives the connection up. */
export async function within<T>(client: Client, work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NoAnswer(`no answer within ${limitMs} ms`));
      streamOf(client).destroy();
    }, limitMs);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function streamOf(client: Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}
