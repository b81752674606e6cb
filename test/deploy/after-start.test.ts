import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeployReport } from "../../src/model/deployment";
import { type TestServer, testClient, testServer } from "../support/database";
import { ask, deploy, deployedProject, records, reportOf, sql, startDeploy, table, tables } from "./deployed";

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
      "    time.sleep(3)",
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
    'shutil.rmtree("migration-gate-records")',
    'open("migration-gate-records", "w").close()',
  ].join("\n");
  await using project = await deployedProject([{ id: "one", up }]);
  await using database = await server.database();
  const { code, report } = await deploy("apply", project, database.address);
  expect([code, report.state, report.record]).toEqual([0, "at target", undefined]);
  expect(report.warnings.map(({ what }) => what)).toContain("The record of what is done cannot be written.");
});
