import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/databases/postgres/connection";
import { ownSession } from "../../src/databases/postgres/own-session";
import { cancelStatement } from "../../src/databases/postgres/tool-activity";
import { ownServer } from "../recorder/own-server";
import { type TestServer, testClient, testServer } from "../support/database";
import { until } from "../support/until";
import { eventsOf, openTransaction, runTool, watching } from "./watched";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Everything that a name can hold. */
const table = `"we""ird';--
näme"`;

describe.each([
  { driver: "psycopg2", by: "application name", ports: true },
  { driver: "asyncpg", by: "port", ports: true },
  { driver: "asyncpg", by: "locks", ports: false },
] as const)("$driver, recognised by $by", ({ driver, by, ports }) => {
  test("a statement that waits too long for a lock is cancelled, and who it waited for is named", async () => {
    await using database = await server.database();
    await using owner = await testClient(database.address);
    await owner.client.query(`create table public.${table} (id int)`);
    const { watch, events, applicationName } = await watching(database.address, {
      ports,
      lockTimeoutMs: 5_000,
    });
    await using _watch = watch;
    await using blocker = await openTransaction(
      database.address,
      `rep"ort'\n;`,
      `select * from public.${table}`,
    );
    const sql = `alter table public.${table} add column c int`;
    const reader = await connect(database.address, { applicationName: "shop" });
    const tool = runTool(database.address, { driver, sql, applicationName });
    await until(() => eventsOf(events, "waiting").length > 0, "waiting");
    const read = reader.query(`select * from public.${table}`);
    const result = await tool;
    expect(result.output).toMatch(/failed 57014 canceling statement due to user request/);
    await read;
    await reader.end();
    const summary = await watch.stop();

    const pid = Number(/began (\d+)/.exec(result.output)?.[1]);
    expect(summary.sessions).toMatchObject([{ pid, by }]);
    expect(summary.cancelled).toMatchObject([
      {
        pid,
        why: "lock",
        statement: sql,
        lock: { type: "relation", mode: "AccessExclusiveLock", relation: `public.${table}` },
        blockers: [
          {
            pid: blocker.pid,
            user: database.address.user,
            // What is no ASCII before PostgreSQL 16, and since then.
            application: expect.stringMatching(/^rep"ort'(?:\?|\\x0a);$/),
            state: "idle in transaction",
          },
        ],
      },
    ]);
    const [cancelled] = summary.cancelled;
    expect(cancelled!.afterMs).toBeGreaterThan(5_000);
    expect(cancelled!.afterMs).toBeLessThan(25_000);
    expect(cancelled!.blockers[0]?.query).toBe(`select * from public.${table}`);
    expect(summary.behind.count).toBe(1);
    expect(eventsOf(events, "waiting").at(-1)?.behind.sessions).toMatchObject([{ application: "shop" }]);
    expect(summary.statements.map(({ text }) => text)).toContain(sql);
    expect(eventsOf(events, "cancelled")).toEqual(summary.cancelled);
  });

  test("CREATE INDEX CONCURRENTLY waits for as long as a statement may take", async () => {
    await using database = await server.database();
    await using owner = await testClient(database.address);
    await owner.client.query(`create table ${table} (id int)`);
    const { watch, events, applicationName } = await watching(database.address, {
      ports,
      lockTimeoutMs: 300,
    });
    await using _watch = watch;
    await using blocker = await openTransaction(database.address, "shop", `insert into ${table} values (1)`);
    const sql = `/* c */ create index concurrently "i x" on ${table} (id)`;
    const tool = runTool(database.address, { driver, sql, applicationName, autocommit: true });
    await until(
      () => eventsOf(events, "waiting").some(({ waitedMs }) => waitedMs > 1_500),
      "a wait of 1.5 s",
    );
    await blocker.commit();
    expect((await tool).output).toMatch(/done/);
    expect((await watch.stop()).cancelled).toEqual([]);
  });

  test("a statement that takes too long is cancelled, also one that is waiting CONCURRENTLY", async () => {
    await using database = await server.database();
    await using owner = await testClient(database.address);
    await owner.client.query("create table t (id int)");
    const { watch, applicationName } = await watching(database.address, { ports, statementTimeoutMs: 800 });
    await using _watch = watch;
    await using _blocker = await openTransaction(database.address, "shop", "insert into t values (1)");
    const sql = "create index concurrently on t (id)";
    const result = await runTool(database.address, { driver, sql, applicationName, autocommit: true });
    expect(result.output).toMatch(/failed 57014/);
    expect((await watch.stop()).cancelled).toMatchObject([{ why: "statement", statement: sql }]);
  });

  test("sessions of the application are never cancelled, whatever they wait for", async () => {
    await using database = await server.database();
    await using owner = await testClient(database.address);
    await owner.client.query(
      "create table t (id int primary key); insert into t values (1); create table u ()",
    );
    const { watch, events, applicationName } = await watching(database.address, {
      ports,
      lockTimeoutMs: 200,
      statementTimeoutMs: 600,
    });
    await using _watch = watch;
    const holder = await openTransaction(
      database.address,
      "holder",
      "update t set id = 1",
      "lock table u in access exclusive mode",
    );
    // Of the same role, on the same database and machine, begun after the watch.
    const statements = [
      "update t set id = 2",
      "begin; lock table t in share mode; commit",
      "select * from u",
      "truncate u",
      "analyze u",
    ];
    const waiting = statements.map(async (sql) => {
      const client = await connect(database.address, { applicationName: "app" });
      await client.query("create temp table mine (id int)");
      return client.query(sql).finally(() => client.end());
    });
    const sql = "alter table t add column c int";
    const tool = await runTool(database.address, { driver, sql, applicationName });
    expect(tool.output).toMatch(/failed 57014/);
    await sleep(1_500);
    await holder.commit();
    await holder[Symbol.asyncDispose]();
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(
      statements.map(() => "fulfilled"),
    );
    const summary = await watch.stop();
    expect(summary.cancelled).toMatchObject([{ statement: sql }]);
    expect(summary.sessions.length).toBe(1);
    expect(eventsOf(events, "not cancelled")).toEqual([]);
  });
});

test("where the driver takes them, the server's own limits come first", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  await owner.client.query("create table t (id int)");
  const { watch, applicationName } = await watching(database.address, { lockTimeoutMs: 10_000 });
  await using _watch = watch;
  await using _blocker = await openTransaction(database.address, "shop", "select * from t");
  const sql = "alter table t add c int";
  const pgOptions = "-c lock_timeout=3000";
  const result = await runTool(database.address, { driver: "psycopg2", sql, applicationName, pgOptions });
  expect(result.output).toMatch(/failed 55P03/);
  const summary = await watch.stop();
  expect(summary.cancelled).toEqual([]);
  expect(summary.longestWaitMs).toBeGreaterThan(500);
});

