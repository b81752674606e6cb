import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { namedLiterals } from "../../src/operations/named-literals";

beforeAll(() => loadModule());

/** `<table>.<column>: <values>` and `<table>.<column> → <type>`. */
function shown(...texts: string[]): string[] {
  const { values, casts } = namedLiterals(texts);
  const name = ({ tables, column }: (typeof casts)[number]["at"]) =>
    `${tables.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`)).join("|")}.${column}`;
  return [
    ...values.map((one) => `${name(one.at)}: ${one.values.join(", ")}`),
    ...casts.map(({ at, type }) => `${name(at)} → ${type}`),
  ];
}

describe("what a statement names", () => {
  const cases: Readonly<Record<string, readonly [sql: string, expected: readonly string[]]>> = {
    "the list of a CHECK": [
      "ALTER TABLE t ADD CONSTRAINT c CHECK (status IN ('open', 'it''s', ''))",
      ["t.status: open, it's, "],
    ],
    "ANY of an array": [
      "ALTER TABLE s.t ADD CHECK (status = ANY (ARRAY['open'::text, 'closed']::text[]))",
      ["s.t.status: open, closed"],
    ],
    "one value, on either side, through lower()": [
      "UPDATE t SET a = 1 WHERE 'new' = lower(status)",
      ["t.status: new"],
    ],
    "numbers, also below zero, and where they end": [
      "ALTER TABLE t ADD CHECK (a >= -2 AND b > 0 AND 9 > c AND d BETWEEN 1 AND 5 AND e < 1.5)",
      ["t.a: -2", "t.b: 1", "t.c: 8", "t.d: 1, 5"],
    ],
    "what a CASE tells apart": [
      "UPDATE t SET a = CASE status WHEN 'x' THEN 1 WHEN 'y' THEN 2 END",
      ["t.status: x, y"],
    ],
    truth: ["DELETE FROM t WHERE flag = false", ["t.flag: false"]],
    "nothing of what is negated, of patterns, NULL and other columns": [
      "UPDATE t SET a = 'set' WHERE NOT (b = 'x') AND c <> 'x' AND d NOT IN ('x') AND e LIKE 'x%' AND f = NULL AND g = h AND i NOT BETWEEN 1 AND 2",
      [],
    ],
    "what is inserted, by the columns that are named": [
      "INSERT INTO t (id, name) VALUES (77, 'a'), (78, now())",
      ["t.id: 77, 78", "t.name: a"],
    ],
    "an insert of other rows": ["INSERT INTO t (id) SELECT id FROM s.u WHERE kind = 'x'", ["t|s.u.kind: x"]],
    "what is cast, through other casts and functions": [
      "ALTER TABLE t ALTER COLUMN status TYPE state USING lower(status)::text::state",
      ["t.status → state", "t.status → text"],
    ],
    "no cast to an array": ["ALTER TABLE t ALTER a TYPE text[] USING a::text[]", []],
    "in a block": ["DO $$ BEGIN UPDATE t SET a = 1 WHERE b = 'x'; END $$", ["t.b: x"]],
    "what does not parse": ["ALTER TABLE t ADD ADD", []],
  };
  test.each(Object.entries(cases))("%s", (_, [sql, expected]) => {
    expect(shown(sql)).toEqual(expected);
  });

  test("a CHECK's values come before those of conditions, and inserted ones last", () => {
    expect(
      shown(
        "INSERT INTO t (status) VALUES ('c'); UPDATE t SET status = 'a' WHERE status = 'b'",
        "ALTER TABLE t ADD CHECK (status = 'a')",
      ),
    ).toEqual(["t.status: a", "t.status: b", "t.status: c"]);
  });

  test("labels of enums, also those that are added", () => {
    const { labels } = namedLiterals([
      "CREATE TYPE s.state AS ENUM ('a', 'b')",
      "ALTER TYPE s.state ADD VALUE 'c'",
      "ALTER TYPE old ADD VALUE 'z'",
    ]);
    expect([...labels]).toEqual([
      ["state", ["a", "b", "c"]],
      ["old", ["z"]],
    ]);
  });
});
