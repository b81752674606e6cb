import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import { type GateLock, takeGateLock } from "../../src/deploy/gate-lock";
import { UserError } from "../../src/errors";
import { ownServer } from "../recorder/own-server";
import { temporaryDirectory } from "../shadow/temporary";
import { type TestServer, testClient, testServer } from "../support/database";
import { until } from "../support/until";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

function take(address: Address, name: string, waitMs = 0, said: string[] = []): Promise<GateLock> {
  const onWait = (text: string) => said.push(text);
  return takeGateLock(address, { waitMs, onWait, applicationName: `migration-gate apply ${name}` });
}

async function partsOf(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error(`no UserError: ${String(error)}`);
  return error.parts;
}

test("the second waits, says for whom, and has it as soon as the first is done", async () => {
  await using database = await server.database();
  const first = await take(database.address, "one");
  const said: string[] = [];
  const second = take(database.address, "two", 30_000, said);
  await until(() => said.length > 0, "word of the wait");
  await first.assertHeld();
  await first[Symbol.asyncDispose]();
  const freed = performance.now();
  await using lock = await second;
  expect(performance.now() - freed).toBeLessThan(15_000);
  await lock.assertHeld();
  // Who had it may be gone by the time that it is asked for.
  expect(said.filter((text) => !text.endsWith("it has just ended."))).toHaveLength(1);
  expect(said[0]).toMatch(
    /^Waiting for another run on this database, up to (?:30|2\d(?:\.\d)?) s more: pid \d+, user ".+", application "migration-gate apply one", .*connected since 20\d\d-.*Z\.$/,
  );
  expect(said[0]).toContain(`pid ${first.pid},`);
});

test("the second gives up and names the holder, also one of which its role may not see more", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  await owner.client.query(`create role "o'clock ""x""" login password 'pw of it'`);
  await using first = await take(database.address, "one");
  const parts = await partsOf(take(database.address, "two", 300));
  expect(parts).toMatchObject({
    what: "Another run holds this database and did not end within 300 ms.",
    do: `Run again when it is done. If nothing is behind that session any more: select pg_terminate_backend(${first.pid});`,
  });
  const stranger = { ...database.address, user: `o'clock "x"`, password: "pw of it" };
  expect((await partsOf(take(stranger, "three"))).seen).toBe(
    `pid ${first.pid}, user "${database.address.user}", application "migration-gate apply one", what it does is hidden from this role.`,
  );
  await owner.client.query(`drop role "o'clock ""x"""`);
});

test("another database of the same server is another lock", async () => {
  await using one = await server.database();
  await using two = await server.database();
  await using first = await take(one.address, "one");
  await using second = await take(two.address, "two");
  await first.assertHeld();
  await second.assertHeld();
});

test("neither the holder nor who waits keeps CREATE INDEX CONCURRENTLY from its end", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  await owner.client.query("create table t (id int); insert into t select generate_series(1, 1000)");
  const first = await take(database.address, "one");
  const said: string[] = [];
  const second = take(database.address, "two", 60_000, said);
  await until(() => said.length > 0, "word of the wait");
  await owner.client.query("set statement_timeout = '30s'");
  await owner.client.query("create index concurrently on t (id)");
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
});

test("a holder that is killed frees it at once", async () => {
  await using database = await server.database();
  await using folder = await temporaryDirectory();
  const program = join(folder.path, "holder.cjs");
  const entryPoints = [join(import.meta.dirname, "lock-holder.ts")];
  await build({ entryPoints, bundle: true, platform: "node", outfile: program, external: ["pg-native"] });
  const child = spawn(process.execPath, [program, urlOf(database.address)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [pid] = await once(createInterface(child.stdout), "line");
  expect((await partsOf(take(database.address, "two"))).seen).toContain(`pid ${pid},`);
  child.kill("SIGKILL");
  await using lock = await take(database.address, "two", 30_000);
  await lock.assertHeld();
});

test("a lock whose session was ended says so at once, and is another's", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  await using lock = await take(database.address, "one");
  expect(lock.lost.aborted).toBe(false);
  await owner.client.query("select pg_terminate_backend($1)", [lock.pid]);
  if (!lock.lost.aborted) await once(lock.lost, "abort");
  const parts = await partsOf(lock.assertHeld());
  expect(parts.what).toBe("The lock that keeps two runs apart was lost.");
  expect(JSON.stringify(parts)).not.toContain(database.address.password);
  await using second = await take(database.address, "two");
  await second.assertHeld();
});

test("a server that crashes takes the lock with it, and that is noticed", async () => {
  await using own = await ownServer({});
  await using lock = await take(own.address, "one");
  own.process.kill("SIGQUIT");
  if (!lock.lost.aborted) await once(lock.lost, "abort");
  await expect(lock.assertHeld()).rejects.toThrow(UserError);
});

test("a server that answers no more is noticed within the limit, and nothing hangs", async () => {
  await using database = await server.database();
  const lock = await take(database.address, "one");
  process.kill(lock.pid, "SIGSTOP");
  try {
    const started = performance.now();
    const parts = await partsOf(lock.assertHeld());
    expect(parts.seen).toBe("no answer within 10000 ms");
    expect(performance.now() - started).toBeLessThan(25_000);
    await lock[Symbol.asyncDispose]();
    expect(performance.now() - started).toBeLessThan(30_000);
  } finally {
    process.kill(lock.pid, "SIGCONT");
  }
});

test("it is not ended by the settings of the role or the database", async () => {
  await using database = await server.database();
  await using owner = await testClient(database.address);
  const name = owner.client.escapeIdentifier(database.name);
  await owner.client.query(`alter database ${name} set idle_session_timeout = '300ms'`);
  await owner.client.query(`alter database ${name} set default_transaction_read_only = on`);
  await using lock = await take(database.address, "one");
  await sleep(1_000);
  await lock.assertHeld();
  expect(lock.lost.aborted).toBe(false);
});
