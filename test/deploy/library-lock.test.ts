import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { takeGateLock } from "../../src/deploy/gate-lock";
import { toolNamed } from "../../src/tools/index";
import { type TestServer, testClient, testServer } from "../support/database";
import { writeProject } from "../support/project";
import { deploy, hasSaid, reportOf, startDeploy } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const keyOf = (database: string) => toolNamed("sqlx").rows?.libraryLock(database) ?? "";

const project = () =>
  writeProject({
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n[dependencies]\nsqlx = "0.8"\n',
    "migrations/001_one.sql": "CREATE TABLE one (id int);\n",
    "migrations/002_index.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY one_id ON one (id);\n",
  });

test("the library's key is the one that was seen", () => {
  expect(keyOf("zone")).toBe("2771974297191923538");
  expect(BigInt(keyOf("zone")) % 2n).toBe(0n);
});

test("applications that hold and wait for the library's lock: an index is built CONCURRENTLY once they are done", async () => {
  await using migrations = await project();
  await using database = await server.database();
  await deploy("apply", migrations, database.address, { args: ["--to", "1"] });
  const key = keyOf(database.name);
  await using holds = await testClient(database.address);
  await using waits = await testClient(database.address);
  await holds.client.query(`select pg_advisory_lock(${key})`);
  // Its snapshot is what CREATE INDEX CONCURRENTLY waits for.
  const waiting = waits.client.query(`select pg_advisory_lock(${key})`);
  const gate = await startDeploy("apply", migrations, database.address, { args: ["--lock-timeout", "2"] });
  await hasSaid(gate, "holds: ");
  await holds.client.query(`select pg_advisory_unlock(${key})`);
  await waiting;
  const end = await gate.ended;
  expect(end.stderr).toContain("holds: ");
  expect([end.code, reportOf(end)], end.stderr).toMatchObject([0, { state: "at target", tries: 1 }]);
});

test("a gate that waits for its turn keeps nobody's index from being built, with the library's lock held", async () => {
  await using database = await server.database();
  await using library = await testClient(database.address);
  await library.client.query("create table one (id int)");
  await library.client.query(`select pg_advisory_lock(${keyOf(database.name)})`);
  const options = { waitMs: 60_000, onWait: () => undefined, applicationName: "migration-gate apply" };
  const first = await takeGateLock(database.address, options);
  const second = takeGateLock(database.address, options);
  await sleep(500);
  await library.client.query("set statement_timeout = '30s'");
  await library.client.query("create index concurrently one_id on one (id)");
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
});
