import type { Client } from "pg";

/** One INSERT or one question may take this long; a trigger that never ends is stopped by it. */
const statementLimitMs = 3_000;
/** Nothing of a user's runs while the catalog is read; thousands of tables take their time. */
const catalogLimitMs = 60_000;

/**
 * Values are printed and read one way, waits end, deferred constraints are looked at at once. search_path stays what it
 * is: triggers and functions in CHECKs rely on it.
 */
const settings: Readonly<Record<string, string>> = {
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  bytea_output: "hex",
  extra_float_digits: "1",
  xmlbinary: "base64",
  standard_conforming_strings: "on",
  statement_timeout: String(statementLimitMs),
  lock_timeout: "2s",
  idle_in_transaction_session_timeout: "0",
  jit: "off",
  max_parallel_workers_per_gather: "0",
  client_min_messages: "error",
};

const setAll = Object.entries(settings)
  .map(([name, value]) => `set local ${name} = '${value}'`)
  .join("; ");

/**
 * Does the work in one transaction of the client's session, whose settings end with it: all of the rows stay, or after
 * an error none.
 */
export async function inOwnTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query(`begin; ${setAll}; set constraints all immediate`);
  try {
    const result = await work();
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

/** Reads the catalog where only pg_catalog is searched, so that the server prints every other name qualified. */
export async function withQualifiedNames<T>(client: Client, work: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ path: string }>(
    `select pg_catalog.current_setting('search_path') as path, pg_catalog.set_config('search_path', 'pg_catalog', true),
       pg_catalog.set_config('statement_timeout', '${catalogLimitMs}', true)`,
  );
  const result = await work();
  await client.query(
    `select pg_catalog.set_config('search_path', $1, true), pg_catalog.set_config('statement_timeout', '${statementLimitMs}', true)`,
    [rows[0]!.path],
  );
  return result;
}
