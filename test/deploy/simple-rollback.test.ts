import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import type { DeployPlan } from "../../src/model/deployment";
import { toolNamed } from "../../src/tools/index";
import { schemaOf } from "../examples/alembic-run";
import { type TestServer, testClient, testServer } from "../support/database";
import { type ProjectFiles, writeProject } from "../support/project";
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

const first: ProjectFiles = {
  "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n[dependencies]\nsqlx = "0.8"\n',
  "migrations/001_one.sql": "CREATE TABLE one (id int PRIMARY KEY, name text);\n",
  "migrations/rollback/001.sql": "DROP TABLE one;\n",
};
const withIndex: ProjectFiles = {
  ...first,
  "migrations/002_index.sql": "CREATE INDEX one_name ON one (name);\nCREATE TYPE mood AS ENUM ('good');\n",
  "migrations/rollback/002.sql": "DROP TYPE mood;\n\nDROP INDEX one_name;\n",
};
const versions = "select version::text from _sqlx_migrations order by 1";

describe("a simple migration with its reverse", () => {
  test("is taken back with its row, and applied again", async () => {
    await using project = await writeProject(withIndex);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const { code, report, stderr } = await deploy("rollback", project, database.address);
    expect([code, report.state, report.problems, report.heads], stderr).toEqual([
      0,
      "at target",
      [],
      { before: ["2"], goal: ["1"], after: ["1"] },
    ]);
    expect(report.revisions).toMatchObject([
      { id: "2", file: "migrations/rollback/002.sql", status: "done" },
    ]);
    expect(stderr).toContain("by       migrations/rollback/002.sql, and the row of 2 with it");
    expect(await ask(database.address, versions)).toEqual(["1"]);
    expect(
      await ask(database.address, "select coalesce(to_regclass('one_name')::text, to_regtype('mood')::text)"),
    ).toEqual([null]);
    expect(records(project).map(({ command, state }) => `${command} ${state}`)).toEqual([
      "apply at target",
      "rollback at target",
    ]);
    const forward = await deploy("apply", project, database.address);
    expect([forward.code, forward.report.heads.after]).toEqual([0, ["2"]]);
    await deploy("rollback", project, database.address);
    const refused = await refusal("rollback", project, database.address);
    expect(refused.what).toBe("Taking revision 1 back loses what is in 1 place.");
    const last = await deploy("rollback", project, database.address, {
      args: ["--accept-loss", "table public.one"],
    });
    expect([last.code, last.report.heads.after], last.stderr).toEqual([0, []]);
    expect(await tables(database.address)).toEqual(["_sqlx_migrations"]);
  });

  test("that meets what the shadow did not have leaves nothing", async () => {
    await using project = await writeProject(withIndex);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    await ask(database.address, "drop index one_name");
    const { code, report } = await deploy("rollback", project, database.address);
    expect([code, report.state, report.leftovers, report.heads.after]).toEqual([2, "unchanged", [], ["2"]]);
    expect(report.problems).toMatchObject([
      {
        what: 'Revision 2 failed: Migration 2 failed: index "one_name" does not exist.',
        seen: expect.stringContaining("migrations/rollback/002.sql:3, 42704"),
      },
    ]);
    expect(await ask(database.address, "select to_regtype('mood')::text")).toEqual(["mood"]);
  });

  test("does not wait longer for a lock than it may", async () => {
    await using project = await writeProject(withIndex);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    await using holder = await testClient(database.address);
    await holder.client.query("begin; lock table one in access share mode");
    const { code, report } = await deploy("rollback", project, database.address, {
      args: ["--lock-timeout", "1", "--lock-tries", "2"],
    });
    expect([code, report.state, report.tries]).toEqual([2, "unchanged", 2]);
    expect(report.problems[0]?.what).toBe("Revision 2 could not have a lock within 1 s, in 2 tries.");
    await holder.client.query("rollback");
    expect((await deploy("rollback", project, database.address)).code).toBe(0);
  });

  test("is ended with the gate, and a record says that nothing was changed", async () => {
    await using project = await writeProject(withIndex);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    await using holder = await testClient(database.address);
    await holder.client.query("begin; lock table one in access share mode");
    const gate = await startDeploy("rollback", project, database.address, { args: ["--lock-timeout", "60"] });
    const waits =
      "select count(*)::int from pg_stat_activity where wait_event_type = 'Lock' and query like 'DROP INDEX%'";
    for (let turn = 0; turn < 300 && (await ask(database.address, waits))[0] === 0; turn++) await sleep(50);
    gate.child.kill("SIGTERM");
    expect((await gate.ended).signal).toBe("SIGTERM");
    expect(records(project).at(-1)).toMatchObject({ command: "rollback", state: "unchanged" });
    expect(await ask(database.address, waits)).toEqual([0]);
    expect(await ask(database.address, versions)).toEqual(["1", "2"]);
  });

  test("is shown statement by statement, and nothing is changed by a dry run", async () => {
    await using project = await writeProject(withIndex);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const { ended } = await startDeploy("rollback", project, database.address, { args: ["--dry-run"] });
    const plan = reportOf<DeployPlan>(await ended);
    expect(plan.revisions.map(({ wayBack, statements }) => [wayBack.kind, statements])).toMatchObject([
      [
        "proved downgrade",
        [
          { sql: "DROP TYPE mood" },
          { sql: "DROP INDEX one_name", locks: expect.arrayContaining(["AccessExclusiveLock on one"]) },
        ],
      ],
    ]);
    expect(await ask(database.address, versions)).toEqual(["1", "2"]);
  });

  test("does not run while an application migrates by the library", async () => {
    await using project = await writeProject(withIndex);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const key = toolNamed("sqlx").rows?.libraryLock(database.name);
    await using library = await testClient(database.address);
    await library.client.query(`select pg_advisory_lock(${key})`);
    const { code, report } = await deploy("rollback", project, database.address, {
      args: ["--lock-timeout", "1", "--lock-tries", "1"],
    });
    expect([code, report.state]).toEqual([2, "unchanged"]);
    expect(report.problems[0]?.what).toBe("Revision 2 could not have a lock within 1 s, in 1 try.");
    expect(await ask(database.address, versions)).toEqual(["1", "2"]);
  });
});

