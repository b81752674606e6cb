import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestServer, testServer } from "../support/database";
import { copyOfExample, writeProject } from "../support/project";
import { ask, deploy, refusal } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test.each([
  ["boards", "BOARDS_DATABASE_URL", "revision 1 of "],
  ["devopser", "DATABASE_URL", "revision 1 of "],
  // sqlx tells what it has done, not what it begins.
  ["everruns", "DATABASE_URL", "Applied 1/migrate base schema"],
])("the example %s goes up and its newest revision back", async (name, variable, tells) => {
  await using project = await copyOfExample(name);
  await using database = await server.database();
  const { host, port, user, password } = database.address;
  const url = `postgresql://${user}:${password}@${host}:${port}/${database.name}`;
  const env = { DATABASE_URL: undefined, [variable]: url };
  const args = ["--database-url-env", variable];
  const up = await deploy("apply", project, database.address, { args, env });
  expect([up.code, up.report.state], up.stderr).toEqual([0, "at target"]);
  expect(up.stderr).toContain(tells);
  const again = await deploy("apply", project, database.address, { args, env });
  expect(again.report.outcome).toBe("nothing to do");
  const { do: advice } = await refusal("rollback", project, database.address, { args, env });
  const names = [...advice.matchAll(/--accept-loss '([^']+)'/g)].flatMap(([, loss]) => [
    "--accept-loss",
    loss ?? "",
  ]);
  const down = await deploy("rollback", project, database.address, { args: [...args, ...names], env });
  expect([down.code, down.report.heads.after], down.stderr).toEqual([0, down.report.heads.goal]);
  const forward = await deploy("apply", project, database.address, { args, env });
  expect([forward.code, forward.report.revisions.length], forward.stderr).toEqual([0, 1]);
});

const sqlx = {
  "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n[dependencies]\nsqlx = "0.8"\n',
  "migrations/1_one.up.sql": "CREATE TABLE one (id int);\n",
  "migrations/1_one.down.sql": "DROP TABLE one;\n",
  "migrations/2_two.up.sql": "CREATE INDEX two ON one (id);\n",
  "migrations/2_two.down.sql": "DROP INDEX two;\n",
};

test("reversible migrations of SQLx go up, back one, and up again", async () => {
  await using project = await writeProject(sqlx);
  await using database = await server.database();
  const up = await deploy("apply", project, database.address);
  expect([up.code, up.report.revisions.map(({ id, status }) => `${id} ${status}`)], up.stderr).toEqual([
    0,
    ["1 done", "2 done"],
  ]);
  const down = await deploy("rollback", project, database.address);
  expect([down.code, down.report.heads.after], down.stderr).toEqual([0, ["1"]]);
  const forward = await deploy("apply", project, database.address);
  expect([forward.code, forward.report.heads.after], forward.stderr).toEqual([0, ["2"]]);
  expect(await ask(database.address, "select version::text from _sqlx_migrations order by 1")).toEqual([
    "1",
    "2",
  ]);
});

test("a file of SQLx that was edited after it was applied stops everything before the start", async () => {
  await using project = await writeProject(sqlx);
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "1"] });
  appendFileSync(join(project.path, "migrations/1_one.up.sql"), "-- a comment\n");
  const { what } = await refusal("apply", project, database.address);
  expect(what).toBe("The file of revision 1 is not the one that was applied.");
});

test("simple migrations of SQLx have no way back: rollback says so and writes nothing", async () => {
  await using project = await writeProject({
    "Cargo.toml": sqlx["Cargo.toml"],
    "migrations/1_one.sql": "CREATE TABLE one (id int);\n",
  });
  await using database = await server.database();
  await deploy("apply", project, database.address);
  const { what } = await refusal("rollback", project, database.address);
  expect(what).toMatch(/^The downgrade of revision 1 was not proved: |^Revision 1 is irreversible: /);
  expect(await ask(database.address, "select version::text from _sqlx_migrations")).toEqual(["1"]);
});
