import { rules } from "../rules/index";
import { type FactRule, factRules } from "./fact-rules";

/** Every id that a finding may have: lint rules, then facts. */
export const ruleIds: readonly string[] = [...Object.keys(rules), ...Object.keys(factRules)];

const lintIds: ReadonlySet<string> = new Set(Object.keys(rules));
const facts: ReadonlyMap<string, FactRule> = new Map(Object.entries(factRules));

export function isLintRule(id: string): boolean {
  return lintIds.has(id);
}

export function factRule(id: string): FactRule | undefined {
  return facts.get(id);
}
