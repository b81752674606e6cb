import { readFileSync } from "node:fs";
import path from "node:path";
import Ajv from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { generatedFiles } from "../scripts/generate.mjs";
import { outputTable } from "../src/outputs";
import { type SettingEntry, settingNames, settingTable, takes } from "../src/settings";

const root = path.join(import.meta.dirname, "..");

test("the generated files are what the tables make", async () => {
  const made = await generatedFiles();
  expect(Object.keys(made)).toEqual(
    expect.arrayContaining([
      "docs/settings.md",
      "action.yml",
      "migration-gate.schema.json",
      "docs/findings.md",
    ]),
  );
  for (const [file, text] of Object.entries(made))
    expect(readFileSync(path.join(root, file), "utf8"), `npm run generate: ${file}`).toBe(text);
});

test("action.yml has the inputs, the outputs, and defaults only where no file can give a value", () => {
  const action = parse(readFileSync(path.join(root, "action.yml"), "utf8"));
  expect(action.runs).toEqual({ using: "node24", main: "dist/action.js" });
  expect(Object.keys(action.inputs)).toEqual(settingNames.filter((name) => takes(name, "input")));
  expect(Object.keys(action.outputs)).toEqual(Object.keys(outputTable));
  const defaults = Object.entries<{ default?: string }>(action.inputs).flatMap(([name, entry]) =>
    entry.default === undefined ? [] : [[name, entry.default]],
  );
  expect(Object.fromEntries(defaults)).toEqual({
    command: "check",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    "github-token": "${{ github.token }}",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    matrix: "${{ toJSON(matrix) }}",
  });
  for (const name of settingNames) {
    const entry: SettingEntry = settingTable[name];
    if (entry.inputDefault !== undefined) expect(takes(name, "file"), name).toBe(false);
    if (entry.secret === true) expect(takes(name, "file"), name).toBe(false);
  }
});

describe("migration-gate.schema.json", () => {
  const schema = JSON.parse(readFileSync(path.join(root, "migration-gate.schema.json"), "utf8")) as object;
  const accepts = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema);
  const page = readFileSync(path.join(root, "docs", "settings.md"), "utf8");
  const [, example = ""] = /```yaml\n(.*?)```/s.exec(page) ?? [];

  const cases: Readonly<Record<string, readonly [string, boolean]>> = {
    "the example of docs/settings.md": [example, true],
    "what a user writes": [
      `rules:
  require-lock-timeout: { severity: off, because: set for the role in production }
accept:
  - { rule: ban-drop-column, revision: "20260301", because: unmapped since v1.8 }
  - { rule: ban-drop-column, revision: 20260302, reason: unmapped since v1.8 }
history: new
floor: 4bc4d934e2bc
setup: tests/seed.sql
env: [A=1]
`,
      true,
    ],
    nothing: ["", true],
    "a floor that is a number": ["floor: 20260301", true],
    "an env that is a mapping": ["env: { A: 1 }", true],
    "a typo": ["histroy: new", false],
    "a word of a choice that is none": ["history: al", false],
    "a table's rows": [
      `rows:
  default: { tier: plain, rows: 3 }
  reference: [countries, 2024]
  tables:
    public.users: { rows: 20, values: { role: [admin, 1, true] }, unique: [email], not-null: [email] }
`,
      true,
    ],
    "rows that say nothing": ["rows:", true],
    "a typo in rows": ["rows: { tables: { users: { uniq: [a] } } }", false],
    "a table beside the tables": ["rows: { users: { rows: 3 } }", false],
    "a tier that is none": ["rows: { default: { tier: wild } }", false],
    "no rows at all": ["rows: { default: { rows: 0 } }", false],
    "columns that are no list": ["rows: { tables: { users: { unique: email } } }", false],
    "a list": ["- history", false],
    "a number with a unit": ["tool-timeout: 30s", false],
    "a yes": ["summary: yes", false],
    "a secret": ["shadow-url: postgresql://h/d", false],
    "off without a reason": ["rules: { a: { severity: off } }", false],
    "off as a word": ["rules: { a: off }", false],
    "a typo in a rule": ["rules: { a: { severty: note } }", false],
    "an acceptance without a revision": ["accept: [{ rule: a }]", false],
  };
  test.for(Object.entries(cases))("%s", ([, [text, accepted]], { expect }) => {
    expect(accepts(parse(text)), JSON.stringify(accepts.errors)).toBe(accepted);
  });
});
