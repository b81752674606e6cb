import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/databases/postgres/connection";
import { takeGateLock } from "../../src/deploy/gate-lock";
import { preflight } from "../../src/deploy/preflight";
import { embeddedPackages } from "../../src/shadow/embedded-packages";
import { type TestServer, testServer } from "../support/database";
import { openTransaction, runTool, watching } from "./watched";

const packages = embeddedPackages[`${process.platform}-${process.arch}` as keyof typeof embeddedPackages];
const majors = Object.keys(packages).map(Number).sort();

/** What is asked of the catalogs changes from one major version to the next: each question, on the oldest and the newest. */
describe.each([majors[0]!, majors.at(-1)!])("PostgreSQL %i", (major) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ only: "embedded", production: major });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("preflight sees the same", async () => {
    await using database = await server.database();
    const owner = await connect(database.address);
    await owner.query(`create table alembic_version (version_num text); create table t (id int);
      insert into t values (1), (1); alter table t add constraint c check (id > 0) not valid; create publication p for all tables`);
    if (major >= 18) await owner.query("alter table t add constraint ne check (id > 1) not enforced");
    await expect(owner.query("create unique index concurrently i on t (id)")).rejects.toThrow();
    await using open = await openTransaction(database.address, "shop", "select * from t");
    const client = await connect(database.address);
    const options = {
      address: database.address,
      settings: { "lock-timeout": 5, "max-transaction-age": 0 },
      versionTable: { schema: "public", table: "alembic_version" },
      extensions: ["citext", "no such"],
      where: "here",
      writes: "apply",
    } as const;
    const report = await preflight(client, options);
    expect(report.server.major).toBe(major);
    expect(report.refusals.map(({ check }) => check)).toEqual(["extension", "long-transaction"]);
    expect(report.warnings.map(({ check, parts }) => [check, parts.seen])).toEqual([
      ["logical-replication", 'publications: "p"'],
      ["invalid-index", "public.i on public.t"],
      ["unvalidated-constraint", "c on public.t (check)"],
    ]);
    expect(open.pid).toBeGreaterThan(0);
    await client.end();
    await owner.end();
  });

  test("the watch keeps the limit, and the lock is had", async () => {
    await using database = await server.database();
    const said = { waitMs: 0, onWait: () => undefined, applicationName: "migration-gate apply" };
    await using lock = await takeGateLock(database.address, said);
    await lock.assertHeld();
    await using _open = await openTransaction(
      database.address,
      "shop",
      "create table t ()",
      "commit",
      "begin",
      "select from t",
    );
    const { watch, applicationName } = await watching(database.address, { lockTimeoutMs: 300 });
    const sql = "alter table t add a int";
    const result = await runTool(database.address, { driver: "asyncpg", sql, applicationName });
    expect(result.output).toMatch(/failed 57014/);
    const summary = await watch.stop();
    expect(summary.sessions).toMatchObject([{ by: "port" }]);
    expect(summary.cancelled).toMatchObject([{ why: "lock", lock: { relation: "public.t" } }]);
  });
});
