import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import type { Change } from "../../src/model/operation";
import { readSql } from "../../src/operations/read-sql";
import { cpuSeconds } from "../support/cpu";

beforeAll(() => loadModule());

/** The text that each change stands in, and the change in short. */
function read(sql: string): string[] {
  return readSql(sql).changes.map(({ change, from, to }) => `${short(change)} @ ${sql.slice(from, to)}`);
}

function short(change: Change): string {
  const { kind, ...rest } = change;
  const parts = Object.values(rest).flatMap((value: unknown) =>
    typeof value === "object" && value !== null ? shortObject(value) : [String(value)],
  );
  return [kind, ...parts].join(" ");
}

function shortObject(value: object): string {
  if ("name" in value && "schema" in value) return [value.schema, value.name].filter(Boolean).join(".");
  return JSON.stringify(value);
}

const whole = (text: string) => (sql: string) => [`${text} @ ${sql}`];

const cases: Readonly<Record<string, readonly [string, (sql: string) => string[]]>> = {
  "an index": ["CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a)", whole("createIndex i s.t true true")],
  "an index of a partitioned table alone": [
    "CREATE INDEX i ON ONLY t (a)",
    whole("createIndex i t false false true"),
  ],
  "an index that goes": ["DROP INDEX CONCURRENTLY IF EXISTS s.i", whole("dropIndex s.i true")],
  "two tables that go": [
    "DROP TABLE a, s.b CASCADE",
    (sql) => [`dropTable a @ ${sql}`, `dropTable s.b @ ${sql}`],
  ],
  "a view is no table": ["ALTER VIEW v RENAME TO w", whole("otherSql RenameStmt")],
  "an index is no table": ["ALTER INDEX i RENAME TO j", whole("otherSql RenameStmt")],
  "a table in another schema": ["ALTER TABLE t SET SCHEMA s", whole("renameTable t s.t")],
  "a column with another name": ["ALTER TABLE t RENAME a TO b", whole("renameColumn t a b")],
  "a detached partition": [
    "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
    whole("detachPartition t p true"),
  ],
  "an unlogged table": ["ALTER TABLE t SET UNLOGGED", whole("rewriteTable t SET UNLOGGED")],
  "a full vacuum": ["VACUUM (FULL) t", whole("rewriteTable t VACUUM FULL")],
  "a usual vacuum": ["VACUUM t", whole("noTrace VACUUM t")],
  "an update of all rows": ["UPDATE t SET a = 1", whole("dataChange update t false")],
  "a delete of some": ["DELETE FROM t WHERE a = 1", whole("dataChange delete t true")],
  "an update of all rows that has a WHERE": [
    "UPDATE t SET a = 1 WHERE true",
    whole("dataChange update t false"),
  ],
  "a delete of all rows that has a WHERE": [
    "DELETE FROM t WHERE (1=1 AND 'x' = 'x') OR a = 2",
    whole("dataChange delete t false"),
  ],
  "a delete of no rows": ["DELETE FROM t WHERE false", whole("dataChange delete t true")],
  "a delete of what is NULL": ["DELETE FROM t WHERE NULL = NULL", whole("dataChange delete t true")],
  "a delete of some, with more": ["DELETE FROM t WHERE 1 = 1 AND a = 2", whole("dataChange delete t true")],
  "what a question changes": [
    "WITH x AS (UPDATE t SET k = 2 RETURNING 1), y AS (SELECT 1) SELECT * FROM x, y",
    whole("dataChange update t false"),
  ],
  "what a question changes and calls": [
    "WITH x AS (DELETE FROM t WHERE a = 1 RETURNING a) SELECT do_it(a) FROM x",
    (sql) => [`dataChange delete t true @ ${sql}`, `otherSql SelectStmt @ ${sql}`],
  ],
  "what moves from one table to another": [
    "WITH x AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT a FROM x",
    (sql) => [`dataChange delete t false @ ${sql}`, `dataChange insert u true @ ${sql}`],
  ],
  "a schema with all that is in it": [
    "DROP SCHEMA IF EXISTS s, u CASCADE",
    (sql) => [`dropSchema s @ ${sql}`, `dropSchema u @ ${sql}`],
  ],
  "an empty schema": ["DROP SCHEMA s", whole("otherSql DropStmt")],
  "a question": ["SELECT count(*) FROM t", whole("noTrace SELECT count(*) FROM t")],
  "a question that calls what it likes": ["SELECT do_it()", whole("otherSql SelectStmt")],
  "an enum value": ["ALTER TYPE s.e ADD VALUE 'x'", whole("addEnumValue s.e x")],
  "strings, quoted names, comments and dollars with ; in them": [
    `SELECT 'a;b', E'\\';', ";c" /* ; /* ; */ */ -- ;
     , $x$;$x$; DROP TABLE t`,
    (sql) => [
      `noTrace ${sql.slice(0, sql.indexOf("; DROP"))} @ ${sql.slice(0, sql.indexOf("; DROP"))}`,
      "dropTable t @ DROP TABLE t",
    ],
  ],
  "letters of more than one byte before it": [
    "SELECT 'äöü€😀';\nDROP TABLE t",
    () => ["noTrace SELECT 'äöü€😀' @ SELECT 'äöü€😀'", "dropTable t @ DROP TABLE t"],
  ],
  "one statement that does not parse": [
    "DROP TABLE a; CREATE TABEL b; DROP TABLE c",
    () => [
      "dropTable a @ DROP TABLE a",
      'unknown PostgreSQL\'s grammar does not take "CREATE TABEL b" @ CREATE TABEL b',
      "dropTable c @ DROP TABLE c",
    ],
  ],
  "what a DO block does, at its line": [
    "DO $$\nBEGIN\n  IF true THEN\n    CREATE INDEX i ON t (a);\n  END IF;\n  EXECUTE 'DROP TABLE u';\n  EXECUTE format('DROP TABLE %I', x);\nEND $$",
    () => [
      "createIndex i t false false @ CREATE INDEX i ON t (a);",
      "dropTable u @ EXECUTE 'DROP TABLE u';",
      "unknown EXECUTE runs a text that is put together there @ EXECUTE format('DROP TABLE %I', x);",
    ],
  ],
  nothing: [" ; -- only\n /* this */ ", () => []],
  "an open string": [
    "SELECT 'a",
    () => ["unknown PostgreSQL's grammar does not take \"SELECT 'a\" @ SELECT 'a"],
  ],
};

