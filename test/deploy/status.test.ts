import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { status } from "../../src/commands/status";
import { urlOf } from "../../src/databases/postgres/connection";
import { UserError } from "../../src/errors";
import { readSettings } from "../../src/project/read-settings";
import { statusText } from "../../src/reports/status-text";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testClient, testServer } from "../support/database";
import { type Project, type ProjectFiles, withPython, writeProject } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** It writes on every command, as Boards' does; so the status must not start it. */
const environmentFile = `
import os
from alembic import context
from sqlalchemy import create_engine, text

with create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:")).connect() as connection:
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS app"))
    context.configure(connection=connection, version_table="versions of app", version_table_schema="app")
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
`;

const revision = (id: string, ...parents: string[]): ProjectFiles => ({
  [`migrations/versions/${id}.py`]: `"""make ${id}"""
revision = "${id}"
down_revision = ${parents.length === 0 ? "None" : parents.length === 1 ? `"${parents[0]}"` : `(${parents.map((parent) => `"${parent}"`).join(", ")})`}
from alembic import op
def upgrade():
    op.execute("CREATE TABLE app.t_${id} (id int)")
def downgrade():
    op.execute("DROP TABLE app.t_${id}")
`,
});

const files: ProjectFiles = {
  "alembic.ini": "[alembic]\nscript_location = %(here)s/migrations\n",
  "migrations/env.py": environmentFile,
  ...revision("a1"),
  ...revision("b2", "a1"),
  ...revision("c3", "b2"),
  ...revision("d3", "b2"),
  ...revision("e4", "c3", "d3"),
};

function alembic(project: Project, database: ShadowDatabase, ...words: string[]): void {
  const env = { ...withPython(), DATABASE_URL: urlOf(database.address) };
  execFileSync("alembic", words, { cwd: project.path, env, stdio: "pipe" });
}

function statusIn(project: Project, url: string, ...words: string[]) {
  const settings = readSettings(["--working-directory", project.path, ...words], {});
  return status({ settings, environment: { ...withPython(), DATABASE_URL: url } });
}

async function failureOf(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error(`no UserError: ${String(error)}`);
  return error.parts;
}

const plain = (text: string) => text;
const paint = { red: plain, green: plain, yellow: plain, dim: plain, bold: plain };

test("in verbose each revision has its parents, its file and the date that it says", async () => {
  const dated = revision("b2", "a1");
  const [file] = Object.keys(dated);
  await using project = await writeProject({
    ...files,
    [file ?? ""]: (dated[file ?? ""] ?? "").replace(
      '"""make b2"""',
      '"""make b2\n\nRevises: a1\nCreate Date: 2026-01-05 09:00:00+00:00\n"""',
    ),
  });
  await using database = await server.database();
  const report = await statusIn(project, urlOf(database.address));
  expect(report.revisions.map(({ created }) => created)).toEqual([
    undefined,
    "2026-01-05 09:00:00+00:00",
    undefined,
    undefined,
    undefined,
  ]);
  expect(statusText(report, true, paint)).toContain(
    "pending   b2  make b2 (branch point)\n            after a1; migrations/versions/b2.py; written 2026-01-05 09:00:00+00:00\n",
  );
});

