import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recorded, type WriteContext } from "../../src/commands/before-write";
import { urlOf } from "../../src/databases/postgres/connection";
import { UserError } from "../../src/errors";
import type { DeployReport } from "../../src/model/deployment";
import { type TestServer, testClient, testServer } from "../support/database";
import { startGate } from "../support/gate";
import {
  ask,
  deploy,
  deployedProject,
  records,
  refusal,
  reportOf,
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

// What fails once the tool has been started must never be told as "nothing was touched" (exit 2).

test("an invalid index that cannot be dropped before the next try: partly applied, exit 1", async () => {
  const concurrent = {
    id: "idx",
    up: [
      'print("deadlock detected", file=sys.stderr)',
      "try:",
      "    with op.get_context().autocommit_block():",
      '        op.execute("CREATE UNIQUE INDEX CONCURRENTLY one_id ON one (id)")',
      "finally:",
      "    for _ in range(2400):",
      "        if os.path.exists('held'): break",
      "        time.sleep(0.05)",
    ].join("\n"),
  };
  await using project = await deployedProject([table("one"), concurrent]);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "one"] });
  await ask(database.address, "insert into one values (1), (1)");
  await using holder = await testClient(database.address);
  const gate = await startDeploy("apply", project, database.address, {
    args: ["--drop-invalid-indexes", "--lock-timeout", "1"],
  });
  const left = `select count(*)::int from pg_index i where not indisvalid
    and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)`;
  while ((await ask(database.address, left))[0] === 0 && gate.child.exitCode === null) await sleep(20);
  await holder.client.query("begin; lock table one in access share mode");
  writeFileSync(join(project.path, "held"), "");
  const end = await gate.ended;
  const report = reportOf<DeployReport>(end);
  expect([end.code, report.state], end.stderr).toEqual([1, "partly applied"]);
  expect(report.problems.map(({ what }) => what)).toEqual([
    "The invalid index public.one_id could not be dropped.",
    expect.stringContaining("Revision idx"),
    "An invalid index was left by a build that did not end: public.one_id.",
  ]);
});

test("the gate's lock is lost between two tries: what the first one did is told, exit 1", async () => {
  const wide = { id: "wide", up: sql("ALTER TABLE zero ADD COLUMN more int") };
  await using project = await deployedProject([table("zero"), table("one"), wide]);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "zero"] });
  await using holder = await testClient(database.address);
  await holder.client.query("begin; lock table zero in access share mode");
  const gate = await startDeploy("apply", project, database.address, {
    env: { TRANSACTION_PER_MIGRATION: "1" },
    args: ["--lock-timeout", "1", "--lock-tries", "4"],
  });
  let said = "";
  gate.child.stderr?.on("data", (text: string) => {
    said += text;
  });
  while (!said.includes("No lock in time")) await once(gate.child.stderr!, "data");
  await ask(
    database.address,
    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted",
  );
  const end = await gate.ended;
  const report = reportOf<DeployReport>(end);
  expect([end.code, report.state, report.heads.after], end.stderr).toEqual([1, "partly applied", ["one"]]);
  expect(report.problems[0]?.what).toBe("The lock that keeps two runs apart was lost.");
  expect(await tables(database.address)).toEqual(["alembic_version", "one", "zero"]);
  expect(records(project).map(({ state }) => state)).toEqual(["at target", "partly applied"]);
});

test("a record that cannot be written any more does not hide that all was applied", async () => {
  const up = [
    sql("CREATE TABLE one (id int)"),
    "import shutil",
    // The gate may note a session in it at the same moment.
    "for _ in range(100):",
    '    shutil.rmtree("migration-gate-records", ignore_errors=True)',
    "    try:",
    '        open("migration-gate-records", "x").close()',
    "        break",
    "    except OSError:",
    "        time.sleep(0.02)",
  ].join("\n");
  await using project = await deployedProject([{ id: "one", up }]);
  await using database = await server.database();
  const { code, report } = await deploy("apply", project, database.address);
  expect([code, report.state, report.record]).toEqual([0, "at target", undefined]);
  expect(report.warnings.map(({ what }) => what)).toContain("The record of what is done cannot be written.");
});

