import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gradeOf } from "../../src/evidence/row-grade";
import { startServer, type TestServer } from "../databases/server";

const added = [
  { table: "usr", column: "q" },
  { table: "usr", column: "a b" },
];
const error = { detail: undefined };

test.each([
  ["any rows", "NULL in a new column", { ...error, sqlstate: "23502", table: "usr", column: "q" }],
  ["these rows", "NULL in an old column", { ...error, sqlstate: "23502", table: "usr", column: "email" }],
  [
    "these rows",
    "NULL in another table's column",
    { ...error, sqlstate: "23502", table: "team", column: "q" },
  ],
  ["these rows", "NULL in a domain", { ...error, sqlstate: "23502" }],
  [
    "any rows",
    "a new column's default twice",
    { sqlstate: "23505", table: "usr", detail: 'Key (q, "a b")=(1, x) is duplicated.' },
  ],
  [
    "these rows",
    "a new column beside an old one",
    { sqlstate: "23505", table: "usr", detail: "Key (team_id, q)=(1, 2) is duplicated." },
  ],
  [
    "these rows",
    "an expression",
    { sqlstate: "23505", table: "usr", detail: "Key (lower(q))=(x) is duplicated." },
  ],
  ["these rows", "a duplicate that the server does not show", { ...error, sqlstate: "23505", table: "usr" }],
  ["these rows", "a CHECK", { ...error, sqlstate: "23514" }],
  ["these rows", "a value that is too long", { ...error, sqlstate: "22001" }],
  [undefined, "a table that is not there", { ...error, sqlstate: "42P01" }],
])("%s: %s", (grade, _, failure) => {
  expect(gradeOf(failure, added)).toBe(grade);
});

describe("of what the server says", () => {
  let server: TestServer;
  let client: pg.Client;
  beforeAll(async () => {
    server = await startServer();
    client = await server.database("grades");
    await client.query("create table usr (id int, nick text); insert into usr values (1, null), (1, null)");
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    ["any rows", "alter table usr add q int not null"],
    ["any rows", "alter table usr add q int default 1 unique"],
    ["any rows", 'alter table usr add "a b" int default 1, add q int default 2, add unique (q, "a b")'],
    ["these rows", "alter table usr alter nick set not null"],
    ["these rows", "alter table usr add q int default 1, add unique (q, id)"],
    ["these rows", "create unique index on usr (id)"],
    ["these rows", "alter table usr alter id type int using id / 0"],
    [undefined, "alter table usr add id int"],
  ])("%s: %s", async (grade, statement) => {
    const error = await client.query(statement).catch((thrown: unknown) => thrown as pg.DatabaseError);
    if (!("code" in error)) throw new Error("it did not fail");
    const { code: sqlstate = "", detail, table = "", column = "" } = error;
    expect(gradeOf({ sqlstate, detail, table, column }, added)).toBe(grade);
  });
});
