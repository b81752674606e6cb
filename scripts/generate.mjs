#!/usr/bin/env node
// Writes what comes out of the tables in src/settings/ and src/outputs.ts: docs/settings.md, action.yml and
// migration-gate.schema.json; and of the rules: docs/findings.md and docs/rules/. A test and CI fail when a file is not
// what this makes.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { findingsPage, rulePages } from "./rule-pages.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The files by their path from the root. */
export async function generatedFiles() {
  const bundled = buildSync({
    stdin: {
      contents: [
        'export * from "./src/settings"; export * from "./src/settings/rows"; export * from "./src/outputs";',
        'export * from "./src/rules/index"; export * from "./src/rules/observed-runs";',
        'export * from "./src/rules/page"; export * from "./src/findings/fact-rules";',
      ].join("\n"),
      resolveDir: root,
      loader: "ts",
    },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
  });
  const source = Buffer.from(bundled.outputFiles[0].contents).toString("base64");
  const tables = await import(`data:text/javascript;base64,${source}`);
  return {
    "docs/settings.md": settingsPage(tables),
    "action.yml": actionFile(tables),
    "migration-gate.schema.json": `${JSON.stringify(schema(tables), null, 2)}\n`,
    "docs/findings.md": findingsPage(tables),
    ...rulePages(tables),
  };
}

function settingsPage({ settingTable, takes, variableOf, ...tables }) {
  const sections = Object.entries(settingTable).map(([name, entry]) => {
    const facts = [
      wordsOf(entry) === undefined
        ? {
            text: "text",
            list: "may be repeated; one a line in a variable or an input, a list in the file",
            number: "a whole number above 0",
          }[entry.type]
        : `one of ${wordsOf(entry)
            .map((word) => `\`${word}\``)
            .join(", ")}`,
      entry.default === undefined ? "no default" : `default \`${entry.default}\``,
    ];
    const places = [
      takes(name, "flag") ? `flag \`--${name}\`` : undefined,
      takes(name, "input") ? `input \`${name}\`` : undefined,
      takes(name, "variable") ? `variable \`${variableOf(name)}\`` : undefined,
      takes(name, "file") ? "migration-gate.yml" : undefined,
    ];
    const secret = entry.secret ? " Give it by its variable or as an input: it may hold a password." : "";
    const given = places.filter((place) => place !== undefined).join(", ");
    const of =
      entry.commands === undefined
        ? ""
        : ` Of: ${entry.commands.map((command) => `\`${command}\``).join(", ")}.`;
    return `## \`${name}\`\n\n${entry.text}${secret}\n\n${facts.join("; ")}. Given by: ${given}.${of}\n`;
  });
  return `# Settings

Made from \`src/settings/\` by \`npm run generate\`.

A flag, or an input of the action, wins over its variable, a variable over migration-gate.yml, and that over the default.
An empty input or variable counts as not given. A flag that is true or false needs no value: \`--write-baseline\` is
\`--write-baseline true\`.

## migration-gate.yml

It lies in \`working-directory\`, or at the root of the repository where that has none; \`config-file\` names another. Its keys
are the names below (where they say so), \`rules\`, \`accept\` and \`rows\`. Values are read as the text that is written: a revision
0012 stays 0012. Mistakes in it end every command, all of
them told at once with line and column; anchors and aliases are not read.

\`\`\`yaml
rules:                           # a severity (error, warning, note, off) and why, where it is less than the rule's own
  require-concurrent-index-creation: { severity: note, because: our tables are small }
accept:                          # where the revision's file must not change; reason is read as because
  - { rule: ban-drop-column, revision: "20260301", because: unmapped since v1.8 }
history: new                     # or all
floor: 4bc4d934e2bc              # downgrades are supported down to here
rows:                            # what the deploy lane puts into tables
  default: { tier: plain, rows: 3 }
  reference: [countries]
  tables:
    users: { unique: [nickname], not-null: [nickname], values: { role: [admin, member] } }
\`\`\`

An editor completes and checks it with the first line
\`# yaml-language-server: $schema=<path>/migration-gate.schema.json\`.

${rowsSection(tables)}
${sections.join("\n")}`;
}

function rowsSection({ rowSections, tableRowKeys, defaultRowKeys, mostRowsPerTable }) {
  const list = (entries) => entries.map(([name, text]) => `- \`${name}\`: ${text}`).join("\n");
  return `## \`rows\`

What the deploy lane puts into the tables of the base and of the change, see [deploy-lane-rows.md](deploy-lane-rows.md). In
migration-gate.yml only. A table, column or value that cannot be is a warning (\`unused-row-setting\`).

${list(Object.entries(rowSections))}

Of a table, under \`tables\` (${defaultRowKeys.map((key) => `\`${key}\``).join(" and ")} under \`default\` as well):

${list(Object.entries(tableRowKeys))}

Numbers are whole ones from 1 to ${mostRowsPerTable}; values are texts as PostgreSQL reads them.
`;
}

