import { loadModule } from "libpg-query";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { catalogSession } from "../../src/databases/postgres/catalog/session";
import { type Proved, wayBackOf } from "../../src/deploy/plan";
import type { CatalogDelta } from "../../src/model/catalog";
import type { Revision } from "../../src/model/revision";
import { type TestServer, testClient, testServer } from "../support/database";

beforeAll(() => loadModule());

const revision = { id: "one", downgrade: undefined } as unknown as Revision;

/** Of a proved downgrade that ran these statements and removed these keys. */
function loses(sql: readonly string[], removed: readonly string[] = []): readonly string[] {
  return losesBy(
    sql,
    removed.map((key) => ({ key, before: "{}", after: undefined })),
  );
}

function losesBy(sql: readonly string[], changes: CatalogDelta): readonly string[] {
  const step = { revision: "one", direction: "downgrade", status: "proved" };
  const recorded = { ...step, changes, statements: sql.map((text) => ({ sql: text })) };
  const proved = {
    result: { legs: [{ steps: [recorded] }] },
    steps: [step],
    isBookkeeping: (text: string) => text.includes("alembic_version"),
  };
  return wayBackOf(proved as unknown as Proved, revision).loses;
}

test.each([
  "DELETE FROM one",
  "/* clean */ DELETE FROM one",
  "-- clean\nUPDATE one SET a = 1",
  "DROP INDEX one_id; DELETE FROM one",
  "WITH gone AS (DELETE FROM one RETURNING *) INSERT INTO two SELECT * FROM gone",
  "MERGE INTO one USING two ON one.id = two.id WHEN MATCHED THEN DELETE",
  "INSERT INTO one VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1",
  "DO $$ BEGIN DELETE FROM one; END $$",
  "TRUNCATE one",
])("rows are lost by %s", (sql) => {
  expect(loses([sql])).toEqual([expect.stringMatching(/^rows: /)]);
});

test.each([
  "INSERT INTO one VALUES ('\"DeleteStmt\": delete from')",
  "CREATE TABLE deleted (id int)",
  "SELECT * FROM one FOR UPDATE",
  "DROP INDEX one_id",
  "ALTER TABLE one ALTER COLUMN a DROP DEFAULT",
  "DELETE FROM alembic_version",
])("nothing is lost by %s", (sql) => {
  expect(loses([sql])).toEqual([]);
});

test("what is dropped and made again has lost its rows; what is gone is named once", () => {
  const again = ["DROP TABLE public.one", "CREATE TABLE public.one (id int)"];
  expect(loses(again)).toEqual(["rows: DROP TABLE public.one"]);
  const column = ["ALTER TABLE one DROP COLUMN a", "ALTER TABLE one ADD COLUMN a int"];
  expect(loses(column)).toEqual(["rows: ALTER TABLE one DROP COLUMN a"]);
  expect(loses(["DROP TABLE one"], ["table public.one"])).toEqual(["table public.one"]);
  expect(loses(['ALTER TABLE one DROP COLUMN "A b"'], ['column public.one."A b"'])).toEqual([
    'column public.one."A b"',
  ]);
});

describe("what has another name afterwards", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** Of these statements on a server; each is one of a downgrade. */
  async function lost(statements: readonly string[]): Promise<readonly string[]> {
    const database = await server.database();
    await using connected = await testClient(database.address);
    const { client } = connected;
    await client.query(`
      create schema app;
      create table app.cards (id int primary key, name text, "old ""name" text, size int);
      create table cards (id int, name text);
      create table logs (at date, line text) partition by range (at);
      create table logs_1 partition of logs for values from ('2026-01-01') to ('2026-02-01');
    `);
    const before = await readCatalog(catalogSession(client));
    for (const statement of statements) await client.query(statement);
    const after = await readCatalog(catalogSession(client));
    const keys = [...new Set([...before.keys(), ...after.keys()])];
    const changes = keys
      .map((key) => ({ key, before: before.get(key), after: after.get(key) }))
      .filter((change) => change.before !== change.after);
    return losesBy(statements, changes);
  }

  test.each<[name: string, statements: string[], expected: string[]]>([
    ["a column", ["alter table app.cards rename name to title"], []],
    ["a column in quotes", ['alter table app.cards rename "old ""name" to "na.me"'], []],
    [
      "a column by way of a third name",
      ["alter table app.cards rename name to x", "alter table app.cards rename x to y"],
      [],
    ],
    ["a table", ["alter table app.cards rename to boards"], []],
    [
      "a table in another schema",
      ["alter table app.cards rename to boards", "alter table app.boards set schema public"],
      [],
    ],
    [
      "a table and its column",
      ["alter table app.cards rename to boards", "alter table app.boards rename name to title"],
      [],
    ],
    [
      "a column of a partitioned table, and so of its partitions",
      ["alter table public.logs rename line to text"],
      [],
    ],
    ["a column, in a block", ["do $$ begin alter table app.cards rename name to title; end $$"], []],
    [
      "two columns that change places",
      [
        "alter table app.cards rename name to x",
        'alter table app.cards rename "old ""name" to name',
        'alter table app.cards rename x to "old ""name"',
      ],
      [],
    ],
    [
      "a column and another type",
      ["alter table app.cards rename size to weight", "alter table app.cards alter weight type smallint"],
      ["column app.cards.size"],
    ],
    [
      "a column that is dropped then",
      ["alter table app.cards rename name to title", "alter table app.cards drop title"],
      ["column app.cards.name", "rows: alter table app.cards drop title"],
    ],
    [
      "a column that is dropped then and made anew",
      [
        "alter table app.cards rename name to title",
        "alter table app.cards drop title",
        "alter table app.cards add title text",
      ],
      ["rows: alter table app.cards drop title"],
    ],
    [
      "a table that loses a column",
      ["alter table app.cards drop size", "alter table app.cards rename to boards"],
      ["column app.cards.size"],
    ],
    [
      "a table that is dropped then and made anew",
      ["alter table app.cards rename to boards", "drop table app.boards", "create table app.boards (id int)"],
      [
        'column app.cards."old ""name"',
        "column app.cards.name",
        "column app.cards.size",
        "rows: drop table app.boards",
      ],
    ],
    [
      "the same column of another table, and here it is dropped",
      ["alter table app.cards rename name to title", "alter table public.cards drop name, add title text"],
      ["column public.cards.name"],
    ],
    [
      "a column that takes the place of one",
      ["alter table app.cards drop name", 'alter table app.cards rename "old ""name" to name'],
      ['column app.cards."old ""name"', "rows: alter table app.cards drop name"],
    ],
  ])("%s", async (_name, statements, expected) => {
    expect(await lost(statements)).toEqual(expected);
  });
});
