import type { Observed, ObservedRun } from "./observed";
import type { ExampleRevision, Rule } from "./rule";

export type PagePart =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly language: "python" | "text"; readonly text: string };

/** A rule's page: title, why, do, both examples and what the server did with them, how to accept a finding. */
export function rulePage(id: string, rule: Rule, observed: Observed | undefined): PagePart[] {
  const { given, bad, good } = rule.examples;
  return [
    { kind: "heading", text: id },
    { kind: "text", text: `${rule.title} Severity: ${rule.severity}.` },
    { kind: "heading", text: "Why" },
    { kind: "text", text: rule.why },
    { kind: "heading", text: "Do" },
    { kind: "text", text: rule.do },
    { kind: "heading", text: "Bad" },
    ...example(bad, observed?.bad),
    { kind: "heading", text: "Good" },
    ...example(good, observed?.good),
    { kind: "heading", text: "Before both" },
    { kind: "code", language: "python", text: given.upgrade },
    { kind: "heading", text: "To accept a finding" },
    {
      kind: "text",
      text: "Above the statement, or at the top of the file for all of it:",
    },
    { kind: "code", language: "python", text: `# migration-gate: allow ${id} because <reason>` },
    { kind: "text", text: "Where the file must not change, in migration-gate.yml:" },
    {
      kind: "code",
      language: "text",
      text: `accept:\n  - { rule: ${id}, revision: "<revision>", because: <reason> }`,
    },
    { kind: "text", text: `Other tools call it ${rule.aliases.join(", ")}.` },
  ];
}

function example(revision: ExampleRevision, observed: ObservedRun | undefined): PagePart[] {
  const code = `def upgrade():\n${indented(revision.upgrade)}\n\n\ndef downgrade():\n${indented(revision.downgrade)}`;
  if (observed === undefined) return [{ kind: "code", language: "python", text: code }];
  return [
    { kind: "code", language: "python", text: code },
    { kind: "text", text: "What PostgreSQL did in the upgrade:" },
    { kind: "code", language: "text", text: observedText(observed) },
  ];
}

function indented(code: string): string {
  return code
    .split("\n")
    .map((line) => (line === "" ? "" : `    ${line}`))
    .join("\n");
}

function observedText({ statements, failure }: ObservedRun): string {
  const lines = statements.flatMap(({ sql, locks, rewrites }) => [
    sql,
    `  locks: ${locks.length === 0 ? "none on a table that was there" : locks.join(", ")}`,
    `  rewrites: ${rewrites.length === 0 ? "no" : rewrites.join(", ")}`,
  ]);
  return [...lines, ...(failure === undefined ? [] : [`failed: ${failure}`])].join("\n");
}

export function markdownPage(parts: readonly PagePart[], source: string): string {
  const blocks = parts.map((part, index) => {
    if (part.kind === "heading") return index === 0 ? `# ${part.text}` : `## ${part.text}`;
    return part.kind === "text" ? part.text : `\`\`\`${part.language}\n${part.text}\n\`\`\``;
  });
  const [title, ...rest] = blocks;
  return `${[title, `Made from \`${source}\` by \`npm run generate\`.`, ...rest].join("\n\n")}\n`;
}
