import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { StatusReport } from "../../src/model/status";
import { type TestServer, testClient, testServer } from "../support/database";
import { startGate } from "../support/gate";
import { type Project, withPython, writeProject } from "../support/project";
import { deploy, deployedProject, refusal, sql, table, tables } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const project = (second: string): Promise<Project> =>
  writeProject({
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n[dependencies]\nsqlx = "0.8"\n',
    "migrations/001_one.sql": "CREATE TABLE one (id int, name text);\n",
    "migrations/002_it's_second.sql": second,
  });

async function presentIn(project: Project, address: Address): Promise<readonly string[] | undefined> {
  const { ended } = await startGate(["status", "--format", "json"], {
    cwd: project.path,
    env: { DATABASE_URL: urlOf(address) },
  });
  const report = JSON.parse((await ended).stdout) as StatusReport;
  return report.revisions.find(({ id }) => id === "2")?.present;
}

async function person(address: Address, statements: string): Promise<void> {
  await using connected = await testClient(address);
  await connected.client.query(statements);
}

const parts = `CREATE TYPE mood AS ENUM ('good');
ALTER TABLE one ADD COLUMN mood mood, ADD CONSTRAINT named CHECK (name <> '');
CREATE TABLE "Two" (id int PRIMARY KEY);
CREATE INDEX two_id ON "Two" (id);
CREATE MATERIALIZED VIEW seen AS SELECT id FROM one;
COMMIT;
BEGIN;
ALTER TABLE one ADD COLUMN late int;
SELECT 1 / count(*) FROM one;
`;

describe("a migration that stopped half way", () => {
  test("behind a COMMIT of its own is told with what is there, and can be finished", async () => {
    await using stopped = await project(parts);
    await using database = await server.database();
    expect(await presentIn(stopped, database.address)).toBeUndefined();
    const first = await deploy("apply", stopped, database.address);
    expect([first.code, first.report.state, first.report.heads.after]).toEqual([1, "partly applied", ["1"]]);
    const again = await deploy("apply", stopped, database.address);
    expect(again.code).toBe(1);
    const [failure, half] = again.report.problems;
    expect(failure?.what).toBe('Revision 2 failed: Migration 2 failed: type "mood" already exists.');
    expect(half?.what).toBe(
      'Revision 2 is pending, and objects of it are there already: type public.mood, column public.one.mood, constraint public.one.named, table public."Two", index public.two_id, materialized view public.seen.',
    );
    expect(half?.do).toContain("Or finish it by hand (not there: column one.late; rows that it writes");
    expect(await presentIn(stopped, database.address)).toContain('table public."Two"');
    const { ended } = await startGate(["status"], {
      cwd: stopped.path,
      env: { DATABASE_URL: urlOf(database.address) },
    });
    expect((await ended).stdout).toContain("(objects of it are there already: type public.mood, column ");
    const row = /^INSERT INTO .*$/m.exec(half?.do ?? "")?.[0] ?? "";
    await person(database.address, `ALTER TABLE one ADD COLUMN late int; ${row}`);
    const info = execFileSync("sqlx", ["migrate", "info"], {
      cwd: stopped.path,
      env: { ...withPython(), DATABASE_URL: urlOf(database.address) },
      encoding: "utf8",
    });
    expect(info.trim().split("\n")).toEqual(["1/installed one", "2/installed it's second"]);
    expect((await deploy("apply", stopped, database.address)).report.outcome).toBe("nothing to do");
  });

  test("is undone by the statements that are given", async () => {
    await using stopped = await project(
      parts.replace(
        "SELECT 1 / count(*) FROM one;",
        "SELECT 1 / count(*) FROM pg_namespace WHERE nspname = 'ready';",
      ),
    );
    await using database = await server.database();
    const first = await deploy("apply", stopped, database.address);
    const half = first.report.problems.at(-1);
    const undo = /again:\n(.*)\nOr finish/s.exec(half?.do ?? "")?.[1] ?? "";
    for (const statement of undo.split("\n")) await person(database.address, statement);
    await person(database.address, "CREATE SCHEMA ready");
    const again = await deploy("apply", stopped, database.address);
    expect([again.code, again.report.state], again.stderr).toEqual([0, "at target"]);
  });

  test("is refused before the start where the proof is given, with the same advice", async () => {
    await using stopped = await project(
      "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY one_id ON one (id);",
    );
    await using database = await server.database();
    const proof = join(stopped.path, "proof.json");
    const { ended } = await startGate(["check", "--write-proof", proof], { cwd: stopped.path });
    expect([0, 1], (await ended).stderr).toContain((await ended).code);
    await deploy("apply", stopped, database.address, { args: ["--to", "1"] });
    await person(database.address, "INSERT INTO one VALUES (1), (1)");
    await deploy("apply", stopped, database.address);
    const refused = await refusal("apply", stopped, database.address, { args: ["--proof", proof] });
    expect(refused.seen).toContain("Revision 2 is pending, and objects of it are there already: index");
    expect(refused.do).toContain("DROP INDEX CONCURRENTLY public.one_id;");
  });

  test("with an invalid index is told so", async () => {
    await using stopped = await project(
      "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY one_id ON one (id);",
    );
    await using database = await server.database();
    await deploy("apply", stopped, database.address, { args: ["--to", "1"] });
    await person(database.address, "INSERT INTO one VALUES (1), (1)");
    await deploy("apply", stopped, database.address);
    const { report } = await deploy("apply", stopped, database.address);
    const half = report.problems.at(-1);
    expect(half?.what).toBe(
      "Revision 2 is pending, and objects of it are there already: index public.one_id (invalid).",
    );
    await person(database.address, "DELETE FROM one");
    await person(database.address, /^DROP INDEX CONCURRENTLY .*;$/m.exec(half?.do ?? "")?.[0] ?? "");
    expect((await deploy("apply", stopped, database.address)).code).toBe(0);
    expect(await presentIn(stopped, database.address)).toBeUndefined();
  });

  test("of Alembic is told with the line that stamps", async () => {
    const up = [sql("CREATE TABLE two (id int)"), sql("COMMIT"), sql("SELECT 1 / 0")].join("\n");
    await using stopped = await deployedProject([table("one"), { id: "two", up }]);
    await using database = await server.database();
    await deploy("apply", stopped, database.address, { args: ["--to", "one"] });
    await deploy("apply", stopped, database.address);
    const { report } = await deploy("apply", stopped, database.address);
    expect(await tables(database.address)).toContain("two");
    const half = report.problems.at(-1);
    expect(half?.what).toBe(
      "Revision two is pending, and objects of it are there already: table public.two.",
    );
    expect(half?.do).toMatch(/\nalembic stamp two$/);
  });
});
