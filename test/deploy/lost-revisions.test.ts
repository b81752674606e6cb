import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { status } from "../../src/commands/status";
import { urlOf } from "../../src/databases/postgres/connection";
import type { StatusReport } from "../../src/model/status";
import { readSettings } from "../../src/project/read-settings";
import { statusText } from "../../src/reports/status-text";
import { plainPaint } from "../../src/reports/terminal";
import type { ShadowDatabase } from "../../src/shadow/server";
import { bindsFiles, tableOf } from "../support/binds-project";
import { type TestServer, testClient, testServer } from "../support/database";
import { gateEnvironment } from "../support/gate";
import { openRepository, repositoryIn } from "../support/git";
import {
  alembicFiles,
  copyOfExample,
  type Project,
  type ProjectFiles,
  writeProject,
} from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const author = { NAME: "a", EMAIL: "a@example.org" };
const identity = Object.fromEntries(
  Object.entries(author).flatMap(([name, value]) => [
    [`GIT_AUTHOR_${name}`, value],
    [`GIT_COMMITTER_${name}`, value],
  ]),
);

/** A project in a repository, and a database of it. */
function on(project: Project, database: ShadowDatabase) {
  const environment = gateEnvironment({ DATABASE_URL: urlOf(database.address), ...identity });
  const type = (lines: readonly string[]) =>
    execFileSync("sh", ["-e", "-c", lines.join("\n")], {
      cwd: project.path,
      env: environment,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const state = (): Promise<StatusReport> =>
    status({ settings: readSettings(["--working-directory", project.path], {}), environment });
  return { type, state };
}

const patchOf = (defect: string) =>
  resolve(import.meta.dirname, `../../examples/devopser/defects/${defect}.patch`);

test("a split head of Flask-Migrate is mended by the lines of status: taken back, or kept and merged", async () => {
  await using project = await copyOfExample("devopser");
  await using database = await server.database();
  const { type, state } = on(project, database);
  const repository = repositoryIn(project.path);
  repository.commit("Release 3");
  const release = repository.git("rev-parse", "HEAD");
  type(["flask db upgrade"]);

  // As the guide warns of: a committed revision is deleted and written again as another.
  openRepository(project.path).git("apply", "--whitespace=nowarn", patchOf("committed-revision-deleted"));
  repository.commit("written again");
  const file = "migrations/versions/a7e04f91d2c5_deployed_by.py";
  const split = await state();
  expect(split.state).toBe("unknown revisions");
  expect(split.unknown).toMatchObject([{ id: "a7e04f91d2c5", file, lastCommit: { hash: release } }]);
  expect(split.mend).toEqual({
    restore: [`git checkout ${release.slice(0, 12)} -- ${file}`],
    takeBack: ["flask db downgrade 96c8042d5ba3", `git rm -f -- ${file}`, "flask db upgrade head"],
    keep: [
      'flask db merge -m "merge heads" --rev-id e3cee2db45cb a7e04f91d2c5 b3d7a1c48e06',
      `git add -- ${file} && git commit -m 'Bring back a7e04f91d2c5' -- ${file}`,
      "git grep --untracked -lz e3cee2db45cb -- ':/*.py' | xargs -0 git add --",
      "git grep -lz e3cee2db45cb -- ':/*.py' | xargs -0 git commit -m 'Merge heads' --",
      "flask db upgrade head",
    ],
  });
  const text = statusText(split, false, plainPaint);
  for (const line of [...split.mend!.restore, ...split.mend!.takeBack!, ...split.mend!.keep])
    expect(text).toContain(`\n    ${line}\n`);
  type([...split.mend!.restore, ...split.mend!.takeBack!]);
  expect(repository.git("status", "--porcelain")).toBe("");
  expect(await state()).toMatchObject({ state: "up to date", heads: { database: ["b3d7a1c48e06"] } });

  // The other one: what replaced it does something else, so that both are wanted.
  repository.remove("migrations/versions/b3d7a1c48e06_deployed_by.py");
  openRepository(project.path).git("apply", "--whitespace=nowarn", patchOf("two-heads"));
  repository.commit("another instead");
  const other = await state();
  // Work of others, in the same folder and elsewhere: untracked, changed and staged.
  repository.write("migrations/versions/notes.txt", "a note\n");
  repository.write("README.md", "changed\n");
  repository.write("staged.txt", "staged\n");
  repository.git("add", "staged.txt");
  const before = repository.git("status", "--porcelain");
  type([...other.mend!.restore, ...other.mend!.keep]);
  const mended = await state();
  expect([mended.state, mended.heads.source.length, mended.revisions.at(-1)?.parents]).toEqual([
    "up to date",
    1,
    ["b3d7a1c48e06", "c41f0a7d96e3"],
  ]);
  expect(before.split("\n")).toHaveLength(3);
  expect(repository.git("status", "--porcelain")).toBe(before);
});

const program = readFileSync(resolve(import.meta.dirname, "../../examples/numbered/migrate"), "utf8");
const inSql = (more: ProjectFiles): ProjectFiles => ({
  ...more,
  "migrations/1_one.up.sql": "CREATE TABLE one (id int);\n",
  "migrations/1_one.down.sql": "DROP TABLE one;\n",
  "migrations/2_two.up.sql": "CREATE TABLE two (id int);\n",
  "migrations/2_two.down.sql": "DROP TABLE two;\n",
});

test.each<[string, ProjectFiles, string, string]>([
  ["SQLx", { "sqlx.toml": "" }, "sqlx migrate run", "sqlx migrate revert --target-version 1"],
  [
    "numbered files",
    { "migrations/.numbered-sql": "", migrate: program },
    "./migrate up",
    "./migrate down 1",
  ],
])(
  "%s: the files of both directions come back, and the version is taken back or kept",
  async (_, files, up, down) => {
    await using project = await writeProject(inSql(files));
    await using database = await server.database();
    const { type, state } = on(project, database);
    const repository = repositoryIn(project.path);
    const release = repository.commit("two").slice(0, 12);
    type([up]);
    repository.remove("migrations/2_two.up.sql");
    repository.remove("migrations/2_two.down.sql");
    repository.commit("one again");
    const { mend } = await state();
    const both = "migrations/2_two.up.sql migrations/2_two.down.sql";
    expect(mend).toEqual({
      restore: [`git checkout ${release} -- ${both}`],
      takeBack: [down, `git rm -f -- ${both}`],
      keep: [`git add -- ${both} && git commit -m 'Bring back 2' -- ${both}`],
    });
    type([...mend!.restore, ...mend!.keep]);
    expect((await state()).state).toBe("up to date");
    repository.git("revert", "--no-edit", "HEAD");
    type([...mend!.restore, ...mend!.takeBack!]);
    expect(await state()).toMatchObject({ state: "up to date", revisions: [{ id: "1" }] });
    expect(repository.git("status", "--porcelain")).toBe("");
  },
);

test("a simple migration of SQLx that is gone can only be kept", async () => {
  await using project = await writeProject({
    "sqlx.toml": "",
    "migrations/1_one.sql": "CREATE TABLE one (id int);\n",
    "migrations/2_two.sql": "CREATE TABLE two (id int);\n",
  });
  await using database = await server.database();
  const { type, state } = on(project, database);
  const repository = repositoryIn(project.path);
  repository.commit("two");
  type(["sqlx migrate run"]);
  repository.remove("migrations/2_two.sql");
  repository.commit("one again");
  const report = await state();
  expect(report.mend).toMatchObject({ takeBack: undefined, keep: [expect.stringContaining("Bring back 2")] });
  expect(statusText(report, false, plainPaint)).toContain("\n  then keep it, ");
});

test("several that follow each other, in a file of a hostile name, and one whose name another revision has taken", async () => {
  const make = (id: string, down: string | null, file: string) => ({
    id,
    down,
    file,
    upgrade: `op.execute("CREATE TABLE t_${id} (id int)")`,
    downgrade: `op.execute("DROP TABLE t_${id}")`,
  });
  const hostile = "it's $(touch stolen) `ü`.py";
  const deployed = [make("a", null, "a.py"), make("b", "a", hostile), make("c", "b", "change.py")];
  await using project = await writeProject(alembicFiles({ revisions: deployed }));
  await using database = await server.database();
  const { type, state } = on(project, database);
  const repository = repositoryIn(project.path);
  repository.commit("deployed");
  type(["alembic upgrade head"]);
  repository.remove(`migrations/versions/${hostile}`);
  const instead = alembicFiles({ revisions: [make("d", "a", "change.py")] });
  repository.write("migrations/versions/change.py", instead["migrations/versions/change.py"]);
  repository.commit("another instead");
  const { mend } = await state();
  expect(mend?.takeBack?.[0]).toBe("alembic downgrade a");
  type([...mend!.restore, ...mend!.takeBack!]);
  expect(await state()).toMatchObject({ state: "up to date", heads: { database: ["d"], source: ["d"] } });
  expect(repository.git("status", "--porcelain")).toBe("");
});

test("what depends on a revision that stays has no line that would take that back as well", async () => {
  const make = (id: string, down: string | null, more: { preamble?: string } = {}) => ({
    id,
    down,
    upgrade: `op.execute("CREATE TABLE t_${id} (id int)")`,
    downgrade: `op.execute("DROP TABLE t_${id}")`,
    ...more,
  });
  const dependent = make("b", null, { preamble: 'depends_on = "a"' });
  await using project = await writeProject(alembicFiles({ revisions: [make("a", null), dependent] }));
  await using database = await server.database();
  const { type, state } = on(project, database);
  const repository = repositoryIn(project.path);
  repository.commit("both");
  type(["alembic upgrade heads"]);
  repository.remove("migrations/versions/b.py");
  repository.commit("without");
  const report = await state();
  // The version table does not hold what another one depends on: "downgrade base" would take it as well.
  expect(report.heads.database).toEqual(["b"]);
  expect(report.mend).toMatchObject({ restore: [expect.any(String)], takeBack: undefined });
});

test("of several databases only the lines that keep it are printed: a way down takes all of them down", async () => {
  const both = (id: string, down: string | null) => ({
    id,
    down,
    binds: { "": tableOf(`main_${id}`), users: tableOf(`users_${id}`) },
  });
  await using project = await writeProject(bindsFiles([both("a1", null), both("b2", "a1")]));
  await using database = await server.database();
  await using client = await testClient(database.address);
  await client.client.query("create table alembic_version (version_num) as values ('b2')");
  const repository = repositoryIn(project.path);
  repository.commit("both");
  repository.remove("migrations/versions/b2.py");
  repository.commit("one");
  const words = ["--bind-url-env", "users=USERS_DATABASE_URL", "--bind", "users"];
  const { mend } = await status({
    settings: readSettings(["--working-directory", project.path, ...words], {}),
    environment: gateEnvironment({ USERS_DATABASE_URL: urlOf(database.address) }),
  });
  expect(mend).toMatchObject({ takeBack: undefined, keep: [expect.stringContaining("Bring back b2")] });
});

test("a way back that is still there is neither overwritten nor removed", async () => {
  await using project = await writeProject(inSql({ "sqlx.toml": "" }));
  await using database = await server.database();
  const { type, state } = on(project, database);
  const repository = repositoryIn(project.path);
  const release = repository.commit("two").slice(0, 12);
  type(["sqlx migrate run"]);
  repository.remove("migrations/2_two.up.sql");
  repository.write("migrations/2_two.down.sql", "DROP TABLE IF EXISTS two;\n");
  const { mend } = await state();
  expect(mend?.restore).toEqual([`git checkout ${release} -- migrations/2_two.up.sql`]);
  expect(mend?.takeBack?.[1]).toBe("git rm -f -- migrations/2_two.up.sql");
});

test("without the commit, or where a merge lost a parent as well, nothing is promised that may not hold", async () => {
  const make = (id: string, down: string | readonly string[] | null) => ({
    id,
    down,
    upgrade: "",
    downgrade: "",
  });
  const all = [make("a", null), make("b", "a"), make("c", "a"), make("d", ["b", "c"])];
  await using project = await writeProject(alembicFiles({ revisions: all }));
  await using database = await server.database();
  const { type, state } = on(project, database);
  type(["alembic upgrade head"]);
  const repository = repositoryIn(project.path);
  repository.commit("all");
  const lose = () => {
    for (const id of ["c", "d"]) repository.remove(`migrations/versions/${id}.py`);
    repository.commit("lost");
  };
  lose();
  const half = await state();
  expect(half.mend?.takeBack).toBeUndefined();
  type([...half.mend!.restore, ...half.mend!.keep]);
  expect((await state()).state).toBe("up to date");
  lose();
  rmSync(join(project.path, ".git"), { recursive: true });
  expect(await state()).toMatchObject({ state: "unknown revisions", mend: undefined });
});
