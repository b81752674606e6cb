import { loadModule } from "libpg-query";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/databases/postgres/connection";
import { madeBy } from "../../src/deploy/half-way";
import { type OwnWayBack, partsDown, runWayBack } from "../../src/lanes/own-way-back";
import { buildGraph } from "../../src/revisions/graph";
import { findProject } from "../../src/tools/find-project";
import { toolNamed } from "../../src/tools/index";
import { type TestServer, testClient, testServer } from "../support/database";
import { type ProjectFiles, writeProject } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  await loadModule();
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function read(files: ProjectFiles) {
  await using project = await writeProject({ "Cargo.toml": '[dependencies]\nsqlx = "0.8"\n', ...files });
  const found = toolNamed("sqlx").read(findProject(project.path));
  const graph = buildGraph(found.revisions);
  return { graph, bodies: graph.revisions.map((revision) => found.body(revision)) };
}

const reversible = (version: number): ProjectFiles => ({
  [`migrations/${version}_x.up.sql`]: "SELECT 1",
  [`migrations/${version}_x.down.sql`]: "SELECT 1",
});
const simple = (version: number): ProjectFiles => ({
  [`migrations/${version}_x.sql`]: "SELECT 1",
  [`migrations/rollback/${version}.sql`]: "SELECT 1",
});
const reverse = (version: number) => ({
  revision: String(version),
  file: `migrations/rollback/${version}.sql`,
});

describe("the parts of a way down", () => {
  test("neighbours of one kind go together", async () => {
    const { graph } = await read({
      ...reversible(1),
      ...reversible(2),
      ...simple(3),
      ...simple(4),
      ...reversible(5),
      ...reversible(6),
      ...simple(7),
    });
    expect(partsDown(graph, ["7"], "base")).toEqual([
      { reverses: [reverse(7)] },
      { target: "4" },
      { reverses: [reverse(4), reverse(3)] },
      { target: "base" },
    ]);
    expect(partsDown(graph, ["7"], "5")).toEqual([{ reverses: [reverse(7)] }, { target: "5" }]);
    expect(partsDown(graph, ["6"], "4")).toEqual([{ target: "4" }]);
    expect(partsDown(graph, ["4"], "2")).toEqual([{ reverses: [reverse(4), reverse(3)] }]);
  });
});

const rows =
  "CREATE TABLE versions (version int); INSERT INTO versions VALUES (3); CREATE TABLE kept (id int);";

describe("a reverse", () => {
  const back = (text: string): OwnWayBack => ({
    revision: "3",
    file: "rollback/3.sql",
    text,
    deletion: "DELETE FROM versions WHERE version = 3",
    writesVersions: (sql) => sql.includes("versions"),
  });
  const refused: Readonly<Record<string, readonly [text: string, told: string]>> = {
    "names the line of what fails": [
      "-- größer\nDROP TABLE kept;\n\nDROP TABLE gone;",
      "rollback/3.sql:4, 42P01",
    ],
    "names the line inside of a statement": ["SELECT 1;\nSELECT 'ö',\n  nothing;", "rollback/3.sql:3, 42703"],
    "that is no SQL": ["DROP TABLE kept;\nDROP TABEL x;", "rollback/3.sql:2, 42601"],
    "with a COMMIT": ["DROP TABLE kept;\nCOMMIT;", "COMMIT in rollback/3.sql"],
    "with what no transaction takes": ["VACUUM kept;", "cannot run inside a transaction block"],
    "that writes the version table": ["TRUNCATE versions;", "writes the version table"],
    "that waits longer than it may": ["SELECT pg_sleep(60);", "no answer within"],
  };
  test.each(Object.entries(refused))("%s", async (_, [text, told]) => {
    await using database = await server.database();
    await using observer = await testClient(database.address);
    await observer.client.query(rows);
    const timeoutMs = text.includes("sleep") ? 500 : 10_000;
    const result = await runWayBack(() => connect(database.address), [back(text)], { timeoutMs });
    expect([result.exitCode, result.timedOut]).toEqual(timeoutMs === 500 ? [null, true] : [1, false]);
    expect(result.output).toContain("error: while executing migration 3: ");
    expect(result.output).toContain(told);
    const { rows: left } = await observer.client.query(
      "SELECT version FROM versions, (SELECT count(*) FROM kept) k",
    );
    expect(left).toEqual([{ version: 3 }]);
  });

  test("is done with its row, also where it has a function with statements of its own", async () => {
    await using database = await server.database();
    await using observer = await testClient(database.address);
    await observer.client.query(rows);
    const text =
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;\nDROP TABLE kept -- the end";
    const result = await runWayBack(() => connect(database.address), [back(text)], { timeoutMs: 10_000 });
    expect([result.exitCode, result.output]).toEqual([
      0,
      "rollback/3.sql: done, and the row of version 3 is deleted\n",
    ]);
    const { rows: left } = await observer.client.query(
      "SELECT f(), (SELECT count(*)::int FROM versions) AS rows",
    );
    expect(left).toEqual([{ f: 2, rows: 0 }]);
  });
});

test("what a revision makes is what it does not drop before, and not what may be there", async () => {
  const { bodies } = await read({
    "migrations/1_x.sql": `DROP TABLE IF EXISTS a; CREATE TABLE a (id int);
      CREATE TABLE IF NOT EXISTS b (id int);
      CREATE TABLE s.c (id int); CREATE INDEX ON s.c (id); CREATE INDEX i ON s.c (id);
      ALTER TABLE s.c ADD COLUMN n int; ALTER TABLE d ADD COLUMN n int, ADD UNIQUE (n);
      CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';`,
  });
  const made = madeBy(bodies[0]?.operations ?? []);
  expect(made.map(({ kind, schema, table, name }) => [kind, schema, table, name].join(" "))).toEqual([
    "table s  c",
    "index s c i",
    "column  d n",
  ]);
});
