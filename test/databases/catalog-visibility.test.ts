import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { CatalogTracker } from "../../src/databases/postgres/catalog/tracker";
import { inside, within } from "./inside";
import { startServer, type TestServer } from "./server";

let server: TestServer;
let database = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => server[Symbol.asyncDispose]());

/** Steps `<session>: <statement>`, or `read`; after each read the tracked catalog is what that session sees. */
interface Visibility {
  readonly name: string;
  readonly steps: readonly string[];
}

const fill = (percent: number) => `alter table t set (fillfactor = ${percent})`;
const repeated = (times: number, ...steps: readonly string[]) =>
  Array.from({ length: times }, () => steps).flat();

const visibilities: readonly Visibility[] = [
  {
    name: "an uncommitted change is not seen by another session, and then by its own again",
    steps: ["a: begin", `a: ${fill(50)}`, "a: read", "b: read", "a: read", "a: commit", "b: read"],
  },
  {
    name: "an uncommitted change in a transaction that is not the newest",
    steps: ["a: begin", `a: ${fill(50)}`, "b: create table n ()", "a: read", "b: read", "a: read"],
  },
  {
    name: "a rolled back transaction",
    steps: ["a: begin", `a: ${fill(50)}`, "a: read", "a: rollback", "a: read"],
  },
  {
    name: "a savepoint that changed a row",
    steps: ["a: begin", "a: savepoint s", `a: ${fill(50)}`, "a: read", "a: rollback to s", "a: read"],
  },
  {
    name: "a released savepoint within one that is rolled back",
    steps: [
      ...["a: begin", "a: savepoint s", "a: savepoint deep", `a: ${fill(50)}`, "a: release deep", "a: read"],
      ...["a: rollback to s", "a: read"],
    ],
  },
  {
    name: "a savepoint that only deleted rows",
    steps: ["a: begin", "a: savepoint s", "a: drop index i", "a: read", "a: rollback to s", "a: read"],
  },
  {
    name: "a row that was written, and then again in a savepoint that was rolled back before the read",
    steps: [
      ...["a: begin", "a: create table n ()", ...repeated(20, "a: comment on table n is 'x'"), "a: read"],
      ...[`a: ${fill(50)}`, "a: savepoint s", `a: ${fill(60)}`, "a: rollback to s", "a: read"],
    ],
  },
  {
    name: "more combined command ids than commands",
    steps: [
      ...[
        "a: begin",
        ...repeated(20, "a: create table pg_temp.x (); alter table x rename to y; drop table y"),
      ],
      ...["a: comment on table t is 't'", "a: comment on index i is 'i'", "a: comment on column t.a is 'a'"],
      ...repeated(
        200,
        "a: savepoint s",
        "a: delete from pg_description where objoid = 't'::regclass",
        "a: rollback to s; release s",
      ),
      ...["a: read", `a: ${fill(50)}`, "a: read"],
    ],
  },
  {
    name: "an older snapshot after a newer one",
    steps: ["c: begin isolation level repeatable read", "c: read", `a: ${fill(50)}`, "a: read", "c: read"],
  },
  {
    name: "an older snapshot that differs by a transaction that was running",
    steps: [
      ...[
        "a: begin",
        `a: ${fill(50)}`,
        "b: create table n ()",
        "c: begin isolation level repeatable read",
        "c: select 1",
      ],
      ...["a: commit", "b: read", "c: read", "c: commit", "c: read"],
    ],
  },
  {
    name: "changes of two sessions that are open at the same time",
    steps: [
      ...[
        "a: begin",
        "b: begin",
        `a: ${fill(50)}`,
        "b: create table n (a int)",
        "a: read",
        "b: commit",
        "a: read",
      ],
      ...["a: alter table t add b int", "a: read", "a: commit", "b: read"],
    ],
  },
];

test.each(visibilities)("what was read stays true: $name", async ({ steps }) => {
  const name = `visibility_${++database}`;
  const first = await server.database(name);
  await first.query("create table t (a int); create index i on t (a); insert into t values (1)");
  const sessions: Record<string, { client: pg.Client; open: boolean }> = {};
  await using _closed = {
    async [Symbol.asyncDispose]() {
      for (const { client } of Object.values(sessions)) await client.end();
    },
  };
  for (const letter of ["a", "b", "c"])
    sessions[letter] = { client: await server.connect(name), open: false };
  const tracker = new CatalogTracker();
  await inside(first, false, () => tracker.read(within(first)));
  for (const step of steps) {
    const session = sessions[step.slice(0, 1)];
    const sql = step.slice(3);
    if (session === undefined) throw new Error(step);
    const { client } = session;
    if (sql === "read") {
      const whole = await inside(client, session.open, async () => {
        await tracker.read(within(client));
        return readCatalog(within(client));
      });
      expect(compareCatalogs(whole, tracker.current), step).toEqual([]);
    } else {
      await client.query(sql);
      if (sql.startsWith("begin")) session.open = true;
      else if (/^(commit|rollback)$/.test(sql)) session.open = false;
    }
  }
});
