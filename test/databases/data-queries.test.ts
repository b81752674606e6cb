import { loadModule } from "libpg-query";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askDataQueries, type DataAnswer } from "../../src/databases/postgres/ask-data-query";
import type { Address } from "../../src/databases/postgres/connection";
import type { DataQuery } from "../../src/model/rows";
import { dataQueries, type KnownObjects } from "../../src/operations/data-query";
import { startServer, type TestServer } from "./server";

let server: TestServer;
let client: pg.Client;
let reader: Address;
beforeAll(async () => {
  await loadModule();
  server = await startServer();
  client = await server.database("asked");
  await client.query("create role reader login; alter default privileges grant select on tables to reader");
  const { port } = server;
  reader = {
    name: "READER",
    host: "127.0.0.1",
    port,
    user: "reader",
    password: undefined,
    database: "asked",
    sslmode: "disable",
  };
});
afterAll(() => server[Symbol.asyncDispose]());

interface Case {
  readonly tables: string;
  readonly statement: string;
  /** Rows on which it fails. */
  readonly bad: string;
  /** Rows on which it does not. */
  readonly good: string;
  readonly words: readonly string[];
  readonly known?: KnownObjects;
  /** Of PostgreSQL from this version on. */
  readonly since?: number;
}

const t = "create table t (id int, a text, b text)";