describe("readSql reads", () => {
  test.each(Object.entries(cases))("%s", (_, [sql, expected]) => {
    expect(read(sql)).toEqual(expected(sql));
  });

  test("a new column with its constraints", () => {
    const sql =
      "ALTER TABLE t ADD a varchar(20) NOT NULL DEFAULT clock_timestamp() UNIQUE REFERENCES u CHECK (a > 1)";
    const changes = readSql(sql).changes.map(({ change }) => change);
    expect(changes.map(({ kind }) => kind)).toEqual([
      "addColumn",
      "addConstraint",
      "addConstraint",
      "addConstraint",
    ]);
    expect(changes[0]).toMatchObject({
      column: {
        name: "a",
        type: { name: "varchar", modifiers: [20], array: false },
        nullable: false,
        default: "volatile",
      },
    });
    expect(changes.slice(1).map((change) => "constraint" in change && change.constraint)).toMatchObject([
      { kind: "unique", trivial: false },
      { kind: "foreignKey", trivial: false, notValid: false },
      { kind: "check", trivial: false },
    ]);
  });

  test("five megabytes of rows in one statement, and what follows it, in no time", () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => `(${index}, 'row ${index}')`).join(", ");
    const read = () => readSql(`INSERT INTO big VALUES ${rows}; DROP TABLE t`).changes;
    let kinds: string[] = [];
    const seconds = cpuSeconds(() => {
      kinds = read().map(({ change }) => change.kind);
    });
    expect(kinds).toEqual(["dataChange", "dropTable"]);
    expect(seconds).toBeLessThan(3);
  });

  test("a text of ten thousand open brackets without harm", () => {
    expect(readSql(`SELECT ${"(".repeat(10_000)}`).changes.map(({ change }) => change.kind)).toEqual([
      "unknown",
    ]);
    expect(
      readSql(`SELECT ${"(".repeat(10_000)}1${")".repeat(10_000)}; DROP TABLE t`).changes.at(-1)?.change.kind,
    ).toBe("dropTable");
  });
});
