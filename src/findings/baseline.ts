import { createHash } from "node:crypto";
import { UserError } from "../errors";
import { type Finding, type Severity, severities } from "../model/finding";
import { factRules } from "./fact-rules";
import { factRule } from "./rule-ids";
import { type Asked, wasAsked } from "./was-asked";

/** One finding that was there when the baseline was written; all but the fingerprint is for readers. */
export interface BaselineEntry {
  readonly fingerprint: string;
  readonly rule: string;
  readonly revision?: string;
  readonly object?: string;
  readonly what: string;
}

export interface BaselineContext extends Asked {
  /** The file as a message names it. */
  readonly file: string;
  readonly judged: ReadonlySet<string>;
  readonly edited: EditedTexts;
}

/** A hash of the text that each edited revision has now: a later edit of it is another finding. */
export type EditedTexts = ReadonlyMap<string, string>;

/** A finding's fingerprint as it is, and those that it would have with each severity at or above its own. */
interface Marks {
  readonly own: string;
  readonly covering: readonly string[];
  readonly all: readonly string[];
}

/**
 * What a finding is, apart from where it stands: rule, severity, revision, direction, object and text without line
 * numbers, the text of an edited revision, and which of several alike it is. Lines may shift without a change of it.
 */
function marksOf(findings: readonly Finding[], edited: EditedTexts): Marks[] {
  const seen = new Map<string, number>();
  return findings.map(({ rule, severity, revision, file, direction, object, what }) => {
    const text = what.replace(/\bline \d+/g, "line");
    const edition =
      rule === "revision-edited" || rule === "revision-squashed" ? edited.get(revision ?? "") : undefined;
    const key = JSON.stringify([rule, revision ?? file, direction, object, text, edition]);
    const index = seen.get(key) ?? 0;
    seen.set(key, index + 1);
    const mark = (as: Severity): string =>
      createHash("sha256").update(`${key} ${index} ${as}`).digest("hex").slice(0, 24);
    return {
      own: mark(severity),
      covering: severities.slice(0, severities.indexOf(severity) + 1).map(mark),
      all: severities.map(mark),
    };
  });
}

/** The file's text: every finding that is neither accepted already nor one that must never be. */
export function baselineText(findings: readonly Finding[], edited: EditedTexts): string {
  const marks = marksOf(findings, edited);
  const entries = findings.flatMap((finding, index): BaselineEntry[] => {
    const { rule, revision, object, what, suppressed } = finding;
    const fingerprint = marks[index]?.own;
    if (suppressed || fingerprint === undefined || factRule(rule)?.never !== undefined) return [];
    return [
      {
        fingerprint,
        rule,
        ...(revision === undefined ? {} : { revision }),
        ...(object === undefined ? {} : { object }),
        what,
      },
    ];
  });
  const sorted = entries.sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1));
  return `${JSON.stringify({ version: 1, findings: sorted }, null, 2)}\n`;
}

function sortKey({ rule, revision = "", fingerprint }: BaselineEntry): string {
  return `${revision} ${rule} ${fingerprint}`;
}

/** Reads the file's text; a UserError where it is none of ours. */
export function parseBaseline(text: string, file: string): readonly BaselineEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(file, error instanceof Error ? error.message : String(error));
  }
  const entries =
    typeof value === "object" &&
    value !== null &&
    "version" in value &&
    value.version === 1 &&
    "findings" in value
      ? value.findings
      : undefined;
  if (!Array.isArray(entries)) throw broken(file, 'It has no "version": 1 with "findings".');
  return entries.map((entry: unknown, index) => {
    if (isEntry(entry)) return entry;
    throw broken(file, `Entry ${index + 1} has no fingerprint, rule and what.`);
  });
}

function isEntry(value: unknown): value is BaselineEntry {
  const entry = value as Partial<Record<keyof BaselineEntry, unknown>> | null;
  return (
    typeof entry === "object" &&
    entry !== null &&
    typeof entry.fingerprint === "string" &&
    typeof entry.rule === "string" &&
    typeof entry.what === "string"
  );
}

function broken(file: string, seen: string): UserError {
  return new UserError({
    what: `The baseline ${file} cannot be read.`,
    seen,
    do: "Write it anew: migration-gate check --write-baseline",
  });
}

/**
 * Marks what the baseline has, and notes what of it is no longer found. An entry does not cover a finding that is worse
 * now than it was.
 */
export function applyBaseline(
  findings: readonly Finding[],
  entries: readonly BaselineEntry[],
  context: BaselineContext,
): Finding[] {
  const marks = marksOf(findings, context.edited);
  const found = new Set(marks.flatMap(({ all }) => all));
  const known = new Set(entries.map(({ fingerprint }) => fingerprint));
  const marked = findings.map((finding, index) => {
    const isKnown =
      (marks[index]?.covering ?? []).some((mark) => known.has(mark)) &&
      factRule(finding.rule)?.never === undefined;
    return isKnown && !finding.suppressed
      ? { ...finding, suppressed: true, suppression: "baseline" }
      : finding;
  });
  const gone = entries.filter(
    ({ fingerprint, rule, revision }) =>
      !found.has(fingerprint) &&
      (revision === undefined || context.judged.has(revision)) &&
      wasAsked(rule, revision, context),
  );
  return [...marked, ...gone.map((entry) => goneFinding(entry, context.file))];
}

function goneFinding({ rule, revision, what }: BaselineEntry, file: string): Finding {
  return {
    rule: "unused-baseline-entry",
    severity: "note",
    revision,
    direction: undefined,
    file,
    line: undefined,
    column: undefined,
    object: undefined,
    what: `The baseline has a ${rule} that is no longer found: ${what}`,
    where: file,
    seen: "The baseline and the findings of this check.",
    why: factRules["unused-baseline-entry"].why,
    do: factRules["unused-baseline-entry"].do,
    suppressed: false,
    suppression: undefined,
  };
}
