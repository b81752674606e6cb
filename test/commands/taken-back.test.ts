import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import type { Finding } from "../../src/model/finding";
import type { ShadowDatabase } from "../../src/shadow/server";
import { deploy, deployedProject, sql, table } from "../deploy/deployed";
import { type TestServer, testClient, testServer } from "../support/database";
import { blames, judge } from "../support/gate";
import { openRepository, type Repository, repositoryIn } from "../support/git";
import { type Project, withPython, writeProject } from "../support/project";
import { compare } from "./compared";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const fileOf = (id: string) => `migrations/versions/${id}.py`;

/** one, two, three on main; the branch topic without these. */
async function without(
  ...ids: string[]
): Promise<{ project: Project; repository: Repository; short: string }> {
  const project = await deployedProject([table("one"), table("two"), table("three")]);
  const repository = repositoryIn(project.path);
  const short = repository.commit().slice(0, 10);
  repository.git("checkout", "-qb", "topic");
  for (const id of ids) repository.remove(fileOf(id));
  repository.commit();
  return { project, repository, short };
}

/** A database whose version table holds these ids, and no more than that. */
async function databaseAt(...ids: string[]): Promise<ShadowDatabase> {
  const database = await server.database();
  await using connected = await testClient(database.address);
  await connected.client.query("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)");
  for (const id of ids) await connected.client.query("INSERT INTO alembic_version VALUES ($1)", [id]);
  return database;
}

const settings = (...names: string[]) => names.flatMap((name) => ["--environments", name]);
const shown = (findings: readonly Finding[]) =>
  findings.map(({ severity, rule, revision }) => `${severity} ${rule} ${revision}`);

