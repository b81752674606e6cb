#!/usr/bin/env node
// Writes docs/settings.md from the table in src/settings.ts. CI fails when the file is not what this writes.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bundled = buildSync({
  entryPoints: [path.join(root, "src", "settings.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  write: false,
});
const source = Buffer.from(bundled.outputFiles[0].contents).toString("base64");
const { settingTable, variableOf } = await import(`data:text/javascript;base64,${source}`);

const sections = Object.entries(settingTable).map(([name, entry]) => {
  const facts = [
    Array.isArray(entry.type)
      ? `one of ${entry.type.map((word) => `\`${word}\``).join(", ")}`
      : typeOf(entry.type),
    entry.default === undefined ? "no default" : `default \`${entry.default}\``,
    `variable \`${variableOf(name)}\``,
  ];
  const secret = entry.secret ? " Give it by its variable: it may hold a password." : "";
  return `## \`--${name}\`\n\n${entry.text}${secret}\n\n${facts.join("; ")}.\n`;
});

writeFileSync(
  path.join(root, "docs", "settings.md"),
  `# Settings of \`migration-gate check\`

Made from \`src/settings.ts\` by \`npm run generate\`. A flag wins over its variable, a variable over the default.

${sections.join("\n")}`,
);

function typeOf(type) {
  return (
    { text: "text", list: "may be repeated; one a line in the variable", number: "a whole number above 0" }[
      type
    ] ?? type
  );
}
