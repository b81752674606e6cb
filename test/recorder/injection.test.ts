import { serialize } from "pg-protocol";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { catalogSession } from "../../src/databases/postgres/catalog/session";
import type { Address } from "../../src/databases/postgres/connection";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testClient, testServer } from "../support/database";
import { RawClient, run } from "./raw-client";
import { type Recorded, record } from "./recorded";

let server: TestServer;
let database: ShadowDatabase;
let recorded: Recorded;

beforeAll(async () => {
  server = await testServer();
  await sql(server.address, "create role low login");
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  database = await server.database();
  await sql(
    database.address,
    "create table alembic_version(version_num varchar(32)); insert into alembic_version values ('a'); grant all on alembic_version to low",
  );
  recorded = await record(database.address);
});
afterEach(async () => {
  await recorded[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function sql(address: Address, text: string): Promise<Record<string, unknown>[]> {
  await using connection = await testClient(address);
  return (await connection.client.query(text)).rows;
}

/** The same conversation past the recorder and through it, and what came of it. */
async function both(talk: (client: RawClient) => Promise<string[]>): Promise<string[]> {
  const direct = await RawClient.open(recorded.direct);
  const expected = await talk(direct);
  await direct.end();
  const through = await RawClient.open(recorded.address);
  const got = await talk(through);
  await through.end();
  await recorded.recorder.idle(5_000);
  expect(got).toEqual(expected);
  return got;
}

const boundaries = () =>
  recorded.recorder
    .takeRecording()
    .boundaries.map(({ heads, outcome, writes, failure }) => [heads.join(), outcome, writes, failure]);

const write = (version: string) =>
  `UPDATE alembic_version SET version_num='${version}' WHERE version_num<>'-'`;

/** What the recorder holds to be the catalog is what the server says. */
async function expectCatalogToBeRight(): Promise<void> {
  await using connection = await testClient(recorded.direct);
  const catalog = new Map(await readCatalog(catalogSession(connection.client)));
  for (const key of catalog.keys()) if (key.includes("alembic_version")) catalog.delete(key);
  expect(new Map(recorded.recorder.tracker.current)).toEqual(catalog);
}

test("unnamed statement and portal, a suspended portal and a named one go on after an inspection", async () => {
  const words = await both(async (client) => [
    await client.extended(run("BEGIN")),
    await client.extended(run("select generate_series(1,5)", { rows: 2 })),
    await client.extended(run("select generate_series(10,15)", { name: "n", rows: 2 })),
    await client.extended(run(write("b"), { name: "v" })),
    await client.extended(serialize.execute({ portal: "", rows: 2 })),
    await client.extended(serialize.execute({ portal: "n", rows: 9 })),
    await client.extended(serialize.bind({}), serialize.execute({})),
    await client.extended(run("COMMIT")),
  ]);
  expect(words[4]).toBe("D:3 D:4 s Z:T");
  expect(words[5]).toBe("D:12 D:13 D:14 D:15 C:SELECT 4 Z:T");
  expect(boundaries()).toEqual([["b", "committed", 1, undefined]]);
});

test("a portal that is fetched from piece by piece is one statement", async () => {
  const client = await RawClient.open(recorded.address);
  await client.extended(run("BEGIN"));
  await client.extended(run("select generate_series(1,5)", { rows: 2 }));
  await client.extended(serialize.execute({ portal: "", rows: 2 }));
  await client.extended(serialize.execute({ portal: "", rows: 2 }));
  await client.extended(run("COMMIT"));
  await client.end();
  await recorded.recorder.idle(5_000);
  const { statements } = recorded.recorder.takeRecording();
  expect(statements.map((statement) => statement.sql)).toEqual([
    "BEGIN",
    "select generate_series(1,5)",
    "COMMIT",
  ]);
});

test("four units in one write have a boundary each at its place", async () => {
  const unit = (text: string) => Buffer.concat([run(text), serialize.sync()]);
  await both(async (client) => {
    client.send(
      unit("BEGIN"),
      unit("create table pip(a int)"),
      unit(write("c")),
      unit("alter table pip add b int"),
      unit(write("d")),
      unit("select 42"),
      unit("drop table pip"),
      unit("COMMIT"),
    );
    return [await client.answers(8)];
  });
  const { boundaries: found } = recorded.recorder.takeRecording();
  expect(found.map(({ heads, outcome }) => [heads, outcome])).toEqual([
    [["c"], "committed"],
    [["d"], "committed"],
  ]);
  expect(found[0]!.changes.map(({ key }) => key)).toContain("table public.pip");
  expect(found[0]!.changes.map(({ key }) => key)).not.toContain("column public.pip.b");
  expect(found[1]!.changes.map(({ key }) => key)).toContain("column public.pip.b");
});

test("simple queries in one write, and one with several statements and two writes", async () => {
  const all = `begin; create table m(a int); ${write("d")}; create table n(a int); ${write("e")}; drop table m, n; commit`;
  await both(async (client) => {
    client.send(serialize.query("begin"), serialize.query(write("b")), serialize.query("commit"));
    return [await client.answers(3), await client.query(all)];
  });
  expect(boundaries()).toEqual([
    ["b", "committed", 1, undefined],
    ["e", "committed", 2, undefined],
  ]);
});

test.each(["deallocate all", "discard all"])("%s between and inside transactions", async (statement) => {
  await both(async (client) => [
    await client.query(write("b")),
    await client.query(statement),
    await client.query(write("c")),
    await client.query("begin"),
    await client.query(write("d")),
    await client.query("deallocate all"),
    await client.query(write("e")),
    await client.query("commit"),
    await client.query(
      "select count(*) from pg_prepared_statements where name not like '\\_migration\\_gate%'",
    ),
  ]);
  expect(boundaries().map(([heads, , , failure]) => [heads, failure])).toEqual(
    ["b", "c", "d", "e"].map((version) => [version, undefined]),
  );
});

test("an extended DEALLOCATE ALL in the same pipeline as a write", async () => {
  await both(async (client) => [
    await client.query(write("b")),
    await client.extended(run("deallocate all"), run(write("c"))),
    await client.query(write("d")),
  ]);
  expect(boundaries().map(([heads]) => heads)).toEqual(["b", "c", "d"]);
});

test("statement_timeout of 1 ms, 30 ms and 300 ms", async () => {
  for (const timeout of [1, 30, 300]) {
    const client = await recorded.client({ options: `-c statement_timeout=${timeout} -c lock_timeout=1` });
    // With 1 ms anything may be cancelled, these too; it then has done nothing.
    const surely = async (text: string) => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await client.query(text);
        } catch (error) {
          if (tries === 1_000 || (error as { code?: string }).code !== "57014") throw error;
        }
      }
    };
    let written = 0;
    for (let index = 0; index < 20; index++) {
      await surely("begin");
      try {
        await client.query(write(`t${index}`));
        await client.query("create table if not exists timed(a int)");
        await client.query("drop table timed");
        await client.query("commit");
        written += 1;
      } catch {
        await surely("rollback");
      }
    }
    const { rows } = await surely("show statement_timeout");
    expect(rows).toEqual([{ statement_timeout: `${timeout}ms` }]);
    if (timeout === 300) expect(written).toBeGreaterThan(0);
    const { boundaries: found } = recorded.recorder.takeRecording();
    // The savepoint around an inspection is the client's own statement: a stall of 30 ms may cancel that one.
    const allowed = timeout === 30 ? /could not be restored/ : /never/;
    if (timeout > 1)
      expect(
        found.flatMap(({ failure }) => failure ?? []).filter((failure) => !allowed.test(failure)),
      ).toEqual([]);
  }
});

