import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadModule } from "libpg-query";
import { serialize } from "pg-protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RecordedStatement } from "../../src/model/statement";
import { emptyRecording, type Recording } from "../../src/recorder/recording";
import { Replay } from "../../src/recorder/replay";
import { type TestServer, testClient, testServer } from "../support/database";
import { python } from "./python";
import { RawClient, run } from "./raw-client";
import { protocol, record } from "./recorded";

let server: TestServer;
beforeAll(async () => {
  await loadModule();
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let sequence = 0;
function statement(sql: string, change: Partial<RecordedStatement> = {}): RecordedStatement {
  sequence += 1;
  return {
    sequence,
    connection: 1,
    transaction: 1,
    protocol: "simple",
    sql,
    values: [],
    valueTypes: [],
    autocommit: false,
    milliseconds: 1,
    rows: undefined,
    error: undefined,
    ...change,
  };
}

const schema = `
  create table users(id int primary key, email varchar(50), age int, note text);
  create table orders(id int, user_id int, total numeric);
  insert into users select i, 'u' || i, i from generate_series(1, 100) i;
  create view adults as select id from users where age > 17;
  create type mood as enum ('ok');
`;

/** Locks as `relation mode`, rewrites, and what went wrong, of each statement after the schema. */
async function replayed(
  statements: readonly RecordedStatement[],
  recording: Recording = emptyRecording(),
  before = schema,
) {
  await using database = await server.database("replay");
  await using setup = await testClient(database.address);
  await setup.client.query(before);
  await using replay = await Replay.open(database.address, protocol);
  const steps = await replay.run(
    statements.map((one) => ({ statement: one, recording })),
    true,
  );
  return steps.map(({ sql, locks, rewrites, replay: why }) => ({
    sql,
    locks: locks?.map(({ relation, mode }) => `${relation} ${mode.replace(/Lock$/, "")}`),
    rewrites,
    why,
  }));
}

test.each<[string, string[], string[]]>([
  ["alter table users add a int", ["users AccessExclusive"], []],
  ["alter table users add a int default 5 not null", ["users AccessExclusive"], []],
  ["alter table users add a float default random()", ["users AccessExclusive", "users Share"], ["users"]],
  ["alter table orders alter id type bigint", ["orders AccessExclusive", "orders Share"], ["orders"]],
  ["alter table users alter note type varchar", ["users AccessExclusive"], []],
  ["alter table users alter email set not null", ["users AccessExclusive"], []],
  ["create index on users(email)", ["users Share"], []],
  ["create index concurrently ix on users(email)", ["users ShareUpdateExclusive"], []],
  [
    "alter table orders add constraint fk foreign key (user_id) references users(id)",
    [
      "orders AccessShare",
      "orders ShareRowExclusive",
      "users AccessShare",
      "users RowShare",
      "users ShareRowExclusive",
    ],
    [],
  ],
  [
    "alter table orders add constraint fk foreign key (user_id) references users(id) not valid",
    ["orders AccessShare", "orders ShareRowExclusive", "users AccessShare", "users ShareRowExclusive"],
    [],
  ],
  ["alter table users drop note", ["users AccessExclusive"], []],
  ["drop table orders", ["orders AccessExclusive"], []],
  ["drop view adults", ["adults AccessExclusive"], []],
  ["alter table users rename email to mail", ["users AccessExclusive"], []],
  ["alter table users rename to people", ["people AccessExclusive"], []],
  ["insert into orders values (1, 1, 1)", ["orders RowExclusive"], []],
  ["update users set age = 1", ["users RowExclusive"], []],
  ["select count(*) from adults", ["adults AccessShare", "users AccessShare"], []],
  ["truncate orders", ["orders AccessExclusive", "orders Share"], ["orders"]],
  ["create table new(a int references users)", ["users AccessShare", "users ShareRowExclusive"], []],
  ["comment on table users is 'x'", ["users ShareUpdateExclusive"], []],
  ["alter type mood add value 'bad'", [], []],
  ["vacuum users", ["users ShareUpdateExclusive"], []],
  ["do $$ begin alter table users add z int; end $$", ["users AccessExclusive"], []],
  ["do $$ begin alter table users add z int; commit; end $$", ["users AccessExclusive"], []],
])("%s", async (sql, locks, rewrites) => {
  expect(await replayed([statement(sql)])).toEqual([{ sql, locks, rewrites, why: undefined }]);
});

test("VALIDATE takes a weak lock, and a rewrite is told of its own statement only", async () => {
  const fk = "alter table orders add constraint fk foreign key (user_id) references users(id)";
  const all = await replayed([
    statement(`${fk} not valid`),
    statement("alter table orders validate constraint fk"),
    statement("alter table users alter id type bigint"),
    statement("alter table users add c int"),
  ]);
  expect(all.map(({ locks, rewrites }) => [locks, rewrites])).toEqual([
    [["orders AccessShare", "orders ShareRowExclusive", "users AccessShare", "users ShareRowExclusive"], []],
    [["orders AccessShare", "orders ShareUpdateExclusive", "users AccessShare", "users RowShare"], []],
    [undefined, undefined],
    [["users AccessExclusive"], []],
  ]);
  expect(all[2]!.why).toBe(
    "it failed when it ran alone: cannot alter type of a column used by a view or rule",
  );
});

test("locks of CREATE and DROP INDEX CONCURRENTLY are seen every time, also on an empty table", async () => {
  const statements = Array.from({ length: 10 }, (_, index) => [
    statement(`create index concurrently ix${index} on orders(id)`),
    statement(`drop index concurrently ix${index}`),
  ]).flat();
  const all = await replayed(statements);
  expect(all.map(({ locks, why }) => [locks, why])).toEqual(
    statements.map(() => [["orders ShareUpdateExclusive"], undefined]),
  );
});

test("several statements of one message are told one by one, without its BEGIN and COMMIT", async () => {
  const all = await replayed([
    statement("begin"),
    statement(
      "begin; alter table users add é1 int; /* ; */ insert into orders values (2, 'ü;'::text::int, 3); commit;",
    ),
    statement("begin; set local lock_timeout = '1s'; drop table orders; commit"),
    statement("select set_config('x.y', 'z', false)"),
    statement("UPDATE alembic_version SET version_num='b' WHERE version_num='a'"),
    statement("select 1/0", {
      error: {
        severity: "ERROR",
        sqlstate: "22012",
        message: "",
        detail: undefined,
        hint: undefined,
        context: undefined,
        position: undefined,
      },
    }),
    statement("commit"),
  ]);
  expect(all.map(({ sql, why }) => [sql, why])).toEqual([
    ["alter table users add é1 int", undefined],
    [
      "insert into orders values (2, 'ü;'::text::int, 3)",
      'it failed when it ran alone: invalid input syntax for type integer: "ü;"',
    ],
    ["set session lock_timeout = '1s'", undefined],
    ["drop table orders", undefined],
  ]);
});

test("what the client set stays set, also a SET LOCAL", async () => {
  const all = await replayed([
    statement("create schema tenant; create table tenant.t(a int)"),
    statement("set local search_path = tenant"),
    statement("alter table t add b int"),
  ]);
  expect(all.at(-1)).toMatchObject({ why: undefined, sql: "alter table t add b int" });
});

test("COPY with its data, without it, and values that were cut", async () => {
  const recording = emptyRecording();
  const good = statement("copy orders from stdin");
  const extended = statement("copy orders from stdin", { protocol: "extended" });
  const tooBig = statement("copy orders from stdin");
  const out = statement("copy (select * from users) to stdout");
  recording.copied.set(good.sequence, Buffer.from("1\t1\t1\n2\t2\t2\n"));
  recording.copied.set(extended.sequence, Buffer.from("3\t1\t1\n"));
  recording.copied.set(tooBig.sequence, undefined);
  const lost = statement("copy orders from stdin");
  const cut = statement("insert into orders values ($1)", {
    protocol: "extended",
    values: [{ hex: "00", cut: true }],
  });
  const count = statement(
    "do $$ begin if (select count(*) from orders) <> 3 then raise 'no'; end if; end $$",
  );
  const all = await replayed([good, extended, tooBig, out, lost, cut, count], recording);
  expect(all.map(({ why }) => why)).toEqual([
    undefined,
    undefined,
    "its values were too large to keep",
    undefined,
    expect.stringContaining("COPY from stdin failed"),
    "its values were too large to keep",
    undefined,
  ]);
  expect(all[0]!.locks).toEqual(["orders RowExclusive"]);
});

test("what asyncpg, psycopg and psycopg2 ran, with binary values, runs again the same", async () => {
  await using database = await server.database("recorded");
  await using setup = await testClient(database.address);
  await setup.client.query(
    "create table kinds(i int, b bigint, t text, d date, u uuid, a int[], j jsonb, y bytea, n numeric, f float8)",
  );
  await using gate = await record(database.address);
  const script = await readFile(join(import.meta.dirname, "values.py"), "utf8");
  await python(script, gate.address);
  const raw = await RawClient.open(gate.address);
  await raw.extended(run("insert into kinds(i, t) values ($1, $2)", { values: ["7", "é"] }));
  await raw.extended(
    serialize.parse({ text: "insert into kinds(y) values ($1)", types: [17] }),
    serialize.bind({ values: [Buffer.from([0, 1, 255])] }),
    serialize.execute({}),
  );
  await raw.end();
  await gate.recorder.idle(5_000);
  const recording = gate.recorder.takeRecording();
  const contents = "select * from kinds order by i, b, t, y, n";
  const expected = (await setup.client.query(contents)).rows;
  expect(expected.length).toBeGreaterThan(8);

  await using second = await server.database("replayed");
  await using check = await testClient(second.address);
  await check.client.query(
    "create table kinds(i int, b bigint, t text, d date, u uuid, a int[], j jsonb, y bytea, n numeric, f float8)",
  );
  await using replay = await Replay.open(second.address, protocol);
  const steps = await replay.run(
    recording.statements.map((one) => ({ statement: one, recording })),
    true,
  );
  expect(steps.filter(({ replay: why }) => why !== undefined)).toEqual([]);
  expect((await check.client.query(contents)).rows).toEqual(expected);
  for (const { locks } of steps.filter(({ sql }) => /^(insert|copy)/i.test(sql))) {
    expect(locks).toEqual([{ relation: "kinds", mode: "RowExclusiveLock" }]);
  }
});
