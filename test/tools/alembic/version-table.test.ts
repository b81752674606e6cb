import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { versionsSql, versionWrites } from "../../../src/tools/alembic/version-table";
import type { VersionTable, VersionWrite } from "../../../src/tools/contract";
import { cpuSeconds } from "../../support/cpu";

beforeAll(() => loadModule());

const write = (verb: VersionWrite["verb"], table: string, schema?: string): VersionWrite => ({
  verb,
  schema,
  table,
});

/** The statements of alembic 1.20.1 as psycopg2, psycopg and asyncpg send them, and what looks like them. */
const unknownTable: readonly (readonly [string, string, readonly VersionWrite[]])[] = [
  [
    "its CREATE",
    '\nCREATE TABLE "Meta x".my_versions (\n\tversion_num VARCHAR(32) NOT NULL, \n\tCONSTRAINT my_versions_pkc PRIMARY KEY (version_num)\n)\n\n',
    [write("create", "my_versions", "Meta x")],
  ],
  ["its CREATE without a key", "CREATE TABLE v (version_num VARCHAR(128) NOT NULL)", [write("create", "v")]],
  ["its INSERT", "INSERT INTO x (version_num) VALUES ('a') RETURNING x.version_num", [write("insert", "x")]],
  [
    "its UPDATE",
    `UPDATE "S".x SET version_num=$1 WHERE "S".x.version_num = 'a'`,
    [write("update", "x", "S")],
  ],
  [
    "its DELETE",
    "DELETE FROM alembic_version WHERE alembic_version.version_num = 'a'",
    [write("delete", "alembic_version")],
  ],
  ["its SELECT", "SELECT x.version_num \nFROM x", []],
  [
    "several in one text",
    "BEGIN; CREATE TABLE t (id int); INSERT INTO v (version_num) VALUES ('a'); UPDATE v SET version_num='b' WHERE v.version_num = 'a'; COMMIT",
    [write("insert", "v"), write("update", "v")],
  ],
  ["a user's table with that column", "CREATE TABLE documents (id int, version_num int)", []],
  ["a table that begins with that column", "CREATE TABLE documents (version_num int, id int)", []],
  ["a row of it", "INSERT INTO documents (id, version_num) VALUES (1, 2)", []],
  ["its update", "UPDATE documents SET version_num = 3 WHERE id = 1", []],
  ["its update of two columns", "UPDATE documents SET version_num = 3, x = 1 WHERE version_num = 2", []],
  ["its deletion by another condition", "DELETE FROM documents WHERE id = 1 AND version_num = 2", []],
  ["a text that only names it", "SELECT 'version_num'", []],
  ["what does not parse", "INSERT INTO version_num oops", []],
  ["nothing", "", []],
];

test.each(unknownTable)("not knowing the table: %s", (_, sql, expected) => {
  expect(versionWrites(sql)).toEqual(expected);
});

const table: VersionTable = { schema: "public", table: "alembic_version" };
const knownTable: readonly (readonly [string, string, readonly VersionWrite[]])[] = [
  [
    "its INSERT",
    "INSERT INTO alembic_version (version_num) VALUES ('a')",
    [write("insert", "alembic_version")],
  ],
  [
    "a hand-written INSERT",
    "insert into public.alembic_version values ('a')",
    [write("insert", "alembic_version", "public")],
  ],
  ["a DELETE of all", "DELETE FROM alembic_version", [write("delete", "alembic_version")]],
  ["a DROP of several", "DROP TABLE x, public.alembic_version", [write("drop", "alembic_version", "public")]],
  ["a TRUNCATE", "TRUNCATE alembic_version", [write("other", "alembic_version", "public")]],
  [
    "an ALTER",
    "ALTER TABLE alembic_version ALTER version_num TYPE varchar(128)",
    [write("other", "alembic_version", "public")],
  ],
  [
    "a DO block",
    "DO $$ BEGIN DELETE FROM alembic_version; END $$",
    [write("other", "alembic_version", "public")],
  ],
  [
    "a clause that writes",
    "WITH d AS (DELETE FROM alembic_version RETURNING 1) SELECT * FROM d",
    [write("other", "alembic_version", "public")],
  ],
  [
    "an UPDATE with such a clause",
    "WITH d AS (SELECT 1) UPDATE alembic_version SET version_num = 'x'",
    [write("other", "alembic_version", "public")],
  ],
  ["a COPY", "COPY alembic_version FROM STDIN", [write("other", "alembic_version", "public")]],
  ["a SELECT", "SELECT version_num FROM alembic_version", []],
  [
    "a comment and a grant",
    "COMMENT ON TABLE alembic_version IS 'x'; GRANT SELECT ON alembic_version TO public",
    [],
  ],
  ["the same name in another schema", "DELETE FROM other.alembic_version", []],
  ["another table that looks like one", "UPDATE documents SET version_num='b' WHERE version_num = 'a'", []],
  ["another statement", "ALTER TABLE users ADD x int", []],
];

test.each(knownTable)("knowing the table: %s", (_, sql, expected) => {
  expect(versionWrites(sql, table)).toEqual(expected);
});

describe("the SELECT of the applied heads", () => {
  test.each([
    [{ table: "v" }, 'SELECT version_num::text FROM "v" WHERE version_num IS NOT NULL ORDER BY 1'],
    [
      { schema: 'a"b', table: "V x" },
      'SELECT version_num::text FROM "a""b"."V x" WHERE version_num IS NOT NULL ORDER BY 1',
    ],
  ])("%j", (from, sql) => {
    expect(versionsSql(from)).toBe(sql);
  });
});

test("a statement that does not name the column costs next to nothing", () => {
  const sql = `INSERT INTO t VALUES ${Array.from({ length: 20_000 }, () => "('some text', 1)").join(", ")}`;
  const seconds = cpuSeconds(() => {
    for (let index = 0; index < 100; index++) versionWrites(sql);
  });
  expect(seconds).toBeLessThan(1);
});
