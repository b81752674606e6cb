import { UserError } from "../errors";
import { factRules } from "../findings/fact-rules";
import { factRule, ruleIds } from "../findings/rule-ids";
import { near } from "../nearest";
import type { Paint } from "../reports/terminal";
import { rules } from "../rules/index";
import { observed } from "../rules/observed-runs";
import { type PagePart, rulePage } from "../rules/page";
import type { Rule } from "../rules/rule";

/** `migration-gate explain <rule>`: the rule's page for a terminal; without a rule, all ids and what they say. */
export function explain(words: readonly string[], paint: Paint): string {
  const [id, ...more] = words;
  if (more.length > 0) {
    throw new UserError({
      what: `explain takes one rule, and was given ${words.length}.`,
      do: `migration-gate explain ${id}`,
    });
  }
  return terminalPage(id === undefined ? listing() : pageOf(id), paint);
}

function pageOf(id: string): readonly PagePart[] {
  const lint = Object.entries<Rule>(rules).find(([name]) => name === id)?.[1];
  if (lint !== undefined) return rulePage(id, lint, observed[id]);
  const fact = factRule(id);
  if (fact === undefined) {
    const alias = Object.entries<Rule>(rules).find(([, { aliases }]) =>
      aliases.some((name) => name === id || name.endsWith(`/${id}`)),
    )?.[0];
    const close = alias ?? near(id, ruleIds);
    if (close === undefined)
      throw new UserError({
        what: `There is no rule "${id}".`,
        do: "migration-gate explain lists all of them.",
      });
    throw new UserError({
      what: `There is no rule "${id}"; ${alias === undefined ? "the nearest is" : "another tool's name of"} "${close}".`,
      do: `migration-gate explain ${close}`,
    });
  }
  const accept =
    fact.never === undefined
      ? `# migration-gate: allow ${id} because <reason>\nor in migration-gate.yml:\naccept:\n  - { rule: ${id}, revision: "<revision>", because: <reason> }`
      : `It cannot be accepted: ${fact.never}.`;
  return [
    { kind: "heading", text: id },
    { kind: "text", text: `Says that ${fact.says}. Severity: ${fact.severity}.` },
    { kind: "heading", text: "Why" },
    { kind: "text", text: fact.why },
    { kind: "heading", text: "Do" },
    { kind: "text", text: fact.do },
    { kind: "heading", text: "To accept a finding" },
    { kind: fact.never === undefined ? "code" : "text", language: "text", text: accept },
  ];
}

function listing(): PagePart[] {
  const lint = Object.entries<Rule>(rules).map(([id, { title }]) => `${id}\n  ${title}`);
  const facts = Object.entries(factRules).map(([id, { says }]) => `${id}\n  ${says}`);
  return [
    { kind: "heading", text: "Lint rules" },
    { kind: "code", language: "text", text: lint.join("\n") },
    { kind: "heading", text: "What graph, history and proof show" },
    { kind: "code", language: "text", text: facts.join("\n") },
  ];
}

const width = 100;

function terminalPage(parts: readonly PagePart[], paint: Paint): string {
  const blocks = parts.map((part) => {
    if (part.kind === "heading") return paint.bold(part.text);
    return part.kind === "text"
      ? wrapped(part.text)
      : part.text
          .split("\n")
          .map((line) => `  ${line}`.trimEnd())
          .join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}
