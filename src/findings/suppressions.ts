import { type Finding, type Severity, severities } from "../model/finding";
import type { CoveredLines, Remark } from "../model/operation";
import type { Acceptance, Policy } from "../model/policy";
import { near, nearest } from "../nearest";
import { rules } from "../rules/index";
import { factRules } from "./fact-rules";
import { factRule, ruleIds } from "./rule-ids";
import { type Asked, wasAsked } from "./was-asked";

/** A `# migration-gate: …` of a revision under judgement. */
export interface RevisionRemark {
  readonly revision: string;
  readonly remark: Remark;
}

export interface SuppressionContext extends Asked {
  readonly remarks: readonly RevisionRemark[];
  readonly policy: Policy;
  /** Ids of revisions under judgement: of others no lint rule was asked. */
  readonly judged: ReadonlySet<string>;
  /** Ids of all revisions that have a file; undefined where migration-gate.yml may speak of another project's. */
  readonly revisions: ReadonlySet<string> | undefined;
  /** False without a base: then no edit is known. */
  readonly compared: boolean;
}

/**
 * Marks what the project has accepted, with its reason, and adds what is wrong with the suppressions themselves. What
 * must never be accepted stays (`FactRule.never`).
 */
export function suppress(findings: readonly Finding[], context: SuppressionContext): Finding[] {
  const rated = findings.map((finding) => bySetting(finding, context.policy));
  const comments = context.remarks.flatMap(allowances);
  const accepted = context.policy.accept.map((entry) => acceptance(entry, context.policy));
  const all = [...comments, ...accepted];
  const valid = all.filter((allowance) => problemOf(allowance) === undefined);
  const used = new Set<Allowance>();
  const marked = rated.map((finding) => {
    const matching = valid.filter(
      (allowance) => allowance.rule === finding.rule && allowance.matches(finding),
    );
    for (const allowance of matching) used.add(allowance);
    const [first] = matching;
    if (first === undefined || finding.suppressed) return finding;
    return { ...finding, suppressed: true, suppression: first.reason };
  });
  return [
    ...marked,
    ...context.remarks.flatMap(unknownWord),
    ...settingProblems(context.policy),
    ...unknownRevisions(findings, context),
    ...all.flatMap((allowance) => problemOf(allowance) ?? []),
    ...valid
      .filter((allowance) => !used.has(allowance) && isKnownUnused(allowance, context))
      .map(unusedFinding),
  ];
}

/** One rule that one comment or entry wants to accept. */
interface Allowance {
  readonly rule: string;
  readonly reason: string | undefined;
  readonly place: Place;
  readonly matches: (finding: Finding) => boolean;
  /** False where nothing can match, whatever is found. */
  readonly speaksOfSomething: boolean;
}

interface Place {
  readonly file: string | undefined;
  readonly line: number;
  readonly column: number;
  readonly revision: string | undefined;
}

const words = ["allow", "irreversible"];

function allowances({ revision, remark }: RevisionRemark): Allowance[] {
  const [, names, reason] = /^allow\b\s*(.*?)\s*(?:\bbecause\b\s*(.*))?$/s.exec(remark.text) ?? [];
  if (names === undefined) return [];
  const ids = names.split(/[\s,]+/).filter((id) => id !== "");
  const { file, line, column, covers } = remark;
  return (ids.length === 0 ? [""] : ids).map((rule) => ({
    rule,
    reason: reason?.trim() === "" ? undefined : reason?.trim(),
    place: { file, line, column, revision },
    speaksOfSomething: covers !== undefined,
    matches: (finding) => {
      if (covers === "file") return finding.file === file || finding.revision === revision;
      return covers !== undefined && finding.file === file && isWithin(finding, covers);
    },
  }));
}

function isWithin({ line, column }: Finding, { from, to, columns }: CoveredLines): boolean {
  if (line === undefined || line < from || line > to) return false;
  if (column === undefined || columns === undefined) return true;
  return (line > from || column >= columns.from) && (line < to || column < columns.to);
}

function acceptance(entry: Acceptance, policy: Policy): Allowance {
  return {
    rule: entry.rule,
    reason: entry.because,
    place: { file: policy.file, line: entry.line, column: 1, revision: entry.revision },
    speaksOfSomething: true,
    matches: (finding) => finding.revision === entry.revision,
  };
}

/** A severity of migration-gate.yml; what is a note because nobody judges its revision stays one. */
function bySetting(finding: Finding, policy: Policy): Finding {
  const setting = policy.rules.get(finding.rule);
  if (setting?.severity === undefined || factRule(finding.rule)?.never !== undefined) return finding;
  const { severity, because } = setting;
  if (severity === "off") {
    return because === undefined ? finding : { ...finding, suppressed: true, suppression: because };
  }
  if (because === undefined && isLower(severity, finding.severity)) return finding;
  if (finding.severity === "note" && ownSeverity(finding.rule) !== "note") return finding;
  return { ...finding, severity };
}

function isLower(severity: Severity | "off", than: Severity): boolean {
  return severity === "off" || severities.indexOf(severity) > severities.indexOf(than);
}

