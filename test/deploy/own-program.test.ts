import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeployPlan } from "../../src/model/deployment";
import { toolNamed } from "../../src/tools/index";
import { type TestServer, testClient, testServer } from "../support/database";
import { judge, lintOff, openSteps, runCheck } from "../support/gate";
import { type Project, type ProjectFiles, writeProject } from "../support/project";
import { ask, deploy, deployedProject, refusal, reportOf, startDeploy, table, tables } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const root = resolve(import.meta.dirname, "../..");
/** It has `migrate` and `migrate-info`, and stops at every other word. */
const programs = {
  "a shell script that starts sqlx": `sh ${resolve(root, "examples/everruns/bin/everruns-admin")}`,
  "a program that migrates as the library does": `python ${resolve(root, "test/support/library-admin.py")}`,
};
const library = programs["a program that migrates as the library does"];
const wordsOf = (run: string) => ["--run", run, "--run-apply", "migrate", "--run-status", "migrate-info"];

const files: ProjectFiles = {
  "Cargo.toml": '[dependencies]\nsqlx = "0.8"\n',
  "migrations/001_one.up.sql": "CREATE TABLE one (id int PRIMARY KEY, name text);\n",
  "migrations/001_one.down.sql": "DROP TABLE one;\n",
  "migrations/002_mood.sql": "CREATE TYPE mood AS ENUM ('good');\n",
  "migrations/rollback/002.sql": "DROP TYPE mood;\n",
  "migrations/003_by_name.up.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY one_name ON one (name);\n",
  "migrations/003_by_name.down.sql": "-- no-transaction\nDROP INDEX CONCURRENTLY one_name;\n",
  ...lintOff,
};
const place = (project: Project, run: string) => ({
  args: wordsOf(run),
  env: { MIGRATIONS: join(project.path, "migrations") },
});
const versions = "select version::text from _sqlx_migrations order by 1";

test("what the program's one way cannot prove needs another way, and waits for no other revision", async () => {
  const { "migrations/rollback/002.sql": _, ...others } = files;
  await using project = await writeProject({
    ...others,
    "migrations/002_mood.sql":
      "-- migration-gate: irreversible because of moods\nCREATE TYPE mood AS ENUM ('good');\n",
  });
  const { args, env } = place(project, library);
  const { report } = await judge({ cwd: project.path, args, env });
  const unproved = report.findings.filter(({ rule }) => rule === "not-proved");
  expect(
    unproved.map(({ revision, direction, seen, do: advice }) => [revision, direction, seen, advice]),
  ).toEqual([
    [
      "1",
      "downgrade",
      expect.stringContaining("it needs a way of its own that ends there"),
      "Remove what the reason names, and run the check again.",
    ],
  ]);
});

describe.each(Object.entries(programs))("%s", (_, run) => {
  test("proves, applies, and has the gate take back, since it knows no way back itself", async () => {
    await using project = await writeProject(files);
    const { args, env } = place(project, run);
    const judged = await judge({ cwd: project.path, args, env });
    expect([judged.code, judged.report.findings, openSteps(judged.report)]).toEqual([0, [], []]);

    await using database = await server.database();
    const early = await refusal("apply", project, database.address, { args: [...args, "--to", "2"], env });
    expect(early).toMatchObject({
      what: `"${run} migrate" applies all that is pending; it cannot stop at 2.`,
      seen: "Pending up to there: 1, 2. After it: 3.",
      do: "Leave to out, or deploy the release whose newest revision is 2.",
    });
    const dry = await startDeploy("apply", project, database.address, { args: [...args, "--dry-run"], env });
    const plan = reportOf<DeployPlan>(await dry.ended);
    expect(plan.revisions.map(({ id, wayBack }) => `${id} ${wayBack.kind}`)).toEqual([
      "1 loses data",
      "2 proved downgrade",
      "3 proved downgrade",
    ]);
    expect(await tables(database.address)).toEqual([]);
    const up = await deploy("apply", project, database.address, { args: [...args, "--to", "3"], env });
    expect([up.code, up.report.state, up.report.heads.after], up.stderr).toEqual([0, "at target", ["3"]]);

    const down = await deploy("rollback", project, database.address, { args, env });
    expect([down.code, down.report.state, down.report.heads.after], down.stderr).toEqual([
      0,
      "at target",
      ["2"],
    ]);
    expect(down.stderr).toContain("by       migrations/003_by_name.down.sql, and the row of 3 with it");
    expect(await ask(database.address, versions)).toEqual(["1", "2"]);
    expect(await ask(database.address, "select to_regclass('one_name')::text")).toEqual([null]);
  });
});

test("a revision on which the program stops is named, with what was applied before it", async () => {
  await using project = await writeProject({
    ...files,
    "migrations/004_bad.up.sql": "ALTER TABLE nowhere ADD COLUMN x int;\n",
    "migrations/004_bad.down.sql": "ALTER TABLE nowhere DROP COLUMN x;\n",
  });
  await using database = await server.database();
  const { code, report } = await deploy("apply", project, database.address, place(project, library));
  expect([code, report.state, report.heads.after]).toEqual([1, "partly applied", ["3"]]);
  expect(report.problems[0]?.what).toBe(
    'Revision 4 failed: Migration 4 failed: relation "nowhere" does not exist.',
  );
});