test("an env.py that commits each statement: a failure is never called unchanged", async () => {
  const bad = { id: "bad", up: [sql("INSERT INTO one VALUES (1)"), sql("SELECT 1/0")].join("\n") };
  await using project = await deployedProject([table("one"), bad]);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "one"] });
  const env = join(project.path, "migrations/env.py");
  const each = readFileSync(env, "utf8").replace(
    '"postgresql+psycopg2:"))',
    '"postgresql+psycopg2:"), isolation_level="AUTOCOMMIT")',
  );
  writeFileSync(env, each);
  const { code, report } = await deploy("apply", project, database.address);
  expect(await ask(database.address, "select count(*)::int from one")).toEqual([1]);
  expect([code, report.state]).toEqual([1, "unknown"]);
});

test("a version table that another session keeps locked is a refusal, not a bug", async () => {
  await using project = await deployedProject([table("one"), table("two")]);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "one"] });
  await using holder = await testClient(database.address);
  await holder.client.query("begin; lock table alembic_version in access exclusive mode");
  expect((await refusal("apply", project, database.address)).what).toBe(
    "The version table could not be read.",
  );
});

test("what somebody else applied during the backup is noticed before the start", async () => {
  await using project = await deployedProject([table("one"), table("two"), table("three")]);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "one"] });
  const sink = join(project.path, "sink");
  const upgrade = `DATABASE_URL='${urlOf(database.address)}' exec alembic upgrade two >&2`;
  writeFileSync(sink, `#!/bin/sh\ncat > /dev/null\n${upgrade}\n`, { mode: 0o755 });
  const { ended } = await startGate(
    ["apply", "--yes", "--format", "json", "--backup-to", "command", "--backup-sink", `${sink} {name}`],
    { cwd: project.path, env: { DATABASE_URL: urlOf(database.address) } },
  );
  const end = await ended;
  expect(end.code, end.stderr).toBe(2);
  expect(JSON.parse(end.stdout)).toMatchObject({
    error: { what: expect.stringMatching(/^Somebody else changed the database/) },
  });
  expect(await tables(database.address)).toEqual(["alembic_version", "one", "two"]);
});

test("rows that were committed beside a concurrent build are not written a second time", async () => {
  const mixed = {
    id: "mixed",
    up: [
      'print("deadlock detected", file=sys.stderr)',
      "with op.get_context().autocommit_block():",
      '    op.execute("INSERT INTO log VALUES (1)")',
      '    op.execute("CREATE UNIQUE INDEX CONCURRENTLY one_id ON one (id)")',
    ].join("\n"),
  };
  await using project = await deployedProject([table("one"), table("log"), mixed]);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "log"] });
  await ask(database.address, "insert into one values (1), (1)");
  const { code, report } = await deploy("apply", project, database.address, {
    args: ["--drop-invalid-indexes", "--lock-tries", "3"],
  });
  expect([code, report.state, report.tries]).toEqual([1, "partly applied", 1]);
  expect(await ask(database.address, "select count(*)::int from log")).toEqual([1]);
});

test("what the server refuses before the start is a refusal, not a bug", async () => {
  const context = { settings: { "dry-run": true } } as unknown as WriteContext;
  const limit = Object.assign(new Error("canceling statement due to statement timeout"), {
    severity: "ERROR",
  });
  await expect(recorded(context, "apply", () => Promise.reject(limit))).rejects.toBeInstanceOf(UserError);
  const ours = new Error("a bug");
  await expect(recorded(context, "apply", () => Promise.reject(ours))).rejects.toBe(ours);
});

test("a plan of another database is refused also where nothing is pending", async () => {
  await using project = await deployedProject([table("one")]);
  await using database = await server.database();
  await deploy("apply", project, database.address);
  const [name] = await ask(database.address, "select current_database()::text");
  const file = join(project.path, "plan.json");
  const plan = (of: unknown) =>
    JSON.stringify({
      version: 1,
      kind: "plan",
      command: "apply",
      database: { name: of, server: "16" },
      heads: { before: [], goal: ["one"] },
      revisions: [],
    });
  writeFileSync(file, plan("another"));
  const options = { args: ["--plan", file] };
  const { what } = await refusal("apply", project, database.address, options);
  expect(what).toMatch(/^What would be applied is not what was reviewed/);
  writeFileSync(file, plan(name));
  expect((await deploy("apply", project, database.address, options)).report.outcome).toBe("nothing to do");
});
