import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { loadModule } from "libpg-query";
import { beforeAll, expect, test } from "vitest";
import { lintFindings } from "../../../src/findings/lint";
import { readSql } from "../../../src/operations/read-sql";
import { splitSql } from "../../../src/operations/split";
import { buildGraph } from "../../../src/revisions/graph";
import { plainHead } from "../../../src/tools/alembic/python/plain-head";
import { pythonSource } from "../../../src/tools/alembic/python/source";
import { readRevisionFile } from "../../../src/tools/alembic/revision-file";

beforeAll(() => loadModule());

const folder = path.join(
  import.meta.dirname,
  "..",
  "..",
  "..",
  "examples",
  "boards",
  "migrations",
  "versions",
);
const sources = readdirSync(folder)
  .filter((file) => file.endsWith(".py"))
  .map((file) => readFileSync(path.join(folder, file), "utf8"));

const pieces = [
  '"""',
  "'",
  "(",
  ")",
  "\n    ",
  "{x}",
  "f",
  "*",
  "**",
  " for x in y ",
  "lambda: ",
  "# migration-gate: allow",
  "# migration-gate: irreversible because",
  "op.execute(",
  "$$",
  "/*",
  "--",
  "\r\n",
  "\t",
  "\u0000",
  "ä😀",
  "return\n",
  "def upgrade",
];

const edits = fc.array(
  fc.record({
    // Any place is as likely as another: of doubles most are next to 0.
    at: fc.nat(9_999).map((part) => part / 10_000),
    cut: fc.nat(40),
    put: fc.constantFrom("", ...pieces),
  }),
  { minLength: 1, maxLength: 12 },
);

function edited(text: string, changes: readonly { at: number; cut: number; put: string }[]): string {
  return changes.reduce((result, { at, cut, put }) => {
    const from = Math.floor(at * result.length);
    return result.slice(0, from) + put + result.slice(from + cut);
  }, text);
}

test("a revision file that is broken anywhere is read without an exception, and each finding stands in it", () => {
  fc.assert(
    fc.property(fc.constantFrom(...sources), edits, (source, changes) => {
      const text = edited(source, changes);
      const { revision, body } = readRevisionFile("versions/r.py", Buffer.from(text));
      if (revision === undefined) return;
      const lines = text.split(/\r\n|\r|\n/).length;
      const { operations, remarks } = body();
      for (const { origin } of operations) {
        expect(origin.line).toBeGreaterThan(0);
        expect(origin.endLine).toBeLessThanOrEqual(lines);
      }
      for (const { line } of remarks) expect(line).toBeLessThanOrEqual(lines);
      const graph = buildGraph([revision]);
      lintFindings({ graph, judged: new Set([revision.id]), floor: undefined, bodyOf: body });
    }),
    { numRuns: 500 },
  );
});

/** The same file, line for line, with a name in its head for which all of it is parsed at once. */
function parsedWhole(text: string): string {
  return text.replace(/\n(?=\n(?:async[ \t]+def|def|class|@))/, "\nzz = None");
}

const definition = /^(?:async[ \t]+def|def|class|@)/m;

test("functions that are read apart from a plain head are what a parse of the whole file makes of them", () => {
  const all = (text: string) => {
    const { revision, problems, bodyProblems, body } = readRevisionFile("versions/r.py", Buffer.from(text));
    return { revision: structuredClone({ ...revision }), problems, more: bodyProblems(), ...body() };
  };
  const same = (text: string): void => {
    // Of a head with a mistake, lezer makes something else when one more line stands in it.
    if (plainHead(pythonSource(text), text.search(definition)) === undefined) return;
    const [apart, whole] = [all(text), all(parsedWhole(text))];
    // Behind a mistake it may find other words, for what it read before weighs in its choice.
    if (whole.more.length > 0) expect([apart.more, apart.problems]).toEqual([whole.more, whole.problems]);
    else expect(apart).toEqual(whole);
    compared++;
  };
  let compared = 0;
  const head = 'from alembic import op\nrevision = "r"\ndown_revision = None\n';
  const helped = `from shared import helper\n${head}\n\ndef upgrade():\n    helper(op, "t")\n`;
  const own = [
    helped,
    `${head}TABLE = "t"\n\n\ndef upgrade():\n    op.drop_table(TABLE)\n`,
    `${head}\n\ndef upgrade():\n    op.drop_table(revision)\n`,
    `from shared import upgrade\n${head}\n\ndef downgrade():\n    pass\n`,
    `${head}# migration-gate: allow drop-table because it is empty\n\n\ndef upgrade():\n    op.drop_table("t")\n`,
  ];
  for (const source of [...sources, ...own]) {
    expect(parsedWhole(source)).not.toBe(source);
    same(source);
  }
  expect(own.map((text) => all(text).operations.map((operation) => JSON.stringify(operation)))).toEqual([
    [expect.stringContaining("helper")],
    [expect.stringContaining('"t"')],
    [expect.stringContaining('"r"')],
    [expect.stringContaining("upgrade is not a function of this file")],
    [expect.stringContaining('"t"')],
  ]);
  const before = compared;
  const plain = sources.filter(
    (text) => plainHead(pythonSource(text), text.search(definition)) !== undefined,
  );
  fc.assert(
    fc.property(fc.constantFrom(...plain), edits, (source, changes) => {
      const from = source.search(definition);
      same(source.slice(0, from) + edited(source.slice(from), changes));
    }),
    { numRuns: 500 },
  );
  expect(compared - before).toBeGreaterThan(300);
});

test("SQL of any characters is read without an exception, and its parts lie one after the other", () => {
  const words = [
    ...pieces,
    ";",
    "SELECT",
    "CREATE TABLE t (a int)",
    "DROP TABLE",
    "DO $$ BEGIN",
    "END $$",
    "E'\\'",
    '"',
    "$a$",
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 20 }), (parts) => {
      const sql = parts.join(" ");
      const { statements, comments } = splitSql(sql);
      let end = 0;
      for (const { from, to } of statements) {
        expect(from).toBeGreaterThanOrEqual(end);
        expect(to).toBeGreaterThan(from);
        end = to;
      }
      for (const { from, to } of comments) expect(sql.slice(from, to)).toMatch(/^(?:--|\/\*)/);
      readSql(sql);
    }),
    { numRuns: 500 },
  );
});
