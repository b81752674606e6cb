import fc from "fast-check";
import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { type Difference, differenceOf } from "../../src/operations/difference";
import { readBody } from "../../src/tools/sqlx/read";

beforeAll(() => loadModule());

const textOf = (text: string) => ({
  text,
  operations: readBody("migrations/1_x.sql", Buffer.from(text)).operations,
});
const between = (before: string, after: string) => differenceOf(textOf(before), textOf(after), "upgrade");

/** `+` added, `-` removed, `~` changed, `=` otherwise. */
function shown({ added, removed, changed, otherwise }: Difference): string[] {
  return [
    ...added.map(({ object, verb }) => `+ ${object} (${verb})`),
    ...removed.map(({ object, verb }) => `- ${object} (${verb})`),
    ...changed.map(({ before, after }) => `~ ${after.object} (${after.verb}): ${before.how}, ${after.how}`),
    ...otherwise.map(({ deed, line }) => `= ${deed.object} (${deed.verb}) ${line}`),
  ];
}

const cases: Readonly<Record<string, readonly [string, string, readonly string[]]>> = {
  "another layout": ["CREATE TABLE a (id int,\n b text);", "CREATE TABLE a\n(id int, b text);", []],
  "another order of statements": [
    "CREATE TABLE a (id int); CREATE TABLE b (id int);",
    "CREATE TABLE b (id int); CREATE TABLE a (id int);",
    [],
  ],
  "a column of a new table, and its default": [
    "CREATE TABLE a (id int, n int DEFAULT 1);",
    "CREATE TABLE a (id int, n int, m varchar(3) NOT NULL);",
    ["+ column a.m (create table)", "~ column a.n (create table): int4 default constant, int4"],
  ],
  "a table is named without its columns": [
    "CREATE TABLE a (id int, n int);",
    "",
    ["- table a (create table)"],
  ],
  "the same twice": [
    "INSERT INTO a VALUES (1);",
    "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1);",
    ["+ rows of a (insert)"],
  ],
  "other values": [
    "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);",
    "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (3);",
    ["= rows of a (insert) 2"],
  ],
  "a table's own text, where its columns are the same": [
    "CREATE TABLE a (id int CHECK (id > 0));",
    "CREATE TABLE a (id int CHECK (id > 1));",
    ["= table a (create table) 1"],
  ],
  "every kind has words": [
    "",
    `ALTER TABLE a ADD COLUMN b int, DROP COLUMN c, ALTER d TYPE text, ALTER e SET NOT NULL, ALTER f SET DEFAULT 1;
ALTER TABLE a RENAME TO z; ALTER TABLE a RENAME COLUMN g TO h; DROP TABLE t; DROP SCHEMA s CASCADE;
CREATE UNIQUE INDEX i ON a (b); DROP INDEX j; ALTER TABLE a ADD CONSTRAINT k CHECK (b > 0), DROP CONSTRAINT l;
ALTER TABLE a VALIDATE CONSTRAINT m; ALTER TABLE p DETACH PARTITION q; CREATE MATERIALIZED VIEW v AS SELECT 1;
REFRESH MATERIALIZED VIEW v; ALTER TABLE a SET UNLOGGED; CREATE TYPE y AS ENUM (); DROP TYPE x;
ALTER TYPE y ADD VALUE 'w'; UPDATE a SET b = 1; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT 1;`,
    [
      "+ column a.b (add column)",
      "+ column a.c (drop column)",
      "+ column a.d (change type)",
      "+ column a.e (set NOT NULL)",
      "+ column a.f (set default)",
      "+ table a (rename table)",
      "+ column a.g (rename column)",
      "+ table t (drop table)",
      "+ schema s (drop schema)",
      "+ index i (create index)",
      "+ index j (drop index)",
      "+ check k on a (add constraint)",
      "+ constraint l on a (drop constraint)",
      "+ constraint m on a (validate constraint)",
      "+ table q (detach partition)",
      "+ materialized view v (create)",
      "+ materialized view v (refresh)",
      "+ table a (SET UNLOGGED)",
      "+ type y (create type)",
      "+ type x (drop type)",
      "+ value 'w' of type y (add value)",
      "+ rows of a (update)",
      "+ a statement (create function) (run)",
    ],
  ],
};

describe("the difference of two texts of a revision", () => {
  test.each(Object.entries(cases))("%s", (_, [before, after, wanted]) => {
    expect(shown(between(before, after))).toEqual(wanted);
  });

  test("names every column that one of them has and the other has not, and no other", () => {
    const columns = fc.uniqueArray(fc.constantFrom(..."abcdefghij"));
    fc.assert(
      fc.property(columns, columns, (before, after) => {
        const sql = (names: readonly string[]) =>
          names.map((name) => `ALTER TABLE t ADD COLUMN ${name} int;`).join("\n");
        const text = (name: string) => `column t.${name} (add column)`;
        expect(shown(between(sql(before), sql(after))).sort()).toEqual(
          [
            ...after.filter((name) => !before.includes(name)).map((name) => `+ ${text(name)}`),
            ...before.filter((name) => !after.includes(name)).map((name) => `- ${text(name)}`),
          ].sort(),
        );
      }),
    );
  });
});