function ownSeverity(rule: string): Severity {
  const lint = Object.entries(rules).find(([id]) => id === rule)?.[1].severity;
  return lint ?? severities.find((severity) => factRule(rule)?.severity.startsWith(severity)) ?? "error";
}

function problemOf(allowance: Allowance): Finding | undefined {
  const { rule, reason, place } = allowance;
  if (rule === "") return about("unknown-suppression", place, "The suppression names no rule.");
  if (!ruleIds.includes(rule)) return unknownRule(rule, place);
  const never = factRule(rule)?.never;
  if (never !== undefined) {
    return about("suppression-not-allowed", place, `The rule "${rule}" must not be accepted: ${never}.`);
  }
  return reason === undefined
    ? about("suppression-without-reason", place, `The suppression of "${rule}" has no reason.`)
    : undefined;
}

function unknownRule(rule: string, place: Place): Finding {
  const close = near(rule, ruleIds);
  return close === undefined
    ? about(
        "unknown-suppression",
        place,
        `There is no rule "${rule}".`,
        "Remove the suppression; migration-gate explain lists all rules.",
      )
    : about(
        "unknown-suppression",
        place,
        `There is no rule "${rule}"; the nearest is "${close}".`,
        `Write ${close}, or remove the suppression.`,
      );
}

/** An entry of migration-gate.yml for a revision that is nowhere: a slip, or what a squash has left behind. */
function unknownRevisions(
  findings: readonly Finding[],
  { policy, revisions, judged }: SuppressionContext,
): Finding[] {
  if (revisions === undefined) return [];
  const isKnown = (id: string) =>
    revisions.has(id) || judged.has(id) || findings.some(({ revision }) => revision === id);
  return policy.accept.flatMap(({ rule, revision, line }) => {
    if (isKnown(revision) || ofHistory.test(rule)) return [];
    const close = near(revision, [...revisions]);
    return [
      about(
        "unknown-suppression",
        { file: policy.file, line, column: 1, revision },
        `There is no revision "${revision}"${close === undefined ? "" : `; the nearest is "${close}"`}.`,
        `${close === undefined ? "Remove the entry" : `Write ${close}, or remove the entry`}.`,
      ),
    ];
  });
}

function unknownWord({ revision, remark }: RevisionRemark): Finding[] {
  const [word = ""] = /^[\w-]*/.exec(remark.text) ?? [];
  const { file, line, column } = remark;
  const place = { file, line, column, revision };
  if (word === "irreversible" || word === "allow") return [];
  return [
    about(
      "unknown-suppression",
      place,
      `A comment says "migration-gate: ${word}", and there is no such word; the nearest is "${nearest(word, words)}".`,
      "Write # migration-gate: allow <rule> because <reason>, or # migration-gate: irreversible because <reason>.",
    ),
  ];
}

function settingProblems(policy: Policy): Finding[] {
  return [...policy.rules].flatMap(([rule, { severity, because, line }]) => {
    const place = { file: policy.file, line: line ?? 1, column: 1, revision: undefined };
    if (!ruleIds.includes(rule)) return [unknownRule(rule, place)];
    const never = factRule(rule)?.never;
    if (severity === undefined) return [];
    if (never !== undefined) {
      return [about("suppression-not-allowed", place, `The severity of "${rule}" cannot be set: ${never}.`)];
    }
    return because === undefined && isLower(severity, ownSeverity(rule))
      ? [
          about(
            "suppression-without-reason",
            place,
            `The rule "${rule}" is set to ${severity} without a reason.`,
          ),
        ]
      : [];
  });
}

/** Rules of revisions that need not be there any more. */
const ofHistory = /^revision-(?:edited|deleted|squashed)$/;

/** Where its rule was not asked, or no lane has run, it may yet be needed. */
function isKnownUnused({ rule, place, speaksOfSomething }: Allowance, context: SuppressionContext): boolean {
  if (!speaksOfSomething) return true;
  // Once an edit is merged its revision is not judged any more, and the next edit must not find the door open.
  if (ofHistory.test(rule)) return context.compared;
  const wasJudged = place.revision === undefined || context.judged.has(place.revision);
  return wasJudged && wasAsked(rule, place.revision, context);
}

function unusedFinding({ rule, place, speaksOfSomething }: Allowance): Finding {
  return about(
    "unused-suppression",
    place,
    speaksOfSomething
      ? `The suppression of "${rule}" suppresses nothing.`
      : `The suppression of "${rule}" stands above no statement.`,
  );
}

type OwnRule =
  | "unknown-suppression"
  | "suppression-without-reason"
  | "suppression-not-allowed"
  | "unused-suppression";

function about(rule: OwnRule, place: Place, what: string, advice?: string): Finding {
  return {
    rule,
    severity: "warning",
    revision: place.revision,
    direction: undefined,
    file: place.file,
    line: place.line,
    column: place.column,
    object: undefined,
    what,
    where: place.file ?? "",
    seen:
      place.revision === undefined || !place.file?.endsWith(".py")
        ? "migration-gate.yml"
        : "The revision file.",
    why: factRules[rule].why,
    do: advice ?? factRules[rule].do,
    suppressed: false,
    suppression: undefined,
  };
}