describe("a change that only removes the newest revisions", () => {
  test("passes when staging's database and production's record no longer have them", async () => {
    const { project, repository, short } = await without("three");
    await using _ = project;
    await using staging = await server.database("staging");
    await using production = await server.database("production");
    const args = ["--base", "main", ...settings("STAGING_URL", "production.json")];
    const env = { STAGING_URL: urlOf(staging.address) };
    const inBase = openRepository(project.path);
    inBase.git("checkout", "-q", "main");
    for (const { address } of [staging, production])
      expect((await deploy("apply", project, address)).code).toBe(0);
    const before = await deploy("apply", project, production.address);
    writeFileSync(join(project.path, "production.json"), JSON.stringify({ ...before.report, time: "then" }));
    inBase.git("checkout", "-q", "topic");

    const held = await judge({ cwd: project.path, args, env });
    expect({ code: held.code, findings: blames(held.report) }).toEqual({
      code: 1,
      findings: ["error revision-deleted three"],
    });
    const [finding] = held.report.findings;
    const { host, port, database } = staging.address;
    const place = `STAGING_URL (${host}:${port}/${database})`;
    expect(finding?.what).toBe(
      'Revision "three" was deleted after it had landed, and STAGING_URL and production.json still hold it.',
    );
    expect(finding?.seen).toMatch(/\nproduction\.json is at "three", seen at then\.$/);
    expect(finding?.do).toBe(
      `STAGING_URL: in a checkout of ${short}, with the address of ${place} in DATABASE_URL, and a role that may write: migration-gate rollback
production.json: in a checkout of ${short}, with the address of production.json in DATABASE_URL, and a role that may write: migration-gate rollback
Or restore it: git checkout ${short} -- ${fileOf("three")}`,
    );

    // What the finding says to do.
    inBase.git("checkout", "-q", "main");
    for (const { address } of [staging, production]) {
      const back = await deploy("rollback", project, address, {
        args: ["--accept-loss", "table public.three"],
      });
      expect(back.report.heads.after).toEqual(["two"]);
      writeFileSync(join(project.path, "production.json"), JSON.stringify({ ...back.report, time: "now" }));
    }
    inBase.git("checkout", "-q", "topic");
    writeFileSync(
      join(project.path, "migration-gate.yml"),
      "environments:\n  - STAGING_URL\n  - production.json\n",
    );
    const done = await judge({ cwd: project.path, args: ["--base", "main"], env });
    expect({ code: done.code, verdict: done.report.verdict, findings: blames(done.report) }).toEqual({
      code: 0,
      verdict: "passed",
      findings: ["note revision-taken-back three"],
    });
    expect(done.report.findings[0]).toMatchObject({
      what: 'Revision "three" was taken back; STAGING_URL and production.json do not hold it.',
      seen: expect.stringMatching(
        /STAGING_URL \(.*\) is at "two", seen at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.\nproduction\.json is at "two", seen at now\.$/,
      ),
    });
    expect(repository.git("status", "--short", "migrations")).toBe("");
  });

  test("is an error without the setting, which it names", async () => {
    const { project } = await without("three", "two");
    await using _ = project;
    const { findings } = await compare(project.path, []);
    expect(shown(findings).sort()).toEqual(["error revision-deleted three", "error revision-deleted two"]);
    expect(findings[0]?.do).toContain(
      'Or take "three", "two" back: migration-gate rollback on every database that has them; then name these databases in the setting environments, and the check reads there that they are gone.',
    );
  });

  test("is told for each: one is held, the other is not", async () => {
    const { project, short } = await without("three", "two");
    await using _ = project;
    await using staging = await databaseAt("two");
    await using production = await databaseAt("three");
    const environment = { STAGING: urlOf(staging.address), PRODUCTION: urlOf(production.address) };
    const of = async (...names: string[]) =>
      (await compare(project.path, settings(...names), environment)).findings;
    expect(shown(await of("STAGING")).sort()).toEqual([
      "error revision-deleted two",
      "note revision-taken-back three",
    ]);
    const both = await of("STAGING", "PRODUCTION");
    expect(both.find(({ revision }) => revision === "two")?.do.split("\n")).toEqual([
      expect.stringMatching(`^STAGING: in a checkout of ${short}, with the address`),
      expect.stringMatching(
        `^PRODUCTION: in a checkout of ${short}, 2 times \\(three, then two\\), with the`,
      ),
      expect.stringMatching("^Or restore it: "),
    ]);
  });

  test("is an error where an environment cannot be read, and says why", async () => {
    const { project } = await without("three");
    await using _ = project;
    await using good = await databaseAt("two");
    await using strange = await databaseAt("elsewhere");
    writeFileSync(join(project.path, "failed.json"), JSON.stringify({ state: "partly applied" }));
    const environment = {
      GOOD: urlOf(good.address),
      STRANGE: urlOf(strange.address),
      CLOSED: "postgresql://gate:hunter2secret@127.0.0.1:1/app",
    };
    const names = ["GOOD", "STRANGE", "CLOSED", "MISSING", join(project.path, "failed.json"), "gone.json"];
    const { findings } = await compare(project.path, settings(...names), environment);
    expect(shown(findings)).toEqual(["error revision-deleted three"]);
    const [{ what, seen, do: advice } = { what: "", seen: "", do: "" }] = findings;
    expect(what).toBe(
      `Revision "three" was deleted after it had landed, and CLOSED, MISSING, ${names[4]} and gone.json could not be read; STRANGE is at a revision that is not known here.`,
    );
    expect(seen).toMatch(/\nCLOSED was not read: .*127\.0\.0\.1:1/);
    expect(seen).toContain("\nMISSING was not read: no such variable is set.\n");
    expect(seen).toContain('failed.json was not read: its state is "partly applied".\n');
    expect(seen).toMatch(/\ngone.json was not read: there is no such file\.$/);
    expect(advice).toContain("STRANGE: run the check where the revision that it is at is known");
    expect(JSON.stringify(findings)).not.toContain("hunter2secret");
  });

  test.each([
    ["adds one elsewhere", "new", 'revision = "new"\ndown_revision = "two"\ndef upgrade():\n    pass\n'],
    ["edits one", "one", `revision = "one"\ndown_revision = None\ndef upgrade():\n    ${sql("SELECT 1")}\n`],
  ])("is no taking back where it %s as well", async (_, id, text) => {
    const { project, repository } = await without("three");
    await using __ = project;
    repository.write(fileOf(id), `from alembic import op\n${text}`);
    repository.commit();
    await using database = await databaseAt("two");
    const { findings } = await compare(project.path, settings("AT_TWO"), { AT_TWO: urlOf(database.address) });
    expect(shown(findings)).toContain("error revision-deleted three");
  });

  test("asks nobody where nothing is removed", async () => {
    const { project } = await without();
    await using _ = project;
    const { findings } = await compare(project.path, settings("MISSING"));
    expect(findings).toEqual([]);
  });

  test.each(["two", "one"])("does not when later ones stay: %s", async (id) => {
    const { project } = await without(id);
    await using _ = project;
    await using empty = await server.database();
    const { findings } = await compare(project.path, settings("EMPTY"), { EMPTY: urlOf(empty.address) });
    expect(shown(findings)).toContain(`error revision-deleted ${id}`);
  });

  test("does not when the target goes on from what is removed", async () => {
    const { project, repository } = await without("three");
    await using _ = project;
    repository.git("checkout", "-q", "main");
    const text = `revision = "four"\ndown_revision = "three"\ndef upgrade():\n    pass\n`;
    repository.write(fileOf("four"), text);
    repository.commit();
    repository.git("checkout", "-q", "topic");
    await using empty = await databaseAt("two");
    const { findings } = await compare(project.path, settings("EMPTY"), { EMPTY: urlOf(empty.address) });
    expect(shown(findings)).toContain("error revision-deleted three");
  });
});