function actionFile({ settingTable, outputTable, takes }) {
  const inputs = Object.entries(settingTable)
    .filter(([name]) => takes(name, "input"))
    .map(([name, entry]) => {
      const words = wordsOf(entry) === undefined ? "" : ` One of ${wordsOf(entry).join(", ")}.`;
      const list = entry.type === "list" ? " One a line." : "";
      const standard =
        entry.default === undefined || entry.inputDefault ? "" : ` Default \`${entry.default}\`.`;
      const lines = [
        `  ${name}:`,
        `    description: ${JSON.stringify(`${entry.text}${words}${list}${standard}`)}`,
        "    required: false",
      ];
      // A default here would be an input that is always given, and win over variable and file.
      if (entry.inputDefault !== undefined) lines.push(`    default: ${JSON.stringify(entry.inputDefault)}`);
      return lines.join("\n");
    });
  const outputs = Object.entries(outputTable).map(
    ([name, text]) => `  ${name}:\n    description: ${JSON.stringify(text)}`,
  );
  return `# Made from src/settings/ and src/outputs.ts by \`npm run generate\`.
name: migration-gate
description: Proves database migrations on a shadow PostgreSQL before a pull request lands.
branding:
  icon: database
  color: green
runs:
  using: node24
  main: dist/action.js
inputs:
${inputs.join("\n")}
outputs:
${outputs.join("\n")}
`;
}

function schema({ settingTable, takes, ...tables }) {
  const settings = Object.entries(settingTable)
    .filter(([name]) => takes(name, "file"))
    .map(([name, entry]) => [name, { description: entry.text, ...typeOf(entry) }]);
  const severities = ["error", "warning", "note", "off"];
  const because = { type: "string", minLength: 1, description: "Why." };
  const id = { type: ["string", "integer"] };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "migration-gate.yml",
    type: ["object", "null"],
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(settings),
      rules: {
        description:
          "What the project says of a rule, by its id: a severity, or with the reason, which off needs.",
        type: ["object", "null"],
        additionalProperties: {
          oneOf: [
            { enum: severities.slice(0, 3) },
            {
              type: "object",
              additionalProperties: false,
              properties: { severity: { enum: severities }, because, reason: because },
              if: { properties: { severity: { const: "off" } }, required: ["severity"] },
              // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
              then: { anyOf: [{ required: ["because"] }, { required: ["reason"] }] },
            },
          ],
        },
      },
      accept: {
        description: "Findings that are accepted where the revision's file must not change.",
        type: ["array", "null"],
        items: {
          type: "object",
          additionalProperties: false,
          required: ["rule", "revision"],
          properties: { rule: { type: "string" }, revision: id, because, reason: because },
        },
      },
      rows: rowsSchema(tables),
    },
  };
}

function rowsSchema({ rowSections, tableRowKeys, defaultRowKeys, rowTiers, mostRowsPerTable }) {
  const name = { type: ["string", "number"] };
  const names = { type: "array", minItems: 1, items: name };
  const values = { type: "array", minItems: 1, items: { type: ["string", "number", "boolean"] } };
  const types = {
    rows: { type: "integer", minimum: 1, maximum: mostRowsPerTable },
    tier: { enum: rowTiers },
    values: { type: "object", additionalProperties: values },
    unique: names,
    "not-null": names,
  };
  const properties = (keys) =>
    Object.fromEntries(keys.map((key) => [key, { description: tableRowKeys[key], ...types[key] }]));
  const mapping = (keys) => ({
    type: ["object", "null"],
    additionalProperties: false,
    properties: properties(keys),
  });
  return {
    description: "What the deploy lane puts into tables.",
    type: ["object", "null"],
    additionalProperties: false,
    properties: {
      default: { description: rowSections.default, ...mapping(defaultRowKeys) },
      reference: { description: rowSections.reference, oneOf: [names, { type: "null" }] },
      tables: {
        description: rowSections.tables,
        type: ["object", "null"],
        additionalProperties: mapping(Object.keys(tableRowKeys)),
      },
    },
  };
}

function typeOf(entry) {
  const standard = entry.default === undefined ? {} : { default: entry.default };
  if (Array.isArray(entry.type)) return { enum: entry.type, ...standard };
  if (entry.type === "boolean") return { type: "boolean", default: entry.default === "true" };
  if (entry.type === "number")
    return { type: "integer", minimum: 1, ...(entry.default ? { default: Number(entry.default) } : {}) };
  const value = { type: ["string", "number"] };
  if (entry.type !== "list") return { ...value, ...standard };
  return { oneOf: [value, { type: "array", items: value }, { type: "object", additionalProperties: value }] };
}

function wordsOf(entry) {
  return Array.isArray(entry.type) ? entry.type : entry.type === "boolean" ? ["true", "false"] : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of Object.entries(await generatedFiles()))
    writeFileSync(path.join(root, file), text);
}