const cases: Readonly<Record<string, Case>> = {
  "a unique index": {
    tables: t,
    statement: "CREATE UNIQUE INDEX i ON t (a)",
    bad: "insert into t (a) values ('x'), ('x')",
    good: "insert into t (a) values ('x'), ('X'), (null), (null)",
    words: ["fails if two rows share a"],
  },
  "a unique index of expressions, with a predicate": {
    tables: t,
    statement:
      'CREATE UNIQUE INDEX i ON public.t USING btree (lower(a) DESC, (id + 1 /* one more */), b COLLATE "C" text_pattern_ops) INCLUDE (id) WHERE b IS NOT NULL -- end',
    bad: "insert into t values (1, 'x', 'y'), (1, 'X', 'y')",
    good: "insert into t values (1, 'x', 'y'), (2, 'X', 'y'), (1, 'x', null), (1, 'X', null), (1, null, 'y'), (1, null, 'y')",
    words: ["fails if two rows share lower(a), (id + 1), b"],
  },
  "a unique index whose expression fails outside of its predicate": {
    tables: t,
    statement:
      "CREATE UNIQUE INDEX i ON t ((a::int)) WHERE (a ~ '^[0-9]+$' AND lower(a) = a AND upper(a) = a AND trim(a) = a) IS TRUE",
    bad: "insert into t (a) values ('x'), ('07'), ('7')",
    good: "insert into t (a) values ('x'), ('y'), ('7')",
    words: ["fails if two rows share (a::int)"],
  },
  "a unique index for which NULLs are equal": {
    tables: t,
    statement: "CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT",
    bad: "insert into t (a) values (null), (null)",
    good: "insert into t (a) values ('x'), (null)",
    words: ["fails if two rows share a"],
    since: 15,
  },
  "a unique constraint of hostile names": {
    tables: 'create table "T ""t;" ("A, b" text, "select" text)',
    statement: 'ALTER TABLE "T ""t;" ADD CONSTRAINT "check (" UNIQUE ("A, b", "select")',
    bad: "insert into \"T \"\"t;\" values ('x', 'y'), ('x', 'y')",
    good: "insert into \"T \"\"t;\" values ('x', 'y'), ('x', 'z'), ('x', null), ('x', null)",
    words: ["fails if two rows share A, b, select"],
  },
  "a unique constraint of a partitioned table": {
    tables:
      "create table p (d int, a text) partition by list (d); create table p1 partition of p for values in (1); create table p2 partition of p default",
    statement: "ALTER TABLE p ADD UNIQUE (d, a)",
    bad: "insert into p values (1, 'x'), (1, 'x')",
    good: "insert into p values (1, 'x'), (2, 'x')",
    words: ["fails if two rows share d, a"],
  },
  "a primary key": {
    tables: t,
    statement: "ALTER TABLE t ADD PRIMARY KEY (id, a)",
    bad: "insert into t values (1, 'x'), (1, 'x')",
    good: "insert into t values (1, 'x'), (2, 'x')",
    words: [
      "fails if id is NULL in any row",
      "fails if a is NULL in any row",
      "fails if two rows share id, a",
    ],
  },
  "a primary key over NULL": {
    tables: t,
    statement: "ALTER TABLE t ADD PRIMARY KEY (id)",
    bad: "insert into t values (null)",
    good: "insert into t values (1)",
    words: ["fails if id is NULL in any row", "fails if two rows share id"],
  },
  "SET NOT NULL": {
    tables: t,
    statement: "ALTER TABLE ONLY t ALTER a SET NOT NULL",
    bad: "insert into t values (1, null)",
    good: "insert into t values (1, '')",
    words: ["fails if a is NULL in any row"],
  },
  "a NOT NULL constraint": {
    tables: t,
    statement: "ALTER TABLE t ADD CONSTRAINT c NOT NULL a",
    bad: "insert into t values (1, null)",
    good: "insert into t values (1, '')",
    words: ["fails if a is NULL in any row"],
    since: 18,
  },
  "a new column that is NOT NULL": {
    tables: t,
    statement: "ALTER TABLE t ADD COLUMN c int NOT NULL",
    bad: "insert into t values (1)",
    good: "select 1",
    words: ["fails on any table that has rows"],
  },
  "a new column that is NOT NULL with a default of NULL": {
    tables: t,
    statement: "ALTER TABLE t ADD COLUMN c int DEFAULT NULL NOT NULL",
    bad: "insert into t values (1)",
    good: "select 1",
    words: ["fails on any table that has rows"],
  },
  "a new column that is UNIQUE with a default": {
    tables: t,
    statement: "ALTER TABLE t ADD COLUMN c varchar(10) NOT NULL DEFAULT 'a, ' || 'b' UNIQUE",
    bad: "insert into t values (1), (2)",
    good: "insert into t values (1)",
    words: ["fails if two rows share c"],
  },
  "a new column, and constraints on it": {
    tables: t,
    statement: "ALTER TABLE t ADD c int DEFAULT 5, ADD CHECK (c > id), ADD UNIQUE (c, a)",
    bad: "insert into t values (7, 'x')",
    good: "insert into t values (1, 'x'), (2, 'y')",
    words: ["fails if any row breaks the CHECK", "fails if two rows share c, a"],
  },
  "a new column that is computed": {
    tables: t,
    statement: "ALTER TABLE t ADD c int GENERATED ALWAYS AS (id / 2) STORED CHECK (c < 10)",
    bad: "insert into t values (20)",
    good: "insert into t values (19)",
    words: ["fails if any row breaks the CHECK"],
  },
  "a new column that is computed and never NULL": {
    tables: t,
    statement: "ALTER TABLE t ADD c text NOT NULL GENERATED ALWAYS AS (a || b) STORED",
    bad: "insert into t values (1, 'x', null)",
    good: "insert into t values (1, 'x', '')",
    words: ["fails if c is NULL in any row"],
  },
  "a new column without values that is UNIQUE": {
    tables: t,
    statement: "ALTER TABLE t ADD c text UNIQUE NULLS NOT DISTINCT",
    bad: "insert into t values (1), (2)",
    good: "insert into t values (1)",
    words: ["fails if two rows share c"],
    since: 15,
  },
  "a new primary key with one value for all": {
    tables: t,
    statement: "ALTER TABLE t ADD c int PRIMARY KEY DEFAULT 1",
    bad: "insert into t values (1), (2)",
    good: "insert into t values (1)",
    words: ["fails if c is NULL in any row", "fails if two rows share c"],
  },
  "a new column that refers to a row": {
    tables: `${t}; create table u (id int primary key)`,
    statement: "ALTER TABLE t ADD COLUMN u_id int DEFAULT 1 REFERENCES u",
    bad: "insert into t values (1)",
    good: "insert into u values (1); insert into t values (1)",
    words: ["fails if u_id points at a row that u does not have"],
  },
  "a CHECK": {
    tables: t,
    statement:
      "ALTER TABLE t ADD CONSTRAINT k CHECK (a IN ('é)', $$;$$) AND /* not ' this */ (t.id > 0 OR b IS NULL))",
    bad: "insert into t values (1, ')', 'y')",
    good: "insert into t values (1, 'é)', 'y'), (0, ';', null), (1, null, null)",
    words: ["fails if any row breaks the CHECK k"],
  },
  "a CHECK that cannot be computed": {
    tables: t,
    statement: "ALTER TABLE t ADD CHECK (10 / id > 1)",
    bad: "insert into t values (0)",
    good: "insert into t values (2)",
    words: ["fails if any row breaks the CHECK"],
  },
  "a CHECK of the table alone": {
    tables: "create table t (id int); create table c () inherits (t); insert into c values (0)",
    statement: "ALTER TABLE t ADD CHECK (id > 0) NO INHERIT",
    bad: "insert into t values (0)",
    good: "insert into t values (1)",
    words: ["fails if any row breaks the CHECK"],
  },
  "a foreign key with named columns": {
    tables: `${t}; create table u (x int, y text, unique (x, y))`,
    statement: "ALTER TABLE t ADD FOREIGN KEY (id, a) REFERENCES u (x, y)",
    bad: "insert into u values (1, 'x'); insert into t values (1, 'y')",
    good: "insert into u values (1, 'x'); insert into t values (1, 'x'), (2, null)",
    words: ["fails if id, a points at a row that u does not have"],
  },
  "a foreign key of all columns or none": {
    tables: `${t}; create table u (x int, y text, unique (x, y))`,
    statement: "ALTER TABLE t ADD FOREIGN KEY (id, a) REFERENCES u (x, y) MATCH FULL",
    bad: "insert into t values (1, null)",
    good: "insert into u values (1, 'x'); insert into t values (1, 'x'), (null, null)",
    words: ["fails if id, a points at a row that u does not have"],
  },
  "a foreign key to a primary key": {
    tables: `${t}; create table "U" (y text, x bigint, primary key (x, y))`,
    statement: 'ALTER TABLE t ADD FOREIGN KEY (id, a) REFERENCES "U"',
    bad: "insert into \"U\" values ('y', 1); insert into t values (1, 'x')",
    good: "insert into \"U\" values ('x', 1); insert into t values (1, 'x'), (1, null)",
    words: ["fails if id, a points at a row that U does not have"],
  },
  "a foreign key to a primary key that is known": {
    tables: `${t}; create table u (k int primary key)`,
    statement: "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES u",
    bad: "insert into u values (1); insert into t values (2)",
    good: "insert into u values (1); insert into t values (1)",
    words: ["fails if id points at a row that u does not have"],
    known: { primaryKeyOf: ({ name }) => (name === "u" ? ["k"] : undefined) },
  },
  "a foreign key to the table itself": {
    tables: "create table t (id int primary key, parent int)",
    statement: "ALTER TABLE t ADD FOREIGN KEY (parent) REFERENCES t",
    bad: "insert into t values (1, 2)",
    good: "insert into t values (1, null), (2, 1)",
    words: ["fails if parent points at a row that t does not have"],
  },
  "a constraint that is validated": {
    tables: `${t}; alter table t add constraint k check (id > 0) not valid`,
    statement: "ALTER TABLE t VALIDATE CONSTRAINT k",
    bad: "alter table t drop constraint k; insert into t values (0); alter table t add constraint k check (id > 0) not valid",
    good: "insert into t values (1)",
    words: ["fails if any row breaks the CHECK"],
    known: { constraintOf: (_, name) => (name === "k" ? "CHECK ((id > 0)) NOT VALID" : undefined) },
  },
  "an exclusion constraint": {
    tables: "create table t (room int4range, during tsrange, gone boolean)",
    statement:
      "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (room WITH =, (tsrange(lower(during), upper(during))) WITH &&) WHERE (NOT gone)",
    bad: "insert into t values ('[1,2)', '[2024-01-01,2024-01-03)', false), ('[1,2)', '[2024-01-02,2024-01-04)', false)",
    good: "insert into t values ('[1,2)', '[2024-01-01,2024-01-03)', false), ('[1,2)', '[2024-01-02,2024-01-04)', true), ('[3,4)', '[2024-01-02,2024-01-04)', false)",
    words: ["fails if two rows exclude each other by room, (tsrange(lower(during), upper(during)))"],
  },
  "a shorter varchar": {
    tables: t,
    statement: "ALTER TABLE t ALTER COLUMN a TYPE varchar(3)",
    bad: "insert into t (a) values ('äöüß')",
    good: "insert into t (a) values ('äöü'), ('ab    '), (null)",
    words: ["fails if a value of a is longer than 3"],
  },
  "a shorter char, by an expression": {
    tables: t,
    statement: "ALTER TABLE t ALTER COLUMN a TYPE char(3) USING trim(a, '-'), ALTER b SET DEFAULT 'x'",
    bad: "insert into t (a) values ('-abcd')",
    good: "insert into t (a) values ('--abc--')",
    words: ["fails if a value of a is longer than 3"],
  },
  "a varchar that cuts": {
    tables: t,
    statement: "ALTER TABLE t ALTER COLUMN a TYPE varchar(3) USING left(a::int::text, 3)::varchar(3)",
    bad: "insert into t (a) values ('abcd')",
    good: "insert into t (a) values ('12345')",
    words: ["fails if a value of a is longer than 3"],
  },
  "bits of a length": {
    tables: "create table t (a bit varying)",
    statement: "ALTER TABLE t ALTER a TYPE bit(3)",
    bad: "insert into t values ('10')",
    good: "insert into t values ('101')",
    words: ["fails if a value of a is longer than 3"],
  },
  "a smaller number": {
    tables: "create table t (a bigint)",
    statement: "ALTER TABLE t ALTER a TYPE int",
    bad: "insert into t values (3000000000)",
    good: "insert into t values (-2147483648), (null)",
    words: ["fails if a value of a cannot become integer", "changes values of a that integer rounds or cuts"],
  },
  "a number with fewer digits": {
    tables: "create table t (a numeric(12, 4))",
    statement: "ALTER TABLE t ALTER a TYPE numeric(4, 1)",
    bad: "insert into t values (999.95)",
    good: "insert into t values (999.9)",
    words: [
      "fails if a value of a cannot become numeric(4, 1)",
      "changes values of a that numeric(4, 1) rounds or cuts",
    ],
  },
  "text as a number": {
    tables: t,
    statement: "ALTER TABLE t ALTER a TYPE int USING a::int",
    bad: "insert into t (a) values ('12a')",
    good: "insert into t (a) values (' -12 '), (null)",
    words: ["fails if a value of a cannot become integer"],
  },
  "text as an enum": {
    tables: `${t}; create type mood as enum ('glad', 'sad')`,
    statement: "ALTER TABLE t ALTER a TYPE mood USING (a::mood)",
    bad: "insert into t (a) values ('Glad')",
    good: "insert into t (a) values ('glad')",
    words: ["fails if a value of a cannot become mood"],
  },
  "text as JSON": {
    tables: t,
    statement: "ALTER TABLE t ALTER a SET DATA TYPE jsonb USING a::jsonb",
    bad: "insert into t (a) values ('{a: 1}')",
    good: "insert into t (a) values ('{\"a\": 1}')",
    words: ["fails if a value of a cannot become jsonb"],
  },
  "text as an array of uuids": {
    tables: t,
    statement: "ALTER TABLE t ALTER a TYPE uuid[] USING ARRAY[a, b]::uuid[]",
    bad: "insert into t (a) values ('x')",
    good: "insert into t (a) values ('00000000-0000-0000-0000-00000000000a')",
    words: ["fails if a value of a cannot become uuid[]"],
  },
  "text as a domain": {
    tables: `${t}; create domain short as text check (length(value) < 3)`,
    statement: "ALTER TABLE t ALTER a TYPE short",
    bad: "insert into t (a) values ('long')",
    good: "insert into t (a) values ('ab')",
    words: ["fails if a value of a cannot become short"],
  },
};