test("who waits behind a statement that works is told, too", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  await owner.client.query("create table t (id int)");
  const { watch, events, applicationName } = await watching(database.address, {});
  await using _watch = watch;
  const sql = "lock table t; select pg_sleep(8)";
  const tool = runTool(database.address, { driver: "asyncpg", sql, applicationName });
  const locks =
    "select from pg_locks where granted and mode = 'AccessExclusiveLock' and relation = 't'::regclass";
  await until(async () => (await owner.client.query(locks)).rowCount !== 0, "the tool's lock");
  const read = owner.client.query("select * from t");
  await until(() => eventsOf(events, "blocking").length > 1, "blocking");
  expect(eventsOf(events, "blocking").at(-1)).toMatchObject({ statement: sql, behind: { count: 1 } });
  await tool;
  await read;
  expect((await watch.stop()).behind.oldestMs).toBeGreaterThan(500);
});

test("a watch that is cut off comes back, and keeps the limit", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  await owner.client.query("create table t (id int)");
  const { watch, events, applicationName } = await watching(database.address, { lockTimeoutMs: 8_000 });
  await using _watch = watch;
  await using _blocker = await openTransaction(database.address, "shop", "select * from t");
  const sql = "alter table t add c int";
  const tool = runTool(database.address, { driver: "asyncpg", sql, applicationName });
  await until(() => eventsOf(events, "waiting").length > 0, "waiting");
  const before = watch.pid;
  await owner.client.query("select pg_terminate_backend($1)", [before]);
  expect((await tool).output).toMatch(/failed 57014/);
  const summary = await watch.stop();
  expect(events.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["session", "statement", "waiting", "lost", "back", "cancelled"]),
  );
  expect(summary.sessions.length).toBe(1);
  expect(summary.cancelled.length).toBe(1);
});

test("a watch whose server is gone says that it sees nothing any more, and stops", async () => {
  await using own = await ownServer({});
  const { watch, events } = await watching(own.address, {});
  own.process.kill("SIGQUIT");
  await until(() => eventsOf(events, "lost").length > 0, "lost");
  expect(watch.pid).toBeUndefined();
  const started = performance.now();
  const summary = await watch.stop();
  expect(performance.now() - started).toBeLessThan(25_000);
  expect(summary.sessions).toEqual([]);
});

