import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeployReport } from "../../src/model/deployment";
import { type TestServer, testClient, testServer } from "../support/database";
import {
  ask,
  type Driver,
  deploy,
  deployedProject,
  hasSaid,
  records,
  refusal,
  reportOf,
  revisionFiles,
  sql,
  startDeploy,
  table,
  tables,
} from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const drivers: readonly Driver[] = ["psycopg2", "asyncpg"];
const each = { TRANSACTION_PER_MIGRATION: "1" };

describe.each(drivers)("apply with %s", (driver) => {
  test("brings a database to the head, and again there is nothing to do", async () => {
    await using project = await deployedProject([table("one"), table("two")], driver);
    await using database = await server.database();
    const first = await deploy("apply", project, database.address);
    expect(first.report, first.stderr).toMatchObject({
      outcome: "done",
      state: "at target",
      heads: { before: [], goal: ["two"], after: ["two"] },
      backup: { kind: "none", because: "a test" },
      problems: [],
      tries: 1,
    });
    expect(first.code).toBe(0);
    expect(first.report.revisions.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "one done",
      "two done",
    ]);
    expect(await tables(database.address)).toEqual(["alembic_version", "one", "two"]);
    expect(records(project)).toMatchObject([
      { command: "apply", state: "at target", actor: expect.any(String) },
    ]);
    const second = await deploy("apply", project, database.address);
    expect([second.code, second.report.outcome, second.report.record]).toEqual([
      0,
      "nothing to do",
      undefined,
    ]);
    expect(records(project)).toHaveLength(1);
  });

  test("a revision that fails in the middle of one transaction leaves the database as it was: exit 2", async () => {
    const broken = { id: "bad", up: [sql("CREATE TABLE half (id int)"), sql("SELECT 1/0")].join("\n") };
    await using project = await deployedProject([table("one"), broken, table("three")], driver);
    await using database = await server.database();
    const { code, report } = await deploy("apply", project, database.address);
    expect(report).toMatchObject({
      outcome: "failed",
      state: "unchanged",
      heads: { after: [] },
      leftovers: [],
    });
    expect(code).toBe(2);
    expect(report.problems[0]).toMatchObject({
      what: expect.stringContaining("division by zero"),
      where: expect.stringMatching(/^migrations\/versions\/bad\.py:\d+$/),
    });
    expect(await tables(database.address)).toEqual([]);
    expect(records(project)).toMatchObject([{ state: "unchanged" }]);
  });

  test("with a transaction a revision, what came before stays: exit 1, and the same job goes on there", async () => {
    const broken = { id: "bad", up: [sql("CREATE TABLE half (id int)"), sql("SELECT 1/0")].join("\n") };
    await using project = await deployedProject([table("one"), broken, table("three")], driver);
    await using database = await server.database();
    const { code, report } = await deploy("apply", project, database.address, { env: each });
    expect(report).toMatchObject({
      outcome: "failed",
      state: "partly applied",
      heads: { before: [], goal: ["three"], after: ["one"] },
    });
    expect(code).toBe(1);
    expect(report.revisions.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "one done",
      "bad not done",
      "three not done",
    ]);
    expect(report.problems[0]?.what).toMatch(/^Revision bad failed: .*division by zero/);
    expect(await tables(database.address)).toEqual(["alembic_version", "one"]);
    const mended = revisionFiles([table("one"), table("bad"), table("three")]);
    for (const [file, text] of Object.entries(mended)) writeFileSync(join(project.path, file), text);
    const again = await deploy("apply", project, database.address, { env: each });
    expect([again.code, again.report.heads.after]).toEqual([0, ["three"]]);
  });

  test("a lock that another holds is waited for, given up, tried again, and had", async () => {
    await using project = await deployedProject(
      [table("one"), { id: "wide", up: sql("ALTER TABLE one ADD COLUMN more int") }],
      driver,
    );
    await using database = await server.database();
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    await using holder = await testClient(database.address);
    await holder.client.query("begin; lock table one in access share mode");
    const short = ["--lock-timeout", "1", "--lock-tries", "2"];
    const given = await deploy("apply", project, database.address, { args: short });
    expect(given.report, given.stderr).toMatchObject({ outcome: "failed", state: "unchanged", tries: 2 });
    expect(given.code).toBe(2);
    expect(given.report.problems[0]?.what).toBe(
      "Revision wide could not have a lock within 1 s, in 2 tries.",
    );
    expect(given.stderr).toMatch(/waits .* for public\.one, which pid \d+, user "postgres"/);
    const patient = ["--lock-timeout", "1", "--lock-tries", "8"];
    const gate = await startDeploy("apply", project, database.address, { args: patient });
    await hasSaid(gate, "No lock in time");
    await holder.client.query("rollback");
    const end = await gate.ended;
    const had = reportOf<DeployReport>(end);
    expect(had, end.stderr).toMatchObject({ outcome: "done", heads: { after: ["wide"] } });
    expect(had.tries).toBeGreaterThan(1);
  });
});