async function fill(...sql: readonly string[]): Promise<void> {
  await client.query(
    "drop schema public cascade; create schema public; grant usage on schema public to reader",
  );
  for (const text of sql) await client.query(text);
}

/** How the statement ends, without leaving a trace. */
async function endOf(statement: string): Promise<string | undefined> {
  await client.query("begin");
  try {
    await client.query(statement);
    return undefined;
  } catch (error) {
    return (error as pg.DatabaseError).code;
  } finally {
    await client.query("rollback");
  }
}

/** What the answers of one effect say, in short. */
function said(
  answers: readonly DataAnswer[],
  effect: DataQuery["effect"],
): (string | number | undefined)[][] {
  return answers
    .filter(({ query, answer }) => query.effect === effect && answer !== "safe")
    .map((found) => {
      if (found.answer === "fails") return [found.answer, found.sqlstate];
      return [found.answer, found.answer === "unknown" ? found.reason : undefined];
    });
}

describe("a read-only role learns whether a statement fails on the rows that are there", () => {
  test.each(Object.entries(cases))(
    "%s",
    async (_, { tables, statement, bad, good, words, known, since = 0 }) => {
      const queries = dataQueries(`${statement};`, known);
      expect(queries.map((query) => query.words)).toEqual(words);
      if (server.major < since) return;
      for (const rows of [bad, good]) {
        await fill(tables, rows);
        const end = await endOf(statement);
        const answers = await askDataQueries(reader, queries);
        expect(end === undefined).toBe(rows === good);
        expect(said(answers, "fails")).toEqual(rows === bad ? [["fails", end]] : []);
      }
    },
  );
});

