import { expect, test } from "vitest";
import { isConcurrently, isSchemaChange } from "../../src/deploy/patient-statement";

test.each<[statement: string, concurrently: boolean]>([
  ["CREATE INDEX CONCURRENTLY i ON t (a)", true],
  ["create unique\n index  concurrently on t (a)", true],
  ["-- why\n/* and * more */ create index /* c */ concurrently if not exists i on t (a)", true],
  ["DROP INDEX CONCURRENTLY i", true],
  ["reindex index concurrently i", true],
  ["REINDEX (VERBOSE) TABLE CONCURRENTLY t", true],
  ["reindex (verbose, concurrently) index i", true],
  ["reindex (concurrently true) index i", true],
  ["reindex (concurrently off) index i", false],
  ["reindex table t", false],
  ['create index "concurrently" on t (a)', false],
  ["create index concurrently_ on t (a)", false],
  ["create index i on t (a) -- concurrently", false],
  ["create index /* concurrently */ i on t (a)", false],
  ["alter table t add column concurrently int", false],
  ["alter table t detach partition p concurrently", false],
  ["select 'create index concurrently'", false],
  ["/* never closed create index concurrently", false],
  ["", false],
])("%s", (statement, concurrently) => {
  expect(isConcurrently(statement)).toBe(concurrently);
});

test.each<[statement: string, change: boolean]>([
  ["ALTER TABLE t ADD c int", true],
  ["-- c\ncreate table t ()", true],
  ["drop table t", true],
  ["truncate t", false],
  ["lock table t", false],
  ["update t set alter = 1", false],
])("%s changes the schema: %s", (statement, change) => {
  expect(isSchemaChange(statement)).toBe(change);
});

test("a long hostile statement is read in no time", () => {
  const started = performance.now();
  for (const text of [
    " ".repeat(200_000),
    "/*".repeat(100_000),
    "-- \n".repeat(50_000),
    `reindex (${"a,".repeat(100_000)}`,
  ])
    isConcurrently(text);
  expect(performance.now() - started).toBeLessThan(5_000);
});