test("LATIN1 with names and values beyond ASCII", async () => {
  const text = (sql: string) => {
    const body = Buffer.from(`${sql}\0`, "latin1");
    const head = Buffer.alloc(5, "Q");
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  await both(async (client) => {
    const words = [await client.query("set client_encoding='LATIN1'")];
    client.send(text('create table "télé"("prénom" text)'), text(write("é")), text('drop table "télé"'));
    words.push(await client.answers(3), await client.query(write("z")));
    return words;
  });
  const { boundaries: found, statements } = recorded.recorder.takeRecording();
  expect(found.map(({ heads, failure }) => [heads, failure])).toEqual([
    [["é"], undefined],
    [["z"], undefined],
  ]);
  expect(found[0]!.changes.map(({ key }) => key)).toContain('column public."télé"."prénom"');
  expect(statements[1]!.sql).toBe('create table "télé"("prénom" text)');
});

test("SERIALIZABLE, and settings of the transaction stay as they were", async () => {
  const settings =
    "select concat_ws('|', current_setting('search_path'), current_setting('statement_timeout'), current_setting('TimeZone'), current_setting('enable_seqscan'), current_setting('transaction_isolation'), current_setting('DateStyle'))";
  await both(async (client) => [
    await client.query("drop schema if exists tenant cascade"),
    await client.query("create schema tenant; create table tenant.alembic_version(version_num text)"),
    await client.query("begin isolation level serializable"),
    await client.query(
      "set local search_path=tenant; set local timezone='Asia/Tokyo'; set local datestyle='German'",
    ),
    await client.query(
      "insert into alembic_version(version_num) values('w'); update alembic_version set version_num='x' where version_num='w'",
    ),
    await client.query(settings),
    await client.query("commit"),
    await client.query("begin"),
    await client.query("set transaction isolation level repeatable read"),
    await client.query(write("y")),
    await client.query(settings),
    await client.query("commit"),
    await client.query(settings),
    await client.query("drop schema tenant cascade"),
  ]);
  // Each found by the search_path of its moment: tenant's, then public's.
  expect(boundaries()).toEqual([
    ["", "committed", 0, undefined],
    ["x", "committed", 2, undefined],
    ["y", "committed", 1, undefined],
  ]);
});

test("a role with few privileges", async () => {
  await both(async (client) => [
    await client.query("set role low"),
    await client.query("begin"),
    await client.query(write("lo")),
    await client.query("select current_user"),
    await client.query("commit"),
  ]);
  expect(boundaries()).toEqual([["lo", "committed", 1, undefined]]);
});

test("what a savepoint takes back is rolled back, and the rest is not", async () => {
  await both(async (client) => [
    await client.query("begin"),
    await client.query(`create table if not exists kept(a int); ${write("one")}`),
    await client.query('savepoint "a;B"'),
    await client.query("create table lost(a int)"),
    await client.query(write("two")),
    await client.query("alter table lost add b int"),
    await client.query(write("three")),
    await client.query('rollback to savepoint "a;B"'),
    await client.query("create table again(a int); drop table again"),
    await client.query(write("four")),
    await client.query("commit"),
    await client.query("drop table kept"),
  ]);
  expect(boundaries()).toEqual([
    ["one", "committed", 1, undefined],
    ["two", "rolled back", 1, undefined],
    ["three", "rolled back", 1, undefined],
    ["four", "committed", 1, undefined],
  ]);
});

test("released and repeated savepoints, and one in the same message as its write", async () => {
  await both(async (client) => [
    await client.query("begin"),
    await client.query("savepoint a"),
    await client.query(write("one")),
    await client.query("savepoint a; release a"),
    await client.query(write("two")),
    await client.query("/* back */ ROLLBACK TRANSACTION TO SAVEPOINT A"),
    await client.query(`savepoint c; ${write("three")}`),
    await client.query("rollback to c"),
    await client.query("select 1/0"),
    await client.query("rollback to a"),
    await client.query(write("four")),
    await client.query("commit and chain"),
    await client.query(write("five")),
    await client.query("rollback and chain"),
    await client.query(write("six")),
    await client.query("commit"),
  ]);
  expect(boundaries().map(([heads, outcome]) => [heads, outcome])).toEqual([
    ["one", "rolled back"],
    ["two", "rolled back"],
    ["three", "rolled back"],
    ["four", "committed"],
    ["five", "rolled back"],
    ["six", "committed"],
  ]);
  await expectCatalogToBeRight();
});

test("a rollback of two boundaries leaves the catalog as it was", async () => {
  const client = await recorded.client();
  await client.query("create table t(a int)");
  await client.query(write("start"));
  const before = new Map(recorded.recorder.tracker.current);
  await client.query("begin");
  await client.query("alter table t add b int");
  await client.query(write("one"));
  await client.query("alter table t alter b type bigint; create table u(a int)");
  await client.query(write("two"));
  await client.query("rollback");
  expect(new Map(recorded.recorder.tracker.current)).toEqual(before);
  await expectCatalogToBeRight();
  await client.query(write("three"));
  expect(
    recorded.recorder.takeRecording().boundaries.map(({ changes, outcome }) => [changes.length, outcome]),
  ).toEqual([
    [expect.any(Number), "committed"],
    [expect.any(Number), "rolled back"],
    [expect.any(Number), "rolled back"],
    [0, "committed"],
  ]);
});

test("a failed transaction that is committed, and statements behind a failed one", async () => {
  await both(async (client) => [
    await client.query("begin"),
    await client.query(write("lost")),
    await client.query("select 1/0"),
    await client.query(write("never")),
    await client.query("commit"),
    await client.extended(run("select 1"), run("select 1/0"), run(write("skipped"))),
    await client.extended(run("selec"), run("select 2")),
    await client.query(`begin; ${write("done")}; commit; select 1/0`),
  ]);
  const { statements, boundaries: found } = recorded.recorder.takeRecording();
  expect(found.map(({ heads, outcome }) => [heads.join(), outcome])).toEqual([
    ["lost", "rolled back"],
    ["done", "committed"],
  ]);
  expect(statements.map(({ sql: text, error }) => [text.slice(0, 11), error?.sqlstate])).toEqual([
    ["begin", undefined],
    ["UPDATE alem", undefined],
    ["select 1/0", "22012"],
    ["UPDATE alem", "25P02"],
    ["commit", undefined],
    ["select 1", undefined],
    ["select 1/0", "22012"],
    ["selec", "42601"],
    ["begin; UPDA", "22012"],
  ]);
  await expectCatalogToBeRight();
});

test("a COMMIT that fails rolls back", async () => {
  const client = await recorded.client();
  await client.query(
    "create table p(a int primary key); create table c(a int references p deferrable initially deferred)",
  );
  await client.query("begin");
  await client.query("insert into c values (1)");
  await client.query(write("lost"));
  await expect(client.query("commit")).rejects.toThrow("foreign key");
  await client.end();
  await recorded.recorder.idle(5_000);
  expect(boundaries()).toEqual([["lost", "rolled back", 1, undefined]]);
});

test("a transaction and its statements have numbers, also in a pipeline", async () => {
  const client = await RawClient.open(recorded.address);
  await client.extended(
    run("BEGIN"),
    run("create table a1(a int)"),
    run("COMMIT"),
    run("BEGIN"),
    run("select 1"),
  );
  await client.extended(run("drop table a1"));
  await client.query("ROLLBACK");
  await client.extended(run("select 2"), run("select 3"));
  await client.query("select 4");
  await client.end();
  await recorded.recorder.idle(5_000);
  const { statements } = recorded.recorder.takeRecording();
  const first = statements[0]!.transaction;
  expect(statements.map((one) => [one.sql, one.transaction - first, one.autocommit])).toEqual([
    ["BEGIN", 0, true],
    ["create table a1(a int)", 0, false],
    ["COMMIT", 0, false],
    ["BEGIN", 1, true],
    ["select 1", 1, false],
    ["drop table a1", 1, false],
    ["ROLLBACK", 1, false],
    ["select 2", 2, true],
    ["select 3", 2, true],
    ["select 4", 3, true],
  ]);
});

test("100 notifications, during inspections as well, arrive once and in order", async () => {
  const words = await both(async (client) => {
    const told = [await client.query("listen ch")];
    await using other = await testClient(recorded.direct);
    const answers: string[] = [];
    for (let index = 0; index < 100; index++) {
      const notified = other.client.query(`notify ch, '${index}'`);
      answers.push(await client.query(write(`n${index}`)));
      await notified;
    }
    answers.push(await client.query("select 1"));
    return [
      ...told,
      ...answers.flatMap((answer) => answer.split(" ").filter((word) => word.startsWith("A:"))),
    ];
  });
  expect(words).toEqual(["C:LISTEN Z:I", ...Array.from({ length: 100 }, (_, index) => `A:ch/${index}/`)]);
  expect(boundaries()).toHaveLength(100);
});
