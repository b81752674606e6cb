import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { status } from "../../src/commands/status";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import { readSettings } from "../../src/project/read-settings";
import { findProject } from "../../src/tools/find-project";
import { toolNamed } from "../../src/tools/index";
import { compare } from "../commands/compared";
import { type TestServer, testClient, testServer } from "../support/database";
import { blames, judge, lintOff, openSteps } from "../support/gate";
import { repositoryIn } from "../support/git";
import { messageOf } from "../support/messages";
import { type Project, type ProjectFiles, writeProject } from "../support/project";
import { ask, deploy, refusal } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const cargo = '[dependencies]\nsqlx = "0.8"\n';
const crates: ProjectFiles = {
  "crates/a/Cargo.toml": cargo,
  "crates/a/migrations/1_a.up.sql": "CREATE TABLE a (id int PRIMARY KEY);\n",
  "crates/a/migrations/1_a.down.sql": "DROP TABLE a;\n",
  "crates/a/migrations/30_a.up.sql": "ALTER TABLE a ADD COLUMN x int;\n",
  "crates/a/migrations/30_a.down.sql": "ALTER TABLE a DROP COLUMN x;\n",
  "crates/b/Cargo.toml": cargo,
  "crates/b/migrations/2_b.up.sql": "CREATE TABLE b (id int REFERENCES a);\n",
  "crates/b/migrations/2_b.down.sql": "DROP TABLE b;\n",
  "crates/b/migration-gate.yml": lintOff["migration-gate.yml"],
};
const a: Pick<Project, "path"> = { path: "crates/a" };
const within = (project: Project, { path }: Pick<Project, "path">): Project => ({
  path: join(project.path, path),
  [Symbol.asyncDispose]: async () => undefined,
});
const others = ["--other-sources", "../a/migrations"];
const rows = "select version::text from _sqlx_migrations order by version";

const look = (project: Pick<Project, "path">, address: Address, ...args: string[]) =>
  status({
    settings: readSettings(["--working-directory", project.path, ...args], {}),
    environment: { DATABASE_URL: urlOf(address) },
  });

describe("two sources that write one version table", () => {
  test("are both named, with how to choose", async () => {
    await using project = await writeProject(crates);
    const message = await messageOf(() => findProject(project.path));
    expect(message).toContain("crates/a/migrations (sqlx)\n      crates/b/migrations (sqlx)\n");
    expect(message).toContain("Set working-directory, for instance working-directory: crates/a.");
  });

  test("each is proved, applied and taken back by itself; the rows of the other are left alone", async () => {
    await using project = await writeProject(crates);
    await using database = await server.database();
    const { address } = database;
    const b = within(project, { path: "crates/b" });
    await deploy("apply", within(project, a), address);
    const { what } = await refusal("apply", b, address);
    expect(what).toBe("The database has revisions that this source does not have: 1, 30.");

    expect((await look(b, address, ...others)).state).toBe("pending");
    const setup = ["--setup", "sqlx migrate run --source ../a/migrations"];
    const judged = await judge({ cwd: b.path, args: [...others, ...setup] });
    expect([judged.code, blames(judged.report), openSteps(judged.report)], judged.stderr).toEqual([
      0,
      [],
      [],
    ]);
    const up = await deploy("apply", b, address, { args: others });
    expect([up.code, up.report.state, up.report.heads], up.stderr).toEqual([
      0,
      "at target",
      { before: [], goal: ["2"], after: ["2"] },
    ]);
    expect((await look(within(project, a), address, "--other-sources", "any")).state).toBe("up to date");
    const down = await deploy("rollback", b, address, {
      args: [...others, ...setup, "--accept-loss", "table public.b"],
    });
    expect([down.code, down.report.heads.after], down.stderr).toEqual([0, []]);
    expect(await ask(address, rows)).toEqual(["1", "30"]);
  });

  test("a row of neither is still unknown; where the others are elsewhere, nobody can tell", async () => {
    await using project = await writeProject(crates);
    await using database = await server.database();
    const b = within(project, { path: "crates/b" });
    await deploy("apply", within(project, a), database.address);
    await ask(database.address, "update _sqlx_migrations set version = 7 where version = 30");
    const seen = await look(b, database.address, ...others);
    expect([seen.state, seen.unknown.map(({ id }) => id)]).toEqual(["unknown revisions", ["7"]]);
    expect((await look(b, database.address, "--other-sources", "any")).state).toBe("pending");
  });

  test.each([
    ["../c", {}, "There is no folder ../c, which the setting other-sources names."],
    ["./migrations/", {}, "which is this project's own folder of migrations."],
    [
      "../a/migrations",
      { "crates/a/migrations/0002_x.sql": "" },
      "Version 2 is in two sources that write one version table.\nseen  migrations/2_b.down.sql\n      ../a/migrations/0002_x.sql",
    ],
  ])("other-sources: %s is refused", async (source, more: ProjectFiles, tells) => {
    await using project = await writeProject({ ...crates, ...more });
    const b = join(project.path, "crates/b");
    expect(await messageOf(() => findProject(b, { "other-sources": [source] }))).toContain(tells);
  });

  test("is nothing for a tool that has its own way", async () => {
    await using project = await writeProject({
      "alembic.ini": "[alembic]\nscript_location = m\n",
      "m/env.py": "",
    });
    expect(await messageOf(() => findProject(project.path, { "other-sources": ["any"] }))).toContain(
      'The setting other-sources is "any", and alembic has none.',
    );
  });
});

