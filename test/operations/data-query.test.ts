import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { dataQueries } from "../../src/operations/data-query";

beforeAll(() => loadModule());

const words = (sql: string): string[] => dataQueries(sql).map((query) => query.words);

describe("dataQueries has nothing to ask", () => {
  test.each([
    [
      "for a constraint that is not validated",
      "ALTER TABLE t ADD CHECK (a > 0) NOT VALID, ADD FOREIGN KEY (a) REFERENCES u NOT VALID",
    ],
    ["for a constraint that is not enforced", "ALTER TABLE t ADD CHECK (a > 0) NOT ENFORCED"],
    [
      "for a constraint of an index that is there",
      "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX i",
    ],
    ["for a constraint whose definition is not known", "ALTER TABLE t VALIDATE CONSTRAINT k"],
    ["for an index that is not unique", "CREATE INDEX i ON t (a)"],
    [
      "for a new column without a constraint",
      "ALTER TABLE t ADD a int, ADD b int DEFAULT 3, ADD c serial NOT NULL",
    ],
    [
      "for a new column that each row fills by itself",
      "ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE",
    ],
    ["for an identity", "ALTER TABLE t ADD a bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"],
    ["for a reference of a new column without values", "ALTER TABLE t ADD a int REFERENCES u"],
    ["for a longer varchar that has no length", "ALTER TABLE t ALTER a TYPE varchar"],
    ["for bound values", "ALTER TABLE t ADD CHECK (a > $1)"],
    ["for an expression that queries", "ALTER TABLE t ADD CHECK (a > (SELECT 1))"],
    [
      "for a table that the text makes",
      "CREATE TABLE t (a int); ALTER TABLE t ALTER a SET NOT NULL; CREATE TABLE s.u AS SELECT 1; DROP TABLE s.u",
    ],
    ["for a view", "ALTER VIEW v ALTER a SET DEFAULT 1; DROP VIEW v"],
    [
      "for what is no change of a table",
      "SELECT 1; INSERT INTO t VALUES (1); COMMENT ON TABLE t IS 'x'; DO $$ BEGIN DELETE FROM t; END $$",
    ],
    ["for what does not parse", "ALTER TABEL t DROP a; ALTER TABLE t ALTER"],
    ["for nothing", " ; -- x"],
  ])("%s", (_, sql) => {
    // A NULL is never a duplicate and points nowhere, but that is the server's to say.
    expect(words(sql).filter((text) => !/points at|NULL in any row/.test(text))).toEqual([]);
  });
});

describe("dataQueries asks", () => {
  test("for each command and each statement, in their order", () => {
    const sql = `ALTER TABLE a ALTER x SET NOT NULL, DROP COLUMN y, ADD UNIQUE (z);
      SELECT broken FROM; TRUNCATE b, c; CREATE UNIQUE INDEX CONCURRENTLY ON d (x)`;
    expect(words(sql)).toEqual([
      "fails if x is NULL in any row",
      "loses the values of y",
      "fails if two rows share z",
      "loses the rows of b",
      "loses the rows of c",
      "fails if two rows share x",
    ]);
  });

  test("without the statement's comments, with every name quoted, and names the functions", () => {
    const sql = `CREATE UNIQUE INDEX ON "My schema".t (lower(/* secret */ "A b"), md5(c)) WHERE public.is_open(c) -- secret
      AND c > 'x; -- y'`;
    expect(dataQueries(sql)).toEqual([
      {
        words: 'fails if two rows share lower("A b"), md5(c)',
        effect: "fails",
        sql: `SELECT lower("A b"), md5(c), count(*) AS rows FROM "My schema"."t" WHERE CASE WHEN (public.is_open(c) AND c > 'x; -- y') THEN num_nulls(lower("A b"), md5(c)) = 0 ELSE false END GROUP BY 1, 2 HAVING count(*) > 1 LIMIT 20`,
        sqlstate: "23505",
        functions: ["lower", "md5", "is_open"],
      },
    ]);
  });

  test("of a partitioned index' parent nothing but the parent", () => {
    expect(dataQueries("CREATE UNIQUE INDEX ON ONLY t (a)")[0]?.sql).toContain('FROM ONLY "t"');
  });
});