test("its end does not wait for a server that answers no more", async () => {
  await using database = await server.database();
  const { watch } = await watching(database.address, {});
  const pid = watch.pid!;
  process.kill(pid, "SIGSTOP");
  try {
    await sleep(300);
    const started = performance.now();
    await watch.stop();
    expect(performance.now() - started).toBeLessThan(9_000);
  } finally {
    process.kill(pid, "SIGCONT");
  }
});

test("over a Unix socket there is no port to know a session by: the name, or the locks", async () => {
  await using database = await server.database();
  const socket = server.shadow.socket;
  expect(socket).toBeDefined();
  const address = { ...database.address, host: dirname(socket!) };
  await using owner = await testClient(database.address);
  await owner.client.query("create table t (id int)");
  for (const driver of ["psycopg2", "asyncpg"] as const) {
    const { watch, applicationName } = await watching(address, { lockTimeoutMs: 300 });
    await using _blocker = await openTransaction(address, "shop", "select * from t");
    const sql = "alter table t add c int";
    expect((await runTool(address, { driver, sql, applicationName })).output).toMatch(/failed 57014/);
    const summary = await watch.stop();
    expect(summary.sessions.map(({ by }) => by)).toEqual([
      driver === "psycopg2" ? "application name" : "locks",
    ]);
    expect(summary.cancelled[0]?.blockers).toMatchObject([{ client: "local" }]);
  }
});

test("a statement that has ended meanwhile, or another session with that pid, is never cancelled", async () => {
  await using database = await server.database();
  await using session = await ownSession(database.address, { applicationName: "watch" });
  await using other = await testClient(database.address);
  const { rows } = await other.client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const pid = rows[0]?.pid ?? 0;
  const work = other.client.query("select pg_sleep(2)");
  await sleep(200);
  const [now] = await session.ask<{ started: string; query: string }>(
    "select backend_start::text as started, query_start::text as query from pg_stat_activity where pid = $1",
    [pid],
    5_000,
  );
  const victim = { pid, backendStart: now!.started, queryStart: now!.query, waiting: false };
  const earlier = (time: string) => time.replace(/\.\d+/, ".000001");
  expect(await cancelStatement(session, { ...victim, queryStart: earlier(victim.queryStart) }, 5_000)).toBe(
    false,
  );
  expect(
    await cancelStatement(session, { ...victim, backendStart: earlier(victim.backendStart) }, 5_000),
  ).toBe(false);
  expect(await cancelStatement(session, { ...victim, waiting: true }, 5_000)).toBe(false);
  await work;
  expect(await cancelStatement(session, victim, 5_000)).toBe(false);
  const next = other.client.query("select pg_sleep(60)");
  next.catch(() => undefined);
  let again: { query: string } | undefined;
  await until(async () => {
    [again] = await session.ask<{ query: string }>(
      "select query_start::text as query from pg_stat_activity where pid = $1 and state = 'active' and query like '%sleep(60)%'",
      [pid],
      5_000,
    );
    return again !== undefined;
  }, "the second statement");
  expect(await cancelStatement(session, { ...victim, queryStart: again!.query }, 5_000)).toBe(true);
  await expect(next).rejects.toThrow("canceling statement due to user request");
});

test("a session of another role is told to be out of reach", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  await owner.client.query("create role gate login password 'gate pw'");
  const address = { ...database.address, user: "gate", password: "gate pw" };
  const { watch, events, applicationName } = await watching(address, { lockTimeoutMs: 200 });
  await using _watch = watch;
  const sql = "select pg_sleep(6)";
  await runTool(database.address, { driver: "psycopg2", sql, applicationName });
  const summary = await watch.stop();
  expect(summary.sessions).toMatchObject([{ by: "application name" }]);
  expect(eventsOf(events, "not cancelled")).toMatchObject([
    { reason: "Its role is another one: what it does is hidden from the gate's." },
  ]);
  await owner.client.query("drop role gate");
});

test("what a listener throws is thrown by stop, and the limits are kept all the same", async () => {
  await using database = await server.database();
  const thrown = new Error("listener");
  const { watch, applicationName } = await watching(database.address, {
    statementTimeoutMs: 500,
    onEvent: () => {
      throw thrown;
    },
  });
  const sql = "select pg_sleep(20)";
  const result = await runTool(database.address, { driver: "asyncpg", sql, applicationName });
  expect(result.output).toMatch(/failed 57014/);
  await expect(watch.stop()).rejects.toBe(thrown);
});