/** The environment of a tool on this database. */
const toolEnvironment = (database: ShadowDatabase) => ({
  ...withPython(),
  DATABASE_URL: urlOf(database.address),
});

function alembic(project: Project, database: ShadowDatabase, ...words: string[]) {
  const end = spawnSync("alembic", words, {
    cwd: project.path,
    env: toolEnvironment(database),
    encoding: "utf8",
  });
  return { code: end.status, said: end.stderr + end.stdout };
}

describe("a squash, by what environments hold", () => {
  test("Alembic stops at an id that is gone; with the line of the finding it goes on", async () => {
    const { project, repository } = await without();
    await using _ = project;
    await using database = await server.database();
    expect(alembic(project, database, "upgrade", "head").code).toBe(0);
    for (const id of ["one", "two", "three"]) repository.remove(fileOf(id));
    const makes = ["one", "two", "three"].map((id) => sql(`CREATE TABLE ${id} (id int)`)).join("; ");
    repository.write(
      fileOf("all"),
      `from alembic import op\nrevision = "all"\ndown_revision = None\ndef upgrade():\n    ${makes}\ndef downgrade():\n    pass\n`,
    );
    repository.commit();
    const environment = { STAGING: urlOf(database.address) };
    const found = async () => (await compare(project.path, settings("STAGING"), environment)).findings;
    const [stopped] = await found();
    expect(stopped).toMatchObject({ rule: "revision-squashed", severity: "error" });
    expect(stopped?.do).toMatch(/^STAGING is at "three", which is gone: it would stop\.\n/);
    const failed = alembic(project, database, "upgrade", "head");
    expect(failed.code).not.toBe(0);
    expect(failed.said).toContain("Can't locate revision identified by 'three'");

    const [, line = ""] = /right before the deploy: alembic (.*)$/m.exec(stopped?.do ?? "") ?? [];
    expect(alembic(project, database, ...line.split(" ")).code).toBe(0);
    expect(alembic(project, database, "upgrade", "head").code).toBe(0);
    expect(shown(await found())).toEqual(["note revision-squashed all"]);
  });

  test("with the id of the last one kept, a database that is there goes on, and one that is not is told", async () => {
    const { project, repository } = await without("one", "two");
    await using _ = project;
    repository.write(
      fileOf("three"),
      `from alembic import op\nrevision = "three"\ndown_revision = None\ndef upgrade():\n    ${sql("CREATE TABLE one (id int)")}; ${sql("CREATE TABLE two (id int)")}; ${sql("CREATE TABLE three (id int)")}\n`,
    );
    repository.commit();
    await using there = await databaseAt("three");
    await using behind = await databaseAt("two");
    await using empty = await server.database();
    const environment = {
      THERE: urlOf(there.address),
      EMPTY: urlOf(empty.address),
      BEHIND: urlOf(behind.address),
    };
    const of = async (...names: string[]) =>
      (await compare(project.path, settings(...names), environment)).findings;
    expect(shown(await of())).toEqual(["warning revision-squashed three"]);
    expect(shown(await of("THERE", "EMPTY"))).toEqual(["note revision-squashed three"]);
    const [stopped] = await of("THERE", "BEHIND");
    expect(stopped?.severity).toBe("error");
    expect(stopped?.do).toMatch(/^BEHIND is at "two", which is gone: it would stop\.\n/);
    expect(alembic(project, there, "upgrade", "head").code).toBe(0);
  });

  test("with the id of the first one kept, a database that has only that one is told", async () => {
    const { project, repository } = await without("two", "three");
    await using _ = project;
    const makes = ["one", "two", "three"].map((id) => sql(`CREATE TABLE ${id} (id int)`)).join("; ");
    repository.write(
      fileOf("one"),
      `from alembic import op\nrevision = "one"\ndown_revision = None\ndef upgrade():\n    ${makes}\n`,
    );
    repository.commit();
    await using database = await databaseAt("one");
    const { findings } = await compare(project.path, settings("STAGING"), {
      STAGING: urlOf(database.address),
    });
    expect(shown(findings)).toEqual(["error revision-squashed one"]);
    expect(findings[0]?.do).toMatch(
      /^STAGING has "one" and not "two", "three": it would never get the rest\.\n/,
    );
  });

  test("sqlx refuses; with the statements of the finding it goes on", async () => {
    await using project = await writeProject({
      "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8" }\n',
      "migrations/1_users.sql": "CREATE TABLE users (id int);\n",
      "migrations/2_tags.sql": "CREATE TABLE tags (id int);\n",
      "migrations/3_name.sql": "ALTER TABLE users ADD COLUMN name text;\n",
    });
    const repository = repositoryIn(project.path);
    repository.commit();
    await using database = await server.database();
    const run = () => {
      const env = toolEnvironment(database);
      return spawnSync("sqlx", ["migrate", "run"], { cwd: project.path, env, encoding: "utf8" });
    };
    expect(run().status).toBe(0);
    repository.git("checkout", "-qb", "topic");
    for (const file of ["1_users", "2_tags", "3_name"]) repository.remove(`migrations/${file}.sql`);
    repository.write("migrations/1_users.sql", "CREATE TABLE users (id int, name text);\n");
    repository.write("migrations/2_tags.sql", "CREATE TABLE tags (id int);\n");
    repository.commit();
    const environment = { STAGING: urlOf(database.address) };
    const found = async () => (await compare(project.path, settings("STAGING"), environment)).findings;
    const [refused] = await found();
    expect(refused).toMatchObject({ rule: "revision-squashed", severity: "error" });
    expect(refused?.do).toMatch(
      /^STAGING has 3, which would be missing, and 1 by other bytes: it would refuse\.\n/,
    );
    const end = run();
    expect(end.stdout).toContain(
      "migration 3 was previously applied but is missing in the resolved migrations",
    );
    const [statements = ""] = /^BEGIN;[\s\S]*^COMMIT;$/m.exec(refused?.do ?? "") ?? [];
    await using connected = await testClient(database.address);
    await connected.client.query(statements);
    expect(run().status).toBe(0);
    expect(shown(await found())).toEqual(["note revision-squashed 1"]);
  });

  test("one of SQLx that is taken back, by its rows", async () => {
    await using project = await writeProject({
      "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8" }\n',
      "migrations/1_users.sql": "CREATE TABLE users (id int);\n",
      "migrations/2_tags.up.sql": "CREATE TABLE tags (id int);\n",
      "migrations/2_tags.down.sql": "DROP TABLE tags;\n",
    });
    const repository = repositoryIn(project.path);
    repository.commit();
    await using database = await server.database();
    const sqlx = (...words: string[]) =>
      execFileSync("sqlx", ["migrate", ...words], {
        cwd: project.path,
        env: toolEnvironment(database),
        stdio: "pipe",
      });
    sqlx("run");
    repository.git("checkout", "-qb", "topic");
    const environment = { STAGING: urlOf(database.address) };
    const found = async () => {
      for (const way of ["up", "down"]) repository.remove(`migrations/2_tags.${way}.sql`);
      const { findings } = await compare(project.path, settings("STAGING"), environment);
      repository.git("checkout", "-q", "--", ".");
      return shown(findings);
    };
    expect(await found()).toEqual(["error revision-deleted 2"]);
    sqlx("revert");
    expect(await found()).toEqual(["note revision-taken-back 2"]);
  });
});