describe("the goal", () => {
  test("is the revision that to names; one behind the database is refused", async () => {
    await using project = await deployedProject([table("one"), table("two"), table("three")]);
    await using database = await server.database();
    const part = await deploy("apply", project, database.address, { args: ["--to", "two"] });
    expect([part.code, part.report.heads.after]).toEqual([0, ["two"]]);
    const behind = await refusal("apply", project, database.address, { args: ["--to", "one"] });
    expect(behind.what).toBe("The database is past one already; apply only goes forward.");
    const same = await deploy("apply", project, database.address, { args: ["--to", "two"] });
    expect(same.report.outcome).toBe("nothing to do");
    const strange = await refusal("apply", project, database.address, { args: ["--to", "thre1"] });
    expect(strange).toMatchObject({
      what: '"thre1" is no revision of this project.',
      do: expect.stringContaining("three"),
    });
    expect(await tables(database.address)).toEqual(["alembic_version", "one", "two"]);
  });

  test("a release that is older than the database is refused", async () => {
    await using project = await deployedProject([table("one"), table("two")]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    rmSync(join(project.path, "migrations/versions/two.py"));
    const { what } = await refusal("apply", project, database.address);
    expect(what).toBe("The database has a revision that this source does not have: two.");
  });
});

describe("what the tool says is not believed", () => {
  test("exit 0 of an env.py that swallows the error", async () => {
    await using project = await deployedProject([table("one"), { id: "bad", up: sql("SELECT 1/0") }]);
    const env = join(project.path, "migrations/env.py");
    const text = readFileSync(env, "utf8");
    writeFileSync(
      env,
      text.replace(
        "        context.run_migrations()",
        "        try:\n            context.run_migrations()\n        except Exception:\n            os._exit(0)",
      ),
    );
    await using database = await server.database();
    const { code, report } = await deploy("apply", project, database.address);
    expect(report.problems[0]?.what).toBe(
      '"alembic upgrade head" ended with 0 and did not do what it was started for.',
    );
    expect([code, report.state]).toEqual([2, "unchanged"]);
  });

  test("exit 3 after everything was committed", async () => {
    await using project = await deployedProject([table("one")]);
    const env = join(project.path, "migrations/env.py");
    const text = readFileSync(env, "utf8");
    writeFileSync(env, `${text}\nos._exit(3)\n`);
    await using database = await server.database();
    const { code, report } = await deploy("apply", project, database.address);
    expect([code, report.state, report.heads.after]).toEqual([1, "unverified", ["one"]]);
  });
});

describe("work outside of a transaction", () => {
  const concurrent = {
    id: "idx",
    up: 'with op.get_context().autocommit_block():\n    op.execute("CREATE UNIQUE INDEX CONCURRENTLY one_id ON one (id)")',
  };

  test("an index build that fails is named, and the database is not called unchanged", async () => {
    await using project = await deployedProject([table("one"), concurrent]);
    await using database = await server.database();
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    await ask(database.address, "insert into one values (1), (1)");
    const { code, report } = await deploy("apply", project, database.address);
    expect([code, report.state]).toEqual([1, "partly applied"]);
    expect(report.problems.map(({ what }) => what)).toEqual([
      expect.stringContaining("could not create unique index"),
      "An invalid index was left by a build that did not end: public.one_id.",
    ]);
    expect(report.problems[1]?.do).toContain("DROP INDEX CONCURRENTLY public.one_id;");
  });

  test("a lock that is missing is told of the revision that wanted it, and why it is not tried again", async () => {
    const wide = { id: "wide", up: `${sql("ALTER TABLE one ADD COLUMN more int")}\n${concurrent.up}` };
    await using project = await deployedProject([table("one"), table("two"), wide]);
    await using database = await server.database();
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    await using holder = await testClient(database.address);
    await holder.client.query("begin; lock table one in access share mode");
    const args = ["--lock-timeout", "1", "--lock-tries", "3"];
    const { report } = await deploy("apply", project, database.address, { args });
    expect(report.problems[0]).toMatchObject({
      what: "Revision wide could not have a lock within 1 s, in 1 try.",
      seen: expect.stringMatching(/^blocked by pid \d+.*\nNot tried again: /),
    });
  });

  test("what would have come after the revision that failed did not run: the database is unchanged", async () => {
    const broken = { id: "bad", up: sql("SELECT 1/0") };
    await using project = await deployedProject([table("one"), broken, concurrent]);
    await using database = await server.database();
    const { code, report } = await deploy("apply", project, database.address);
    expect([code, report.state]).toEqual([2, "unchanged"]);
    expect(await tables(database.address)).toEqual([]);
  });

  test("a build that waits for an old transaction is not ended by lock-timeout", async () => {
    await using project = await deployedProject([table("one"), concurrent]);
    await using database = await server.database();
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    await using holder = await testClient(database.address);
    await holder.client.query("begin isolation level repeatable read; select * from one");
    setTimeout(() => void holder.client.query("rollback"), 4_000);
    const { report, stderr } = await deploy("apply", project, database.address, {
      args: ["--lock-timeout", "1", "--lock-tries", "1"],
    });
    expect(report, stderr).toMatchObject({ outcome: "done", tries: 1 });
    expect(
      await ask(database.address, "select indisvalid from pg_index where indexrelid = 'one_id'::regclass"),
    ).toEqual([true]);
  });
});

test("an invalid index that an earlier apply left is told also where nothing is pending", async () => {
  await using project = await deployedProject([table("one")]);
  await using database = await server.database();
  await deploy("apply", project, database.address);
  await ask(database.address, "insert into one values (1), (1)");
  await expect(
    ask(database.address, "create unique index concurrently one_id on one (id)"),
  ).rejects.toThrow();
  const { code, report } = await deploy("apply", project, database.address);
  expect([code, report.outcome]).toEqual([0, "nothing to do"]);
  expect(report.warnings.map(({ what }) => what)).toEqual([
    "The database has an invalid index: public.one_id.",
  ]);
});

test("a branch by its label", async () => {
  await using project = await deployedProject([table("one"), table("two"), table("three")]);
  const file = join(project.path, "migrations/versions/two.py");
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace("import time", 'branch_labels = ("side",)\nimport time'),
  );
  await using database = await server.database();
  const { code, report } = await deploy("apply", project, database.address, { args: ["--to", "side@head"] });
  expect([code, report.heads.after]).toEqual([0, ["three"]]);
});

