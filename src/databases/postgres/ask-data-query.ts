import type { Client } from "pg";
import type { DataQuery } from "../../model/rows";
import { type Address, connect } from "./connection";
import { close, within } from "./own-session";

/** What a database says to one query. None of its values is in it. */
export type DataAnswer =
  | { readonly query: DataQuery; readonly answer: "safe" }
  /**
   * `rows`: how many there are, up to 20; of what is lost, all. undefined where a value made the server give up, with
   * the SQLSTATE that the statement itself would end with.
   */
  | {
      readonly query: DataQuery;
      readonly answer: "fails";
      readonly rows: number | undefined;
      readonly sqlstate: string | undefined;
    }
  | { readonly query: DataQuery; readonly answer: "unknown"; readonly reason: string };

export interface AskOptions {
  /** For each query. Default 5 s. */
  readonly statementTimeoutMs?: number;
  /** For all of them: as long as the transaction is open, the server keeps what others delete. Default 60 s. */
  readonly totalMs?: number;
}

/**
 * Asks a database, production for one, what its rows mean to statements that have not run there yet: one transaction that
 * cannot write, a limit on each query, and no functions that could do more than look. A query that the database cannot
 * answer leaves the others as they are. The role needs SELECT. A UserError where the database cannot be reached.
 */
export async function askDataQueries(
  address: Address,
  queries: readonly DataQuery[],
  { statementTimeoutMs = 5_000, totalMs = 60_000 }: AskOptions = {},
): Promise<readonly DataAnswer[]> {
  if (queries.length === 0) return [];
  const client = await connect(address);
  const limitMs = statementTimeoutMs + 5_000;
  const run = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    within(client, extended<Row>(client, text, values), limitMs);
  try {
    await run("begin isolation level repeatable read read only");
    await run(settle, [
      Object.keys(settings(statementTimeoutMs)),
      Object.values(settings(statementTimeoutMs)),
    ]);
    const acting = await run<{ name: string }>(actingFunctions, [
      queries.flatMap(({ functions }) => functions),
    ]);
    const names = new Set(acting.map(({ name }) => name));
    const answers: DataAnswer[] = [];
    const end = Date.now() + totalMs;
    for (const query of queries) {
      const isLate = Date.now() >= end;
      const reason = `the ${totalMs / 1000} s for all questions were over`;
      answers.push(
        isLate ? { query, answer: "unknown", reason } : await ask(query, names, run, statementTimeoutMs),
      );
    }
    return answers;
  } finally {
    // Nothing is to be kept; a connection that ends rolls back.
    await close(client);
  }
}

type Run = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

/** With the extended protocol, which takes one statement at a time: no text can end the transaction and go on. */
async function extended<Row extends object>(client: Client, text: string, values: unknown[]): Promise<Row[]> {
  const query = { text, values, queryMode: "extended" };
  const { rows } = await client.query<Row>(query);
  return rows;
}

/** Row security that hides rows makes the query fail (42501), or else it would seem safe. */
function settings(statementTimeoutMs: number): Readonly<Record<string, string>> {
  return {
    default_transaction_read_only: "on",
    statement_timeout: `${statementTimeoutMs}ms`,
    lock_timeout: "1s",
    idle_in_transaction_session_timeout: "60s",
    row_security: "off",
    DateStyle: "ISO, YMD",
    jit: "off",
    max_parallel_workers_per_gather: "0",
  };
}

const settle = `select pg_catalog.count(pg_catalog.set_config(s.name, s.value, true)) from unnest($1::text[], $2::text[]) s(name, value)`;

/** Functions that may do more than look: end sessions, sleep, take locks, write by another connection. */
const actingFunctions = `select distinct p.proname::text as name from pg_catalog.pg_proc p
  where p.proname = any ($1::text[]) and p.provolatile = 'v'`;

async function ask(
  query: DataQuery,
  acting: ReadonlySet<string>,
  run: Run,
  statementTimeoutMs: number,
): Promise<DataAnswer> {
  const called = query.functions.find((name) => acting.has(name));
  if (called !== undefined) {
    return {
      query,
      answer: "unknown",
      reason: `it calls the function ${called}, which may do more than look`,
    };
  }
  // Of production's values only their number comes here.
  const counted = query.effect === "loses" ? "coalesce(sum(lost), 0)::float8" : "count(*)::float8";
  try {
    await run("savepoint query");
    const [row] = await run<{ rows: number }>(`select ${counted} as rows from (${query.sql}) as found`);
    const rows = row?.rows ?? 0;
    if (rows === 0) return { query, answer: "safe" };
    return { query, answer: "fails", rows, sqlstate: query.sqlstate };
  } catch (error) {
    const sqlstate = sqlstateOf(error);
    // A value that the expression, the cast or its domain does not take: the statement would meet it, too.
    const isData = sqlstate !== undefined && /^2[23]/.test(sqlstate);
    const answer: DataAnswer =
      isData && query.effect !== "loses"
        ? { query, answer: "fails", rows: undefined, sqlstate }
        : { query, answer: "unknown", reason: reasonOf(error, sqlstate, statementTimeoutMs) };
    await run("rollback to savepoint query").catch(() => undefined);
    return answer;
  }
}

function sqlstateOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The server's own words only where they hold names and no values. */
function reasonOf(error: unknown, sqlstate: string | undefined, statementTimeoutMs: number): string {
  const message = error instanceof Error ? error.message : String(error);
  switch (sqlstate) {
    case undefined:
      return "the connection was lost or gave no answer";
    case "57014":
      return `it took longer than ${statementTimeoutMs / 1000} s`;
    case "55P03":
      return "a lock on a table that it reads was not free within 1 s";
    case "42P01":
    case "42703":
    case "42704":
    case "42883":
    case "3F000":
      return `${message} there: the change makes it, or the role's search_path is another`;
    case "42501":
      return `the role may not read it: ${message}`;
    default:
      return sqlstate.startsWith("42") ? `${message} (${sqlstate})` : `the server refused it (${sqlstate})`;
  }
}