const much = `
CREATE TYPE state AS ENUM ('open', 'shut');
CREATE DOMAIN small AS int CHECK (value < 10);
CREATE TABLE parents (id int PRIMARY KEY, state state NOT NULL, child int);
CREATE TABLE children (id serial PRIMARY KEY, parent int REFERENCES parents, size small, UNIQUE (parent, size));
ALTER TABLE parents ADD CONSTRAINT favourite FOREIGN KEY (child) REFERENCES children;
CREATE INDEX parents_state ON parents (state);
ALTER TABLE one ADD COLUMN state state, ADD COLUMN "Odd ""Name" int;
CREATE INDEX one_name ON one (name);
ALTER TABLE one ADD CONSTRAINT short CHECK (length(name) < 10), ADD CONSTRAINT once UNIQUE (name);
CREATE SEQUENCE numbers;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON one FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW both_of_them AS SELECT p.id, c.size FROM parents p JOIN children c ON c.parent = p.id;
CREATE VIEW fewer AS SELECT id FROM both_of_them;
CREATE SCHEMA other;
CREATE TABLE other.things (id int);
`;

describe("a migration that says that it is irreversible", () => {
  test("is refused with a proposal that undoes what its upgrade made", async () => {
    await using project = await writeProject({
      ...first,
      "migrations/002_much.sql": `-- migration-gate: irreversible because we go forward\n${much}`,
    });
    await using database = await server.database();
    await deploy("apply", project, database.address, { args: ["--to", "1"] });
    const before = await schemaOf(database.address);
    await deploy("apply", project, database.address);
    const { what, do: advice } = await refusal("rollback", project, database.address);
    expect(what).toBe("Revision 2 is irreversible: we go forward.");
    expect(advice).toContain("Mend it by a new revision that goes forward");
    expect(advice).toContain('DELETE FROM "public"."_sqlx_migrations" WHERE version = 2;');
    expect(advice).toContain("into migrations/rollback/002.sql: then rollback proves it and runs it.");
    const [proposal] = /BEGIN;.*COMMIT;/s.exec(advice) ?? [];
    await using person = await testClient(database.address);
    await person.client.query(proposal ?? "");
    expect(compareCatalogs(before, await schemaOf(database.address))).toEqual([]);
    expect(await ask(database.address, versions)).toEqual(["1"]);
  });

  test("that drops and changes is told what the catalog does not know", async () => {
    await using project = await writeProject({
      ...first,
      "migrations/002_less.sql":
        "-- migration-gate: irreversible because nobody reads it\nALTER TABLE one DROP COLUMN name, ALTER COLUMN id TYPE bigint;",
    });
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const { do: advice } = await refusal("rollback", project, database.address);
    expect(advice).toContain("-- column public.one.name was dropped: create it again");
    expect(advice).toContain('-- column public.one.id was changed: bring back type "integer"');
  });

  test("of Alembic is refused with the line that stamps", async () => {
    await using project = await deployedProject([
      table("one"),
      { id: "two", up: sql("CREATE TABLE two (id int)"), down: 'raise NotImplementedError("no way")' },
    ]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const { do: advice } = await refusal("rollback", project, database.address);
    expect(advice).toContain("BEGIN;\nDROP TABLE public.two;\nCOMMIT;\nthen in a shell: alembic stamp one\n");
  });
});