describe("a project on a database", () => {
  test.each<[target: string | undefined, state: string, statuses: string]>([
    [undefined, "first install", "a1 pending, b2 pending, c3 pending, d3 pending, e4 pending"],
    ["c3", "pending", "a1 applied, b2 applied, c3 applied, d3 pending, e4 pending"],
    ["heads", "up to date", "a1 applied, b2 applied, c3 applied, d3 applied, e4 applied"],
  ])("upgraded to %s it is %s", async (target, state, statuses) => {
    await using project = await writeProject(files);
    await using database = await server.database();
    if (target !== undefined) alembic(project, database, "upgrade", target);
    const report = await statusIn(project, urlOf(database.address, "postgresql+asyncpg"));
    expect(report.state).toBe(state);
    expect(report.revisions.map(({ id, status: each }) => `${id} ${each}`).join(", ")).toBe(statuses);
    expect(report.versionTable).toEqual(
      target === undefined ? undefined : { schema: "app", table: "versions of app" },
    );
    expect(report.unknown).toEqual([]);
    // Nothing of it was started or written.
    await using observer = await testClient(database.address);
    const { rows } = await observer.client.query("select from pg_namespace where nspname = 'app'");
    expect(rows.length).toBe(target === undefined ? 0 : 1);
  });

  test("by a role that may only read, and one that may not", async () => {
    await using project = await writeProject(files);
    await using database = await server.database();
    alembic(project, database, "upgrade", "b2");
    await using owner = await testClient(database.address);
    await owner.client.query("create role reader login password 'reader pw'");
    const url = urlOf({ ...database.address, user: "reader", password: "reader pw" });
    expect(await failureOf(statusIn(project, url))).toMatchObject({
      what: 'The role "reader" may not read the version table app.versions of app.',
      do: 'GRANT USAGE ON SCHEMA "app" TO "reader"; GRANT SELECT ON "app"."versions of app" TO "reader";',
    });
    await owner.client.query(
      'grant usage on schema app to reader; grant select on app."versions of app" to reader; alter role reader set default_transaction_read_only = on',
    );
    expect((await statusIn(project, url)).heads).toEqual({ database: ["b2"], source: ["e4"] });
    await owner.client.query("drop owned by reader; drop role reader");
  });

  test("one that may not be read could be the one, unless another holds this project's ids", async () => {
    await using project = await writeProject(files);
    await using database = await server.database();
    alembic(project, database, "upgrade", "b2");
    await using owner = await testClient(database.address);
    await owner.client.query(
      `create table alembic_version (version_num varchar(32)); create role ro login password 'ro pw';
       create table fw_state (version_num int); insert into fw_state values (null)`,
    );
    const url = urlOf({ ...database.address, user: "ro", password: "ro pw" });
    const both = await failureOf(statusIn(project, url));
    expect(both.what).toBe('The role "ro" may not read the version table public.alembic_version.');
    await owner.client.query("grant select on alembic_version to ro");
    const ours = await failureOf(statusIn(project, url));
    expect(ours.what).toBe('The role "ro" may not read the version table app.versions of app.');
    await owner.client.query("insert into alembic_version values ('a1'), (null)");
    expect((await statusIn(project, url)).heads.database).toEqual(["a1"]);
    await owner.client.query("drop owned by ro; drop role ro");
  });

  test("a table of numbers with the same column is none", async () => {
    await using project = await writeProject(files);
    await using database = await server.database();
    await using owner = await testClient(database.address);
    await owner.client.query("create table fw_state (version_num int); insert into fw_state values (1)");
    expect((await failureOf(statusIn(project, urlOf(database.address)))).what).toBe(
      "The database has 1 table and no version table (alembic_version).",
    );
  });

  test("an id that the source lost is told with the last commit that had its file", async () => {
    await using project = await writeProject(files);
    await using database = await server.database();
    alembic(project, database, "upgrade", "heads");
    const git = (...words: string[]) =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], {
        cwd: project.path,
        encoding: "utf8",
      });
    git("init", "-q");
    git("add", ".");
    git("commit", "-q", "-m", "Release 1.4");
    const release = git("rev-parse", "HEAD").trim();
    rmSync(join(project.path, "migrations/versions/e4.py"));
    git("commit", "-q", "-a", "-m", "Go back to 1.3");
    const report = await statusIn(project, urlOf(database.address));
    expect(report.state).toBe("unknown revisions");
    expect(report.unknown).toMatchObject([
      { id: "e4", file: "migrations/versions/e4.py", lastCommit: { hash: release, subject: "Release 1.4" } },
    ]);
    expect(report.revisions.map(({ status: each }) => each)).toEqual(Array(4).fill("not known"));
    expect(statusText(report, false, paint)).toContain(`last in ${release.slice(0, 12)}`);
  });

  test("tables without a version table are refused with the line that stamps", async () => {
    await using project = await writeProject(files);
    await using database = await server.database();
    await using owner = await testClient(database.address);
    await owner.client.query("create table users (id int)");
    expect(await failureOf(statusIn(project, urlOf(database.address)))).toMatchObject({
      what: "The database has 1 table and no version table (alembic_version).",
      seen: "public.users",
      do: "Find out which revision its schema is, and write that down once: alembic stamp <revision>",
    });
  });

  test("of several version tables the one that holds this project's ids", async () => {
    await using project = await writeProject(files);
    await using database = await server.database();
    alembic(project, database, "upgrade", "b2");
    await using owner = await testClient(database.address);
    await owner.client.query(
      "create table alembic_version (version_num varchar(32)); insert into alembic_version values ('other')",
    );
    expect((await statusIn(project, urlOf(database.address))).heads.database).toEqual(["b2"]);
    await owner.client.query("update alembic_version set version_num = 'a1'");
    const failure = await failureOf(statusIn(project, urlOf(database.address)));
    expect(failure.seen).toBe("app.versions of app: b2\npublic.alembic_version: a1");
    const named = await statusIn(
      project,
      urlOf(database.address),
      "--version-table",
      "public.alembic_version",
    );
    expect(named.heads.database).toEqual(["a1"]);
    const wrong = await failureOf(statusIn(project, urlOf(database.address), "--version-table", "nothing"));
    expect(wrong.what).toBe('The database has no version table "nothing".');
  });
});

test("without an address it says which variable to set, and a wrong one shows no password", async () => {
  await using project = await writeProject(files);
  expect(await failureOf(statusIn(project, ""))).toMatchObject({
    what: "No database is named: DATABASE_URL is not set.",
  });
  const failure = await failureOf(statusIn(project, "postgresql://me:s3cret-pw@127.0.0.1:1/x"));
  expect(JSON.stringify(failure)).not.toContain("s3cret");
});

test("the text shows what is new first and counts the rest", async () => {
  await using project = await writeProject(files);
  await using database = await server.database();
  alembic(project, database, "upgrade", "c3");
  const text = statusText(await statusIn(project, urlOf(database.address)), false, paint);
  expect(
    text.replace(/^.*PostgreSQL [\d.]+[^:]*/m, "DATABASE"),
  ).toBe(`pending   e4  make e4 (head, merge point)
pending   d3  make d3
applied   c3  make c3
applied   b2  make b2 (branch point)
applied   a1  make a1

DATABASE: app.versions of app holds c3.
2 pending, 3 applied.
`);
});
