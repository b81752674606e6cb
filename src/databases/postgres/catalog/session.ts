import type { Client } from "pg";

/**
 * One conversation with one server session. Every statement returns one row with one bytea column, UTF-8 JSON
 * or text, so that the answer does not depend on client_encoding. `name` is a stable id of the statement text:
 * a session may keep it prepared. `params` are in text format. `last`: nothing will be asked after it, so that what ends
 * the conversation can go out together with it.
 */
export interface CatalogSession {
  ask(name: string, sql: string, params: readonly string[], last?: boolean): Promise<Buffer>;
}

/**
 * What a session must be set to while it answers: names are printed qualified and constants alike for every client,
 * user objects cannot shadow the server's own, and each statement is planned once. Rows are looked up by index
 * because a plan that was made while the catalog was small is kept. A view's text waits for locks on its tables:
 * one that another session of the same migration holds would never go, so that wait ends (55P03).
 */
const settings: Readonly<Record<string, string>> = {
  search_path: "pg_catalog, pg_temp",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  bytea_output: "hex",
  extra_float_digits: "1",
  quote_all_identifiers: "off",
  standard_conforming_strings: "on",
  statement_timeout: "0",
  lock_timeout: "5s",
  jit: "off",
  max_parallel_workers_per_gather: "0",
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
};

const setAll = (local: boolean): string =>
  `select ${Object.entries(settings)
    .map(([name, value]) => `pg_catalog.set_config('${name}','${value}',${local})`)
    .join(",")}`;

/** The settings as one SELECT, local to the transaction, for a session that belongs to somebody else. */
export const catalogSettings: string = setAll(true);

/** A session on a connection of our own: its settings are changed for good at the first question. */
export function catalogSession(client: Client): CatalogSession {
  let settled: Promise<unknown> | undefined;
  return {
    async ask(name, text, params) {
      settled ??= client.query(setAll(false));
      await settled;
      const { rows } = await client.query<[Buffer]>({ name, text, values: [...params], rowMode: "array" });
      const answer = rows[0]?.[0];
      if (answer === undefined) throw new Error(`the catalog statement ${name} returned no row`);
      return answer;
    },
  };
}
