import { loadModule } from "libpg-query";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DatabaseFacts, readDatabaseFacts } from "../../src/databases/postgres/table-facts";
import { knownObjects } from "../../src/lanes/known-objects";
import { hintsOf } from "../../src/lanes/row-hints";
import { dataQueries } from "../../src/operations/data-query";
import { startServer, type TestServer } from "../databases/server";

let server: TestServer;
let facts: DatabaseFacts;
beforeAll(async () => {
  await loadModule();
  server = await startServer();
  const client = await server.database("facts");
  await client.query(`
    create schema audit;
    create type state as enum ('open', 'closed');
    create table pairs (b int, a int, note text, primary key (a, b));
    create table "Orders" (id int primary key, state text, size int, "Total" text, code varchar(9) unique, state2 state,
      constraint small check (size < 10) not valid);
    create table audit.pairs (id int primary key);
    alter table "Orders" add constraint fk foreign key (id, size) references public.pairs not valid;
    set search_path = audit`);
  facts = await readDatabaseFacts(client);
  expect((await client.query("show search_path")).rows).toEqual([{ search_path: "audit" }]);
  await client.end();
});
afterAll(() => server[Symbol.asyncDispose]());

test("tables with columns, keys and constraints, and the labels of enums", () => {
  expect(facts.tables.map(({ key, primaryKey }) => ({ key, primaryKey }))).toEqual([
    { key: "audit.pairs", primaryKey: ["id"] },
    { key: 'public."Orders"', primaryKey: ["id"] },
    { key: "public.pairs", primaryKey: ["a", "b"] },
  ]);
  const orders = facts.tables[1]!;
  expect(orders).toMatchObject({ schema: "public", name: "Orders" });
  expect(orders.columns.slice(1, 4)).toEqual([
    { name: "state", key: "state", isText: true },
    { name: "size", key: "size", isText: false },
    { name: "Total", key: '"Total"', isText: true },
  ]);
  expect(orders.constraints.fk).toBe("FOREIGN KEY (id, size) REFERENCES public.pairs(a, b) NOT VALID");
  expect(facts.enums).toEqual({ state: ["open", "closed"] });
});

describe("a question whose statement does not say all of it", () => {
  const asked = (sql: string) => dataQueries(sql, knownObjects(facts.tables)).map((query) => query.sql);

  test("has the parent's key, where one table has that name", () => {
    const add = (parent: string) =>
      asked(`ALTER TABLE "Orders" ADD FOREIGN KEY (id, size) REFERENCES ${parent}`)[0];
    expect(add("public.pairs")).toContain('p."a" = c."id" AND p."b" = c."size"');
    expect(add("pairs")).toContain("pg_index");
  });

  test("has the constraint that the base left open; one that nobody knows is not asked for", () => {
    expect(asked('ALTER TABLE "Orders" VALIDATE CONSTRAINT small')).toEqual([
      'SELECT 1 AS row FROM "Orders" WHERE NOT ((size < 10)) LIMIT 20',
    ]);
    expect(asked('ALTER TABLE "Orders" VALIDATE CONSTRAINT fk')).toHaveLength(1);
    expect(asked('ALTER TABLE "Orders" VALIDATE CONSTRAINT "constructor"')).toEqual([]);
  });
});

describe("hints", () => {
  const cases: Readonly<
    Record<string, readonly [sql: string, expected: Readonly<Record<string, readonly string[]>>]>
  > = {
    "of a condition, by catalog keys": [
      `UPDATE public."Orders" SET size = 1 WHERE "Total" = '5'`,
      { 'public."Orders"."Total"': ["5"] },
    ],
    "of every table that can be meant": [
      "DELETE FROM pairs WHERE id = 7 AND a = 8",
      { "audit.pairs.id": ["7"], "public.pairs.a": ["8"] },
    ],
    "of an enum that the database has, and what is added to it": [
      `ALTER TYPE state ADD VALUE 'new'; ALTER TABLE "Orders" ALTER state TYPE state USING state::state`,
      { 'public."Orders".state': ["new", "open", "closed"] },
    ],
    "of an enum that takes the place of another": [
      `CREATE TYPE kind AS ENUM ('open'); ALTER TABLE "Orders" ALTER state2 TYPE kind USING state2::text::kind`,
      { 'public."Orders".state2': ["open"] },
    ],
    "of another type, for texts alone": [
      `ALTER TABLE "Orders" ALTER state TYPE int USING state::int, ALTER size TYPE bigint USING size::bigint`,
      { 'public."Orders".state': ["1", "2", "3"] },
    ],
    "of nothing that is not there": ["UPDATE nowhere SET a = 1 WHERE b = 'x'", {}],
  };
  test.each(Object.entries(cases))("%s", (_, [sql, expected]) => {
    expect(Object.fromEntries(hintsOf([sql], facts))).toEqual(expected);
  });
});
