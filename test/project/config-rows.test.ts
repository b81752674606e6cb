import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfigFile } from "../../src/project/config-file";
import { messageOf } from "../support/messages";
import { type Project, writeProject } from "../support/project";

const started = process.cwd();
let project: Project;
beforeAll(async () => {
  project = await writeProject({});
  process.chdir(project.path);
});
afterAll(async () => {
  process.chdir(started);
  await project[Symbol.asyncDispose]();
});

function read(text: string) {
  writeFileSync(join(project.path, "migration-gate.yml"), text);
  return readConfigFile("migration-gate.yml").policy.rows;
}

describe("rows of migration-gate.yml", () => {
  test("defaults, reference tables and tables, values as they are written", () => {
    expect(
      read(`rows:
  default: { tier: plain, rows: 3 }
  reference:
    - countries
    - public.currencies
  tables:
    '"Users"':
      rows: 20
      tier: hostile
      unique: [email, "e mail"]
      not-null: [email]
      values:
        status: [open, " a ", 007, "", "null", true]
    audit.log: { rows: 1 }
    empty:
`),
    ).toEqual({
      default: { tier: "plain", rows: 3 },
      tables: [
        { table: "countries", line: 4, skip: true },
        { table: "public.currencies", line: 5, skip: true },
        {
          table: '"Users"',
          line: 7,
          rows: 20,
          tier: "hostile",
          unique: ["email", "e mail"],
          notNull: ["email"],
          values: { status: ["open", " a ", "007", "", "null", "true"] },
        },
        { table: "audit.log", line: 14, rows: 1 },
        { table: "empty", line: 15 },
      ],
    });
  });

  test.each(["rows:\n", "rows: {}\n", "rows: ~\n"])("%j says nothing", (text) => {
    expect(read(text)).toBeUndefined();
  });

  test.each(["rows: { default: }\n", "rows: { reference: }\n", "rows: { tables: ~ }\n"])(
    "%j says nothing of any table",
    (text) => {
      expect(read(text)).toEqual({ default: {}, tables: [] });
    },
  );
});

describe("what stands in rows wrongly", () => {
  const cases: Readonly<Record<string, readonly [string, string]>> = {
    "a section that is none": [
      "rows:\n  defualt: { rows: 3 }\n",
      `error: rows has no "defualt".
where migration-gate.yml:2:3
seen  Allowed are default, reference, tables.
do    Did you mean default? Write one of the allowed words.`,
    ],
    "a key of a table that is none": [
      "rows:\n  tables:\n    users: { rows: 3, uniqe: [email] }\n",
      `error: rows.tables.users has no "uniqe".
where migration-gate.yml:3:23
seen  Allowed are rows, tier, values, unique, not-null.
do    Did you mean unique? Write one of the allowed words.`,
    ],
    "values for all tables": [
      "rows: { default: { values: { a: [b] } } }\n",
      `error: rows.default has no "values".
where migration-gate.yml:1:20
seen  Allowed are rows, tier.
do    Write one of the allowed words.`,
    ],
    "a tier that is none": [
      "rows: { default: { tier: plane } }\n",
      `error: rows.default.tier is "plane".
where migration-gate.yml:1:26
seen  Allowed are hostile, plain.
do    Set it to plain.`,
    ],
    "no rows": [
      "rows: { tables: { users: { rows: 0 } } }\n",
      `error: rows.tables.users.rows is "0", which is no whole number from 1 to 1000.
where migration-gate.yml:1:34
do    Write how many rows a table gets; a table that gets none stands in rows.reference.`,
    ],
    "too many rows": [
      "rows: { default: { rows: 1001 } }\n",
      `error: rows.default.rows is "1001", which is no whole number from 1 to 1000.
where migration-gate.yml:1:26
do    Write how many rows a table gets; a table that gets none stands in rows.reference.`,
    ],
    "a number of rows without the word": [
      "rows: 3\n",
      `error: rows is a text, and a mapping of default, reference, tables is expected.
where migration-gate.yml:1:7
do    Write a mapping of default, reference, tables, or leave it out.`,
    ],
    "tables as a list": [
      "rows:\n  tables: [users]\n",
      `error: rows.tables is a list, and a mapping of tables is expected.
where migration-gate.yml:2:11
do    Write a mapping of tables, or leave it out.`,
    ],
    "a reference table that is no list": [
      "rows: { reference: countries }\n",
      `error: rows.reference is a text, and a list of tables is expected.
where migration-gate.yml:1:20
do    Write a list of tables, or leave it out.`,
    ],
    "one column that is no list": [
      "rows: { tables: { users: { unique: email } } }\n",
      `error: rows.tables.users.unique is a text, and a list of columns is expected.
where migration-gate.yml:1:36
do    Write a list of columns, or leave it out.`,
    ],
    "no columns": [
      "rows: { tables: { users: { not-null: [] } } }\n",
      `error: rows.tables.users.not-null is an empty list, and a list of columns is expected.
where migration-gate.yml:1:38
do    Write a list of columns, or leave it out.`,
    ],
    "a column without its list": [
      "rows: { tables: { users: { values: { role: admin } } } }\n",
      `error: rows.tables.users.values.role is a text, and a list of values is expected.
where migration-gate.yml:1:44
do    Write a list of values, or leave it out.`,
    ],
    "NULL among values": [
      "rows: { tables: { users: { values: { role: [admin, null] } } } }\n",
      `error: an item of rows.tables.users.values.role is nothing, and a value (an empty one and null in quotes) is expected.
where migration-gate.yml:1:52
do    Write a value (an empty one and null in quotes), or leave it out.`,
    ],
    "a table that is both": [
      "rows:\n  reference: [users]\n  tables: { users: { rows: 3 } }\n",
      `error: users is in rows.reference and in rows.tables.
where migration-gate.yml:2
why   Nothing is put into a reference table.
do    Keep one of them.`,
    ],
  };
  test.for(Object.entries(cases))("%s", async ([, [text, message]], { expect }) => {
    expect(await messageOf(async () => read(text))).toBe(message);
  });
});
