import fc from "fast-check";
import { loadModule, parseSync } from "libpg-query";
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
    expect(words(sql)).toEqual([]);
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

  test("for a constraint of the text once it is validated", () => {
    const sql = `ALTER TABLE t ADD CONSTRAINT "k k" CHECK (a > 0) NOT VALID, ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (b) NOT VALID;
      ALTER TABLE t VALIDATE CONSTRAINT "k k"; ALTER TABLE u VALIDATE CONSTRAINT f`;
    expect(words(sql)).toEqual(["fails if any row breaks the CHECK k k"]);
  });

  test("for the statements in a block", () => {
    const sql = `DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'i') THEN CREATE UNIQUE INDEX i ON t (a); END IF;
      EXECUTE 'ALTER TABLE t ALTER b SET NOT NULL';
      EXECUTE format('ALTER TABLE %I DROP c', 't');
    END $$`;
    expect(words(sql)).toEqual(["fails if two rows share a", "fails if b is NULL in any row"]);
  });

  test("of a column that is dropped and made again for the old one's values", () => {
    const sql = "ALTER TABLE t DROP COLUMN a, ADD COLUMN a int DEFAULT 1 UNIQUE, ADD b int DEFAULT 1 UNIQUE";
    expect(dataQueries(sql).map((query) => query.sql)).toEqual([
      'SELECT count("a") AS lost FROM "t" HAVING count("a") > 0',
      'SELECT "b", count(*) AS rows FROM (SELECT "t".*, (1)::integer AS "b" FROM "t") AS "t" WHERE num_nulls("b") = 0 GROUP BY 1 HAVING count(*) > 1 LIMIT 20',
    ]);
  });

  test("of a partitioned index' parent nothing but the parent", () => {
    expect(dataQueries("CREATE UNIQUE INDEX ON ONLY t (a)")[0]?.sql).toContain('FROM ONLY "t"');
  });
});

/** Expressions in which a bracket, comma or word could be taken for the statement's own. */
const expressions = [
  "a > 1",
  "a IN ('x', ')')",
  "(a > 1) AND b[1:2] = ARRAY[1, 2]",
  "CASE WHEN a THEN 1 ELSE 2 END = 1",
  "a COLLATE \"C\" < 'b'",
  "CAST(a AS numeric(4, 1)) > 1",
  "extract(year FROM c) > 2",
  "a ~ $$,;) USING$$",
  "a ~ $x$ WHERE ($x$ || E'\\'),'",
  '"check" > 1 AND "using (" > "where" AND U&"d\\0061t" = 1',
  "t.a IS DISTINCT FROM (t.b)",
  "ROW(a, b) = (1, 2)",
  "NOT a BETWEEN 1 AND 2",
  "-- ),\n a > 1 /* , /* ) */ */",
  "coalesce(é, '€😀,')::text LIKE '%,%' ESCAPE '!'",
  "b = ANY ('{a,b}'::text[])",
  "interval '1 day' > c - date '2024-01-01'",
  "a OPERATOR(pg_catalog.>) 1",
  "current_user = b",
  "substring(b FROM 1 FOR 2) = overlay(b PLACING ',' FROM 1)",
];

/** Where an expression `e` can stand, and which of the statement's commands it is in. */
const places: readonly ((e: string) => string)[] = [
  (e) => `ALTER TABLE t ADD CHECK (${e})`,
  (e) => `ALTER TABLE ONLY s.t DROP x, ADD CONSTRAINT "check (" CHECK (${e}) NO INHERIT, ADD UNIQUE (y)`,
  (e) => `ALTER TABLE t ADD x int DEFAULT 5 CHECK (${e}), DROP y`,
  (e) => `ALTER TABLE t ALTER x TYPE text COLLATE "C" USING ${e}, DROP y`,
  (e) => `ALTER TABLE t ALTER "using" SET DATA TYPE numeric(4, 1) USING (${e})`,
  (e) =>
    `CREATE UNIQUE INDEX i ON t USING btree (x, (${e}) DESC NULLS LAST, y) INCLUDE (z) WITH (fillfactor = 70) WHERE z > 1`,
  (e) => `CREATE UNIQUE INDEX ON t (lower(x)) NULLS NOT DISTINCT TABLESPACE p WHERE ${e}`,
  (e) => `ALTER TABLE t ADD EXCLUDE USING gist (x WITH &&, (${e}) WITH OPERATOR(public.=)) WHERE (y > 1)`,
  (e) => `ALTER TABLE t ADD EXCLUDE (x WITH =) INCLUDE (y) WHERE (${e})`,
  (e) => `ALTER TABLE t ADD x boolean NOT NULL GENERATED ALWAYS AS (${e}) STORED, DROP y`,
];

/** A tree without its places in the text. */
function bare(tree: unknown): string {
  return JSON.stringify(tree, (key, value: unknown) =>
    /^location$|list_(?:start|end)$/.test(key) ? undefined : value,
  );
}

function expressionOf(text: string): string {
  const [statement] = parseSync(`SELECT (${text})`).stmts ?? [];
  const node = statement?.stmt;
  const [target] = node !== undefined && "SelectStmt" in node ? (node.SelectStmt.targetList ?? []) : [];
  return bare(target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined);
}

describe("dataQueries of any text", () => {
  test("puts each expression into one SELECT as it stands in the statement", () => {
    for (const place of places) {
      for (const expression of expressions) {
        const sql = place(expression);
        const queries = dataQueries(sql).map((query) => parseSync(query.sql).stmts ?? []);
        const trees = queries.filter((stmts) => bare(stmts).includes(expressionOf(expression)));
        expect([sql, trees.length]).toEqual([sql, 1]);
        expect(queries.map((stmts) => stmts.map(({ stmt }) => Object.keys(stmt ?? {}).join()))).toEqual(
          queries.map(() => ["SelectStmt"]),
        );
      }
    }
  });

  test("is never stopped", () => {
    const pieces = [
      ...places.map((place) => place("a > 1")),
      ..."( ) , ; ' \" [ $1 $$ -- /* 😀 USING CHECK (".split(" "),
    ];
    const texts = fc.array(fc.tuple(fc.constantFrom(...pieces), fc.nat(60)), { maxLength: 6 });
    fc.assert(
      fc.property(texts, (parts) => {
        dataQueries(parts.map(([text, from]) => text.slice(0, from) + text.slice(from + 1)).join(" "));
      }),
      { numRuns: 1000 },
    );
  });
});