test("a program that brings other migrations than the files have is told by the version table", async () => {
  await using image = await writeProject(files);
  await using project = await writeProject(files);
  writeFileSync(join(image.path, "migrations/004_more.sql"), "CREATE TABLE more (id int);\n");
  await using database = await server.database();
  const { args, env } = place(image, library);
  const judged = await judge({ cwd: project.path, args, env });
  expect([judged.code, judged.report.findings[0]?.seen]).toEqual([
    1,
    expect.stringContaining("the version table held 4, which no revision file has"),
  ]);
  const { code, report } = await deploy("apply", project, database.address, { args, env });
  expect([code, report.outcome, report.heads.after]).toEqual([1, "failed", ["4"]]);
  expect((await refusal("apply", project, database.address, { args, env })).what).toBe(
    "The database has a revision that this source does not have: 4.",
  );
});

test("an application that migrates at its start holds the library's lock: the program waits, and the gate says for whom", async () => {
  await using project = await writeProject(files);
  await using database = await server.database();
  await using application = await testClient(database.address);
  const key = toolNamed("sqlx").rows?.libraryLock(database.name);
  await application.client.query(`select pg_advisory_lock(${key})`);
  const { args, env } = place(project, library);
  const gate = await startDeploy("apply", project, database.address, { args, env });
  const waits = "select count(*)::int from pg_stat_activity where wait_event = 'advisory'";
  for (let turn = 0; turn < 200 && (await ask(database.address, waits))[0] === 0; turn++)
    await new Promise((next) => setTimeout(next, 50));
  await application.client.query(`select pg_advisory_unlock(${key})`);
  const end = await gate.ended;
  expect([end.code, reportOf(end)], end.stderr).toMatchObject([0, { state: "at target", tries: 1 }]);
});

test("a way back without a transaction that fails at its second statement: the first stays, and that is told", async () => {
  await using project = await writeProject({
    ...files,
    "migrations/003_by_name.up.sql":
      "CREATE INDEX one_name ON one (name);\nCREATE INDEX one_id ON one (id);\n",
    "migrations/003_by_name.down.sql":
      "-- no-transaction\nDROP INDEX CONCURRENTLY one_name;\nDROP INDEX CONCURRENTLY one_id;\n",
  });
  const { args, env } = place(project, library);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args, env });
  await ask(database.address, "drop index one_id");
  const { code, report } = await deploy("rollback", project, database.address, { args, env });
  expect([code, report.state, report.heads.after]).toEqual([1, "partly applied", ["3"]]);
  expect(report.leftovers).toEqual(["index public.one_name"]);
  expect(report.problems[0]).toMatchObject({
    what: 'Revision 3 failed: Migration 3 failed: index "one_id" does not exist.',
    seen: expect.stringContaining("migrations/003_by_name.down.sql:3, 42704"),
  });
});

test("Alembic behind words of its own: what is not replaced is still given to run", async () => {
  await using project = await deployedProject([table("one"), table("two")]);
  writeFileSync(
    join(project.path, "manage.py"),
    `import os, sys
words = {"up": ["upgrade", "head"], "state": ["current"], "downgrade": sys.argv[1:]}[sys.argv[1]]
os.execvp("alembic", ["alembic", *words])
`,
  );
  const args = ["--run", "python manage.py", "--run-apply", "up", "--run-status", "state"];
  await using database = await server.database();
  const early = await refusal("apply", project, database.address, { args: [...args, "--to", "one"] });
  expect(early.what).toBe('"python manage.py up" applies all that is pending; it cannot stop at one.');
  const up = await deploy("apply", project, database.address, { args });
  expect([up.code, up.report.heads.after], up.stderr).toEqual([0, ["two"]]);
  const down = await deploy("rollback", project, database.address, {
    args: [...args, "--accept-loss", "table public.two"],
  });
  expect([down.code, down.report.heads.after], down.stderr).toEqual([0, ["one"]]);
});

test("a docker that does not give the program its address is told what to pass on", async () => {
  await using project = await writeProject(files);
  mkdirSync(join(project.path, "bin"));
  const docker = "#!/bin/sh\necho 'Error: environment variable not found' >&2\nexit 1\n";
  writeFileSync(join(project.path, "bin/docker"), docker, { mode: 0o755 });
  const end = await runCheck({ cwd: project.path, args: wordsOf("bin/docker run admin") });
  expect(end.code).toBe(2);
  expect(end.stderr).toContain("error: The program of run stopped: environment variable not found.");
  expect(end.stderr).toContain("for instance docker run --rm --network host -e DATABASE_URL <image>.");
  const required = await runCheck({
    cwd: project.path,
    args: [...wordsOf("bin/docker run admin"), "--isolation", "required"],
  });
  expect(required.stderr).toContain(
    "isolation is required, and bin/docker does its work in another network than this one.",
  );
});