test("a statement that takes its time is shown while it runs", async () => {
  const slow = {
    id: "slow",
    up: sql("DO $$ BEGIN PERFORM pg_sleep(6); END $$ /* ::error::hidden */"),
  };
  await using project = await deployedProject([table("one"), slow]);
  await using database = await server.database();
  const { stderr } = await deploy("apply", project, database.address);
  expect(stderr).toContain("running: DO $$ BEGIN PERFORM pg_sleep(6); END $$ /* ::error::hidden */\n");
  expect(stderr).not.toMatch(/^::/m);
});

test("a constraint that stays NOT VALID is a warning, once", async () => {
  const checked = {
    id: "checked",
    up: sql("ALTER TABLE one ADD CONSTRAINT positive CHECK (id > 0) NOT VALID"),
  };
  await using project = await deployedProject([table("one"), checked, table("three")]);
  await using database = await server.database();
  const first = await deploy("apply", project, database.address, { args: ["--to", "checked"] });
  expect([first.code, first.report.state]).toEqual([0, "at target"]);
  expect(first.report.warnings.map(({ what }) => what)).toEqual([
    "Constraints are there and not validated: positive on public.one.",
  ]);
});

test("two at once: one applies, the other waits and finds nothing to do", async () => {
  await using project = await deployedProject([
    { id: "slow", up: [sql("CREATE TABLE slow (id int)"), sql("SELECT pg_sleep(2)")].join("\n") },
  ]);
  await using database = await server.database();
  const both = await Promise.all([1, 2].map(() => deploy("apply", project, database.address)));
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(both.map(({ report }) => report.outcome).sort()).toEqual(["done", "nothing to do"]);
});
