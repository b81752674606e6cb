import { isMap, isSeq, type Node } from "yaml";
import { mapAll, UserError } from "../errors";
import { type Severity, severities } from "../model/finding";
import type { Acceptance, RuleSetting } from "../model/policy";
import { nearest } from "../nearest";
import {
  type Field,
  isEmpty,
  readEntries,
  type Source,
  scalarText,
  textFields,
  wrongType,
} from "./yaml-nodes";

/** `rules:` of migration-gate.yml; whether the ids are known is not looked at. */
export function rulesOf(node: Node | null, source: Source): Map<string, RuleSetting> {
  if (node === null || isEmpty(node)) return new Map();
  if (!isMap(node)) throw wrongType("rules", "a mapping of rule ids", node, source);
  return new Map(
    readEntries(node, source, ({ key, node: value, place }) => [key, ruleSetting(key, value, place, source)]),
  );
}

const ruleWords = [...severities, "off"] as const;

function ruleSetting(rule: string, node: Node | null, place: string, source: Source): RuleSetting {
  const wanted = `${ruleWords.join(", ")}, or { severity: …, because: … }`;
  const fields = isMap(node)
    ? textFields(node, ["severity", "because", "reason"], `rules.${rule}`, source, (name, field) => {
        if (name === "severity") severityOf(field, rule);
      })
    : { severity: { text: scalarText(node, `rules.${rule}`, wanted, source), place: source.at(node) } };
  const severity = fields.severity === undefined ? undefined : severityOf(fields.severity, rule);
  const because = becauseOf(fields, `rules.${rule}`);
  if (severity === "off" && because === undefined) {
    throw new UserError({
      what: `The rule ${rule} is turned off without a reason.`,
      where: place,
      do: `Write ${rule}: { severity: off, because: <why> }`,
    });
  }
  return { severity, because, line: node === null ? 1 : source.line(node) };
}

function severityOf({ text, place }: Field, rule: string): Severity | "off" {
  const word = ruleWords.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  throw new UserError({
    what: `The severity of ${rule} is "${text}".`,
    where: place,
    seen: `Allowed are ${ruleWords.join(", ")}.`,
    do: `Set it to ${nearest(text, ruleWords)}.`,
  });
}

/** `accept:` of migration-gate.yml. */
export function acceptOf(node: Node | null, source: Source): Acceptance[] {
  if (node === null || isEmpty(node)) return [];
  const wanted = "a list of { rule, revision, because }";
  if (!isSeq(node)) throw wrongType("accept", wanted, node, source);
  return mapAll(node.items, (item) => {
    if (!isMap(item)) throw wrongType("accept", wanted, item, source);
    const fields = textFields(item, ["rule", "revision", "because", "reason"], "accept", source);
    const because = becauseOf(fields, "accept");
    const { rule, revision } = fields;
    if (rule !== undefined && revision !== undefined)
      return { rule: rule.text, revision: revision.text, because, line: source.line(item) };
    const lacking =
      rule === undefined ? (revision === undefined ? "rule and no revision" : "rule") : "revision";
    throw new UserError({
      what: `An entry of accept has no ${lacking}.`,
      where: source.at(item),
      do: "Write - { rule: <id>, revision: <id>, because: <why> }",
    });
  });
}

function becauseOf(fields: Readonly<Record<string, Field | undefined>>, owner: string): string | undefined {
  const { because, reason } = fields;
  if (because !== undefined && reason !== undefined) {
    throw new UserError({
      what: `${owner} has because and reason, which mean the same.`,
      where: reason.place,
      do: "Keep because.",
    });
  }
  return (because ?? reason)?.text;
}
