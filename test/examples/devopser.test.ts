import { afterAll, beforeAll, expect, test } from "vitest";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import { type TestServer, testClient, testServer } from "../support/database";
import { copyOfExample } from "../support/project";
import { runIn, schemaOf } from "./alembic-run";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("up, down and up again leave nothing, and the models agree", async () => {
  await using project = await copyOfExample("devopser");
  await using database = await server.database();
  const flask = async (...words: string[]) => {
    const ended = await runIn(project.path, ["flask", "db", ...words], database.address);
    expect(ended.code, ended.stderr).toBe(0);
    return { ...ended, schema: await schemaOf(database.address) };
  };
  const empty = await schemaOf(database.address);
  const head = await flask("upgrade");
  expect((await flask("check")).stdout).toContain("No new upgrade operations detected.");
  const base = await flask("downgrade", "base");
  const again = await flask("upgrade");
  expect(compareCatalogs(empty, base.schema)).toEqual([]);
  expect(compareCatalogs(head.schema, again.schema)).toEqual([]);
  expect((await flask("current")).stdout).toBe("a7e04f91d2c5 (head)\n");
});

test("services that are there get their tier", async () => {
  await using project = await copyOfExample("devopser");
  await using database = await server.database();
  const flask = (...words: string[]) => runIn(project.path, ["flask", "db", ...words], database.address);
  expect((await flask("upgrade", "74fa9e20b3c6")).code).toBe(0);
  await using connected = await testClient(database.address);
  await connected.client.query(`
    INSERT INTO teams (name) VALUES ('platform');
    INSERT INTO services (team_id, name, repository)
    SELECT teams.id, n::text, 'git' FROM teams, generate_series(1, 6001) n`);
  expect((await flask("upgrade")).code).toBe(0);
  const { rows } = await connected.client.query("SELECT tier::text, count(*)::int FROM services GROUP BY 1");
  expect(rows).toEqual([{ tier: "standard", count: 6001 }]);
  expect((await flask("downgrade", "74fa9e20b3c6")).code).toBe(0);
  expect((await flask("upgrade")).code).toBe(0);
});
