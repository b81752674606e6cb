import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { type CatalogSession, catalogSettings } from "../../src/databases/postgres/catalog/session";
import { CatalogTracker } from "../../src/databases/postgres/catalog/tracker";
import { beginning, Choice, templates } from "./random-ddl";
import { startServer, type TestServer } from "./server";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const client = await server.connect("postgres");
  await client.query("create role mg_one; create role mg_two");
});
afterAll(async () => server[Symbol.asyncDispose]());

/** The client's own session, as the recorder asks in it: within a savepoint, or a transaction, that is rolled back. */
function within(client: pg.Client): CatalogSession {
  return {
    async ask(name, text, params) {
      const { rows } = await client.query<[Buffer]>({ name, text, values: [...params], rowMode: "array" });
      return rows[0]?.[0] ?? Buffer.alloc(0);
    },
  };
}

async function inside<T>(client: pg.Client, open: boolean, work: () => Promise<T>): Promise<T> {
  await client.query(open ? "savepoint inside" : "begin");
  await client.query(catalogSettings);
  const result = await work();
  await client.query(open ? "rollback to inside; release inside" : "rollback");
  return result;
}

/** How a statement of the random run is run; most of them plainly, in the transaction if there is one. */
const ways = [
  "plain",
  "plain",
  "plain",
  "savepoint",
  "undone savepoint",
  "block",
  "other session",
  "other reader",
  "commit",
  "rollback",
] as const;

const step = fc.record({
  way: fc.constantFrom(...ways),
  template: fc.nat({ max: templates.length - 1 }),
  numbers: fc.array(fc.nat({ max: 59 }), { minLength: 6, maxLength: 6 }),
});

class Run {
  readonly tracker = new CatalogTracker();
  readonly log: string[] = [];
  constructor(
    readonly client: pg.Client,
    readonly other: pg.Client,
    readonly transaction: boolean,
  ) {}

  async tries(client: pg.Client, sql: string): Promise<boolean> {
    return client.query(sql).then(
      () => true,
      () => false,
    );
  }

  /** Runs it plainly where it will succeed: an error would end the transaction. */
  async plainly(sql: string): Promise<void> {
    if (this.transaction) {
      await this.client.query("savepoint trial");
      const succeeds = await this.tries(this.client, sql);
      await this.client.query("rollback to trial; release trial");
      if (!succeeds) return;
    }
    if (await this.tries(this.client, sql)) this.log.push(sql);
  }

  async step(way: (typeof ways)[number], sql: string): Promise<void> {
    const { client, transaction } = this;
    if (way === "other session" || way === "other reader") {
      if (await this.tries(this.other, sql)) this.log.push(`other: ${sql}`);
      if (way === "other reader") return this.agrees(this.other, false);
    } else if (way === "block") {
      const quoted = sql.replaceAll("'", "''");
      await client.query(`do $$ begin execute '${quoted}'; exception when others then null; end $$`);
      this.log.push(`block: ${sql}`);
    } else if (transaction && (way === "savepoint" || way === "undone savepoint")) {
      await client.query("savepoint around");
      const done = await this.tries(client, sql);
      if (!done) await client.query("rollback to around");
      this.log.push(`${way} (${done}): ${sql}`);
      if (way === "undone savepoint") {
        await this.agrees(client, true);
        await client.query("rollback to around");
      }
      await client.query("release around");
    } else if (transaction && (way === "commit" || way === "rollback")) {
      await this.plainly(sql);
      await this.agrees(client, true);
      this.log.push(way);
      await client.query(way);
      await client.query("begin");
    } else {
      await this.plainly(sql);
    }
    await this.agrees(client, transaction);
  }

  /** The tracker's catalog is a fresh full read, and its changes lead from one to the next. */
  async agrees(client: pg.Client, open: boolean): Promise<void> {
    const before = new Map(this.tracker.current);
    const session = within(client);
    const [reading, whole] = await inside(client, open, async () => [
      await this.tracker.read(session),
      await readCatalog(session),
    ]);
    this.log.push(`  read ${reading.mode}: ${reading.changes.map(({ key }) => key).join(", ")}`);
    const differences = compareCatalogs(whole, this.tracker.current);
    expect(differences, this.log.join("\n")).toEqual([]);
    expect(reading.changes, this.log.join("\n")).toEqual(compareCatalogs(before, this.tracker.current));
    this.modes[reading.mode]++;
  }

  readonly modes = { full: 0, incremental: 0, unchanged: 0 };
}

const runs = Number(process.env.MIGRATION_GATE_TEST_RUNS ?? 6);
let database = 0;

test.each(["one transaction", "autocommit"] as const)(
  "after any statements the tracked catalog is what a full read returns: %s",
  async (mode) => {
    const modes = { full: 0, incremental: 0, unchanged: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 50 }), async (steps) => {
        const name = `random_${++database}`;
        const client = await server.database(name);
        const other = await server.connect(name);
        await client.query(beginning);
        await client.query("set lock_timeout = '20ms'");
        await other.query("set lock_timeout = '20ms'");
        const run = new Run(client, other, mode === "one transaction");
        if (run.transaction) await client.query("begin");
        for (const { way, template, numbers } of steps)
          await run.step(way, templates[template]?.(new Choice(numbers)) ?? "");
        for (const key of ["full", "incremental", "unchanged"] as const) modes[key] += run.modes[key];
        await client.end();
        await other.end();
      }),
      { numRuns: runs, endOnFailure: true },
    );
    expect(modes.incremental).toBeGreaterThan(modes.full);
  },
  600_000,
);