interface Loss {
  readonly tables: string;
  readonly statement: string;
  /** Rows of which it loses or changes something, and how many. */
  readonly rows: string;
  readonly lost: number;
}

const losses: Readonly<Record<string, Loss>> = {
  "a column": {
    tables: t,
    statement: "ALTER TABLE t DROP COLUMN a, DROP COLUMN IF EXISTS b",
    rows: "insert into t select g, case when g > 5 then 'x' end from generate_series(1, 30) g",
    lost: 25,
  },
  "a table": { tables: t, statement: "DROP TABLE t", rows: "insert into t values (1), (2)", lost: 2 },
  "all rows": { tables: t, statement: "TRUNCATE t CASCADE", rows: "insert into t values (1)", lost: 1 },
  decimals: {
    tables: "create table t (a numeric(12, 4), b float8)",
    statement: "ALTER TABLE t ALTER a TYPE numeric(12, 1)",
    rows: "insert into t values (1.25), (1.5), (null)",
    lost: 1,
  },
  "the time of a day": {
    tables: "create table t (a timestamptz)",
    statement: "ALTER TABLE t ALTER a TYPE date",
    rows: "set timezone = 'UTC'; insert into t values ('2024-05-01 10:00+00'), ('2024-05-01 00:00+00')",
    lost: 1,
  },
};