describe("a version table that sqlx.toml names", () => {
  const toml = (name: string): ProjectFiles => ({
    "Cargo.toml": '[dependencies]\nsqlx = "0.9"\n',
    "sqlx.toml": `[migrate]\ntable-name = '${name}'\n`,
    "migrations/1_x.sql": "CREATE TABLE x (id int);\n",
  });
  /** A version table with version 1, applied with this text. */
  const make = async (address: Address, name: string, text = "CREATE TABLE x (id int);\n") => {
    const revision = { id: "1", message: "x" };
    const row = toolNamed("sqlx").rows?.insertion({ table: name }, revision, Buffer.from(text));
    await using person = await testClient(address);
    await person.client.query(
      `create table "${name}" (version bigint primary key, description text not null, installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null, execution_time bigint not null); ${row}`,
    );
  };

  test("is the one that is read, whatever another table holds", async () => {
    await using project = await writeProject(toml('"My migrations"'));
    await using database = await server.database();
    await make(database.address, "_sqlx_migrations", "another project's");
    await make(database.address, "My migrations");
    const seen = await look(project, database.address);
    expect([seen.state, seen.versionTable?.table]).toEqual(["up to date", "My migrations"]);
  });

  test("and is not there yet beside another source's: a first install", async () => {
    await using project = await writeProject(toml("mine"));
    await using database = await server.database();
    await make(database.address, "other", "another project's");
    expect((await look(project, database.address)).state).toBe("first install");
  });

  test("was given another name while the rows are in the old one: nothing is run twice", async () => {
    await using project = await writeProject(toml("app.renamed"));
    await using database = await server.database();
    await make(database.address, "_sqlx_migrations");
    expect(await messageOf(() => look(project, database.address))).toContain(
      "The project's version table is app.renamed, which is not there, and public._sqlx_migrations has its migrations.",
    );
  });

  test("of a name with quotes: the lines that make the table first can be typed", async () => {
    await using project = await writeProject(toml('"my app"."re""named; --"'));
    await using database = await server.database();
    await using person = await testClient(database.address);
    await person.client.query('create schema "my app"');
    await make(database.address, `old 'one'`);
    const message = await messageOf(() => look(project, database.address));
    const table = '"my app"."re""named; --"';
    const [, lines = ""] = /^do +.*: (CREATE TABLE .*)$/m.exec(message) ?? [];
    expect(lines, message).toBe(
      `CREATE TABLE ${table} (LIKE "public"."old 'one'" INCLUDING ALL); INSERT INTO ${table} SELECT * FROM "public"."old 'one'";`,
    );
    await person.client.query(lines);
    const seen = await look(project, database.address);
    expect([seen.state, seen.versionTable]).toEqual([
      "up to date",
      { schema: "my app", table: 're"named; --' },
    ]);
  });

  test("characters that do not count make no edit", async () => {
    await using project = await writeProject({
      ...toml("t"),
      "sqlx.toml": '[migrate]\nignored-chars = ["\\r", " "]\n',
      "migrations/2_y.sql": "CREATE TABLE y (id int);\n",
    });
    const repository = repositoryIn(project.path);
    repository.commit("base");
    repository.git("checkout", "-qb", "change");
    repository.write("migrations/1_x.sql", "CREATE TABLE x (id  int);\r\n");
    repository.write("migrations/2_y.sql", "CREATE TABLE y (id bigint);\n");
    repository.commit("change");
    const { findings } = await compare(project.path, []);
    expect(findings.map(({ rule, revision }) => `${rule} ${revision}`)).toEqual(["revision-edited 2"]);
  });
});
