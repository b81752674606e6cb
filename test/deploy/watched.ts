import { join } from "node:path";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { type MigrationWatch, type WatchOptions, watchMigration } from "../../src/deploy/watch";
import type { WatchEvent } from "../../src/deploy/watch-events";
import { commandPorts } from "../../src/executors/families";
import { openReach } from "../../src/executors/isolation";
import { type CommandResult, runCommand } from "../../src/executors/local";
import { pythonBin } from "../support/project";

const scripts = {
  psycopg2: `
import os, psycopg2
connection = psycopg2.connect(host=os.environ["H"], port=os.environ["P"], dbname=os.environ["D"], user=os.environ["U"], password=os.environ["W"])
connection.autocommit = os.environ["AUTOCOMMIT"] == "1"
cursor = connection.cursor()
print("began", connection.info.backend_pid, flush=True)
try:
    cursor.execute(os.environ["SQL"])
    connection.commit()
    print("done")
except psycopg2.Error as error:
    print("failed", error.pgcode, error)
`,
  asyncpg: `
import asyncio, os, asyncpg
async def main():
    connection = await asyncpg.connect(host=os.environ["H"], port=int(os.environ["P"]), database=os.environ["D"], user=os.environ["U"], password=os.environ["W"])
    print("began", connection.get_server_pid(), flush=True)
    try:
        if os.environ["AUTOCOMMIT"] == "1":
            await connection.execute(os.environ["SQL"])
        else:
            async with connection.transaction():
                await connection.execute(os.environ["SQL"])
        print("done")
    except asyncpg.PostgresError as error:
        print("failed", error.sqlstate, error)
asyncio.run(main())
`,
} as const;

export interface ToolOptions {
  readonly driver: keyof typeof scripts;
  readonly sql: string;
  readonly applicationName: string;
  readonly autocommit?: boolean;
  readonly pgOptions?: string;
  readonly onLine?: (line: string) => void;
}

/** One statement by a real driver, as a tool of the gate runs it: begun, done or failed with its SQLSTATE. */
export function runTool(address: Address, options: ToolOptions): Promise<CommandResult> {
  return runCommand({
    argv: [join(pythonBin(), "python"), "-c", scripts[options.driver]],
    cwd: "/",
    env: {
      PATH: process.env.PATH ?? "",
      H: address.host,
      P: String(address.port),
      D: address.database,
      U: address.user,
      W: address.password ?? "",
      SQL: options.sql,
      AUTOCOMMIT: options.autocommit === true ? "1" : "0",
      PGAPPNAME: options.applicationName,
      ...(options.pgOptions === undefined ? {} : { PGOPTIONS: options.pgOptions }),
    },
    timeoutMs: 30_000,
    isolation: openReach("a test"),
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
}

let names = 0;

/** A watch that keeps its events; the tool's processes are looked for where `ports` says so. */
export async function watching(
  address: Address,
  options: Partial<WatchOptions> & { readonly ports?: boolean },
): Promise<{ watch: MigrationWatch; events: WatchEvent[]; applicationName: string }> {
  const events: WatchEvent[] = [];
  const { ports = true, ...rest } = options;
  const applicationName = `migration-gate tool ${process.pid} ${++names}`;
  const watch = await watchMigration({
    address,
    ignorePids: [],
    applicationName,
    lockTimeoutMs: 1_000,
    statementTimeoutMs: 60_000,
    pollMs: 100,
    onEvent: (event) => events.push(event),
    ...(ports ? { toolPorts: () => commandPorts(address.port) } : {}),
    ...rest,
  });
  return { watch, events, applicationName };
}

export function eventsOf<Kind extends WatchEvent["kind"]>(
  events: readonly WatchEvent[],
  kind: Kind,
): Extract<WatchEvent, { kind: Kind }>[] {
  return events.filter((event): event is Extract<WatchEvent, { kind: Kind }> => event.kind === kind);
}

/** A session that keeps a transaction open after these statements; its end is its block's. */
export async function openTransaction(
  address: Address,
  applicationName: string,
  ...statements: readonly string[]
): Promise<
  AsyncDisposable & { readonly pid: number; query(sql: string): Promise<unknown>; commit(): Promise<void> }
> {
  const client = await connect(address, { applicationName });
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  await client.query("begin");
  for (const statement of statements) await client.query(statement);
  return {
    pid: rows[0]?.pid ?? 0,
    query: (sql) => client.query(sql),
    commit: async () => void (await client.query("commit")),
    [Symbol.asyncDispose]: () => client.end(),
  };
}
