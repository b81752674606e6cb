import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testServer } from "../support/database";
import { RawClient } from "./raw-client";
import { type Recorded, record } from "./recorded";

let server: TestServer;
let database: ShadowDatabase;
let recorded: Recorded;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  database = await server.database();
  recorded = await record(database.address);
});
afterEach(async () => {
  await recorded[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function boundaries() {
  await recorded.recorder.idle(5_000);
  return recorded.recorder.takeRecording().boundaries;
}

async function run(...statements: string[]): Promise<void> {
  const client = await recorded.client();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

test.each<[string, string | undefined, string]>([
  ["alembic_version", undefined, "alembic_version"],
  ["another name", undefined, "schema_history"],
  ["a schema", "ledger", "ledger.alembic_version"],
  ["quoted names", "Le dger", '"Le dger"."Ver sion"'],
])("the version table: %s", async (_, schema, table) => {
  const [name] = /"[^.]*"$|[^.]+$/.exec(table)!;
  const unquoted = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
  const column = `${name}.version_num`;
  await run(
    ...(schema === undefined ? [] : [`create schema "${schema}"`]),
    "begin",
    "create table before(a int)",
    `CREATE TABLE ${table} (version_num VARCHAR(32) NOT NULL, CONSTRAINT pkc PRIMARY KEY (version_num))`,
    "create table one(a int)",
    `INSERT INTO ${table} (version_num) VALUES ('a1') RETURNING ${column}`,
    "create table two(a int)",
    `UPDATE ${table} SET version_num='b2' WHERE ${column} = 'a1'`,
    "commit",
    `DELETE FROM ${table} WHERE ${column} = 'b2'`,
  );
  const found = await boundaries();
  expect(
    found.map(({ heads, created, writes, outcome, failure }) => [heads, created, writes, outcome, failure]),
  ).toEqual([
    [[], true, 0, "committed", undefined],
    [["a1"], false, 1, "committed", undefined],
    [["b2"], false, 1, "committed", undefined],
    [[], false, 1, "committed", undefined],
  ]);
  const tables = found.map(({ changes }) =>
    changes.map(({ key }) => key).filter((key) => key.startsWith("table ")),
  );
  expect(tables).toEqual([["table public.before"], ["table public.one"], ["table public.two"], []]);
  expect(recorded.recorder.versionTable).toEqual({ schema, table: unquoted });
});

test("a merge is two writes and two boundaries; a write that changes nothing is one as well", async () => {
  await run(
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "INSERT INTO alembic_version (version_num) VALUES ('left')",
    "INSERT INTO alembic_version (version_num) VALUES ('right')",
    "begin",
    "DELETE FROM alembic_version WHERE alembic_version.version_num = 'left'",
    "UPDATE alembic_version SET version_num='merged' WHERE alembic_version.version_num = 'right'",
    "UPDATE alembic_version SET version_num='x' WHERE alembic_version.version_num = 'nobody'",
    "commit",
  );
  expect((await boundaries()).map(({ heads, writes }) => [heads, writes])).toEqual([
    [[], 0],
    [["left"], 1],
    [["left", "right"], 1],
    [["right"], 1],
    [["merged"], 1],
    [["merged"], 1],
  ]);
});

test("an offline script in one message hides what is between its writes, and says how many there were", async () => {
  await run(`BEGIN;
    CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
    CREATE TABLE a (id int);
    INSERT INTO alembic_version (version_num) VALUES ('a1');
    CREATE TABLE b (id int);
    UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1';
    COMMIT;`);
  expect(await boundaries()).toMatchObject([
    { heads: ["b2"], created: true, writes: 2, outcome: "committed", failure: undefined },
  ]);
});

test("a message that takes its writes back", async () => {
  await run(
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "create table kept(a int)",
    "begin; create table lost(a int); INSERT INTO alembic_version (version_num) VALUES ('a1'); rollback",
    "INSERT INTO alembic_version (version_num) VALUES ('b2')",
  );
  const found = await boundaries();
  expect(found.map(({ heads, outcome }) => [heads, outcome])).toEqual([
    [[], "committed"],
    [[], "committed"],
    [["b2"], "committed"],
  ]);
  expect(
    found.flatMap(({ changes }) => changes.map(({ key }) => key)).filter((key) => key.startsWith("table")),
  ).toEqual(["table public.kept"]);
});

test("writes that are no usual ones, once the table is known", async () => {
  await run(
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "do $$ begin insert into alembic_version values ('by do'); end $$",
    "truncate alembic_version",
    "with w as (insert into alembic_version values ('by cte') returning 1) select * from w",
    "select version_num from alembic_version",
    "comment on table alembic_version is 'x'",
  );
  expect((await boundaries()).map(({ heads }) => heads)).toEqual([[], ["by do"], [], ["by cte"]]);
});

test("the table is renamed or dropped behind the write: a boundary with a failure, and nothing is lost", async () => {
  await run(
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "begin",
    "create table a(id int)",
    "INSERT INTO alembic_version (version_num) VALUES ('a1'); ALTER TABLE alembic_version RENAME TO elsewhere",
    "create table b(id int)",
    "ALTER TABLE elsewhere RENAME TO alembic_version",
    "UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1'",
    "commit",
    "begin; DELETE FROM alembic_version WHERE version_num = 'b2'; alter table alembic_version rename to gone",
    "commit",
  );
  const found = await boundaries();
  const relation = (failure: string | undefined) => failure?.replace(/.*(42P01).*/, "$1");
  expect(found.map(({ heads, failure, outcome }) => [heads, relation(failure), outcome])).toEqual([
    [[], undefined, "committed"],
    [[], "42P01", "committed"],
    // The rename back is a write as well.
    [["a1"], undefined, "committed"],
    [["b2"], undefined, "committed"],
    [[], "42P01", "committed"],
  ]);
  const observer = await recorded.observer();
  const { rows } = await observer.query(
    "select to_regclass('a') is not null as a, to_regclass('b') is not null as b",
  );
  expect(rows).toEqual([{ a: true, b: true }]);
});

test("the table is dropped with the last revision", async () => {
  await run(
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "INSERT INTO alembic_version (version_num) VALUES ('a1')",
    "DROP TABLE alembic_version",
  );
  expect((await boundaries()).map(({ heads, failure }) => [heads, failure])).toEqual([
    [[], undefined],
    [["a1"], undefined],
    [[], undefined],
  ]);
});

test("a lock on what the inspection reads ends it with a failure and leaves the transaction alone", async () => {
  const other = await recorded.observer();
  await other.query("create table base(a int); create view seen as select a from base");
  await other.query("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)");
  const client = await recorded.client();
  await client.query("begin; create table own(a int)");
  await other.query("begin; lock table base in access exclusive mode");
  const waiting = client.query("INSERT INTO alembic_version (version_num) VALUES ('a1')");
  const released = new Promise((resolve) => setTimeout(resolve, 6_000)).then(() => other.query("rollback"));
  await waiting;
  await client.query("commit");
  await client.end();
  await released;
  const [found] = await boundaries();
  // The second try finds the lock released.
  expect(found).toMatchObject({ heads: ["a1"], failure: undefined, outcome: "committed" });
  expect(found!.milliseconds).toBeGreaterThan(4_000);
});

test("a session that is ended while it is inspected has told its client what its statement did", async () => {
  const other = await recorded.observer();
  await other.query("create table base(a int); create view seen as select a from base");
  await other.query("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)");
  await other.query("begin; lock table base in access exclusive mode");
  const client = await RawClient.open(recorded.address);
  await client.query("begin");
  const answers = client.query("INSERT INTO alembic_version (version_num) VALUES ('a1')");
  const third = await recorded.observer();
  await expect
    .poll(
      async () => {
        const ended = "select pg_terminate_backend(pid) from pg_locks where not granted";
        return (await third.query(ended)).rowCount;
      },
      { timeout: 30_000 },
    )
    .toBe(1);
  expect(await answers).toBe("C:INSERT 0 1 E:57P01 end");
  await other.query("rollback");
});

test("a recording holds what belongs to it, and statements keep their numbers", async () => {
  await run("select 1");
  await recorded.recorder.idle(5_000);
  const first = recorded.recorder.takeRecording();
  await run("select 2");
  await recorded.recorder.idle(5_000);
  const second = recorded.recorder.takeRecording();
  const own = (sql: string) => /^select \d$/.test(sql);
  expect(first.statements.map(({ sql }) => sql).filter(own)).toEqual(["select 1"]);
  expect(second.statements.map(({ sql }) => sql).filter(own)).toEqual(["select 2"]);
  expect(second.statements[0]!.sequence).toBeGreaterThan(first.statements.at(-1)!.sequence);
  expect(recorded.recorder.takeRecording()).toEqual({
    statements: [],
    boundaries: [],
    copied: new Map(),
    connections: 0,
    failures: [],
  });
});