describe("a read-only role learns what a statement loses of", () => {
  test.each(Object.entries(losses))("%s", async (_, { tables, statement, rows, lost }) => {
    const queries = dataQueries(statement).filter(({ effect }) => effect !== "fails");
    await fill(tables);
    const empty = await askDataQueries(reader, queries);
    expect(empty.map(({ answer }) => answer)).toEqual(queries.map(() => "safe"));
    await client.query(rows);
    const answers = await askDataQueries(reader, queries);
    expect(answers.flatMap((found) => (found.answer === "fails" ? [found.rows] : []))).toEqual([lost]);
  });
});

describe("askDataQueries", () => {
  const query = (sql: string, functions: readonly string[] = []): DataQuery => ({
    words: "",
    effect: "fails",
    sql,
    sqlstate: "23514",
    functions,
  });
  const answer = (found: DataAnswer): string =>
    found.answer === "unknown"
      ? `unknown: ${found.reason}`
      : `${found.answer}${"rows" in found ? ` ${found.rows}` : ""}`;

  test("goes on after a query that the database cannot answer", async () => {
    await fill(
      `${t}; insert into t select 1, 'hunter2' from generate_series(1, 30)`,
      "create table closed (a int); revoke all on closed from reader",
      "create table secured (a int); alter table secured enable row level security",
      "create function trouble(text) returns boolean immutable language plpgsql as $$ begin raise exception 'no %', $1; end $$",
    );
    const answers = await askDataQueries(
      reader,
      [
        query("SELECT 1 FROM nowhere"),
        query("SELECT nothing FROM t"),
        query("SELECT 1 FROM closed"),
        query("SELECT 1 FROM secured"),
        query("SELECT 1 FROM t WHERE trouble(a)"),
        query("SELECT 1 FROM t a, t b, t c, t d, t e, t f WHERE a.id = f.id"),
        query("SELECT 1 FROM t WHERE a::int > 0"),
        query("SELECT 1 FROM t LIMIT 20"),
        query("SELECT 1 FROM t WHERE a IS NULL"),
      ],
      { statementTimeoutMs: 3_000 },
    );
    const other = "the change makes it, or the role's search_path is another";
    expect(answers.map(answer)).toEqual([
      `unknown: relation "nowhere" does not exist there: ${other}`,
      `unknown: column "nothing" does not exist there: ${other}`,
      "unknown: the role may not read it: permission denied for table closed",
      'unknown: the role may not read it: query would be affected by row-level security policy for table "secured"',
      "unknown: the server refused it (P0001)",
      "unknown: it took longer than 3 s",
      "fails undefined",
      "fails 20",
      "safe",
    ]);
    expect(JSON.stringify(answers)).not.toContain("hunter2");
  });

  test("says of each question that the connection was lost, or the time was over", async () => {
    await fill(t);
    const lost = await askDataQueries({ ...reader, user: "postgres" }, [
      query("SELECT 1 FROM t"),
      query("SELECT pg_terminate_backend(pg_backend_pid())"),
      query("SELECT 1 FROM t"),
    ]);
    expect(lost.map(answer)).toEqual([
      "safe",
      "unknown: the server refused it (57P01)",
      "unknown: the connection was lost or gave no answer",
    ]);
    const late = await askDataQueries(reader, [query("SELECT 1 FROM t")], { totalMs: 0 });
    expect(late.map(answer)).toEqual(["unknown: the 0 s for all questions were over"]);
  });

  test("does not wait for a lock", async () => {
    await fill(t);
    const other = await server.connect("asked");
    await other.query("begin; lock table t");
    const [found] = await askDataQueries(reader, [query("SELECT 1 FROM t")]);
    await other.query("rollback");
    expect(answer(found!)).toBe("unknown: a lock on a table that it reads was not free within 1 s");
  });

  test("cannot write, whatever the query is and whoever asks", async () => {
    await fill(
      `${t}; insert into t values (1); create sequence s`,
      "create function act() returns int volatile language plpgsql as $$ begin delete from t; return 1; end $$",
      `create function act_again() returns int volatile language plpgsql as $$ begin
        perform set_config('transaction_read_only', 'off', false); delete from t; return 1; end $$`,
    );
    const asked = [
      query("SELECT act()"),
      query("SELECT act_again()"),
      query("SELECT nextval('s')"),
      query("SELECT set_config('transaction_read_only', 'off', false)"),
      query("SELECT 1) AS found; ROLLBACK; DELETE FROM t; SELECT (1"),
      query("SELECT 1) AS found; COMMIT; SELECT 1 FROM (SELECT act()"),
      query("WITH gone AS (DELETE FROM t RETURNING 1) SELECT * FROM gone"),
      query("SELECT 1 FROM t WHERE act() = 1", ["act"]),
      query("SELECT 1 FROM t WHERE pg_sleep(1) IS NULL", ["lower", "pg_sleep"]),
      query("SELECT 1 FROM t"),
    ];
    const answers = await askDataQueries({ ...reader, user: "postgres" }, asked);
    expect(answers.map(answer)).toEqual([
      "unknown: the server refused it (25006)",
      "unknown: the server refused it (25001)",
      "unknown: the server refused it (25006)",
      "unknown: the server refused it (25001)",
      "unknown: cannot insert multiple commands into a prepared statement (42601)",
      "unknown: cannot insert multiple commands into a prepared statement (42601)",
      "unknown: the server refused it (0A000)",
      "unknown: it calls the function act, which may do more than look",
      "unknown: it calls the function pg_sleep, which may do more than look",
      "fails 1",
    ]);
    expect((await client.query("select (select count(*)::int from t), is_called from s")).rows).toEqual([
      { count: 1, is_called: false },
    ]);
  });
});
