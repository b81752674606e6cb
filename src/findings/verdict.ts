import { type Finding, type Severity, severities } from "../model/finding";
import type { CheckReport, Step } from "../model/verdict";
import { isLintRule } from "./rule-ids";

/** True when a finding counts: not suppressed, and at or above `failOn`. */
export function counts(finding: Finding, failOn: Severity): boolean {
  return !finding.suppressed && severities.indexOf(finding.severity) <= severities.indexOf(failOn);
}

/**
 * passed: no finding that counts, and every step under judgement proved, skipped for a written reason, or failed for
 * nothing but what was accepted with a reason. What was not proved is never accepted.
 */
export function verdictOf(
  findings: readonly Finding[],
  steps: readonly Step[],
  failOn: Severity,
): CheckReport["verdict"] {
  const open = steps.some(
    (step) =>
      step.judged && step.status !== "proved" && step.status !== "skipped" && !isAccepted(step, findings),
  );
  return open || findings.some((finding) => counts(finding, failOn)) ? "failed" : "passed";
}

function isAccepted(step: Step, findings: readonly Finding[]): boolean {
  const causes = findings.filter(
    (finding) =>
      finding.revision === step.revision &&
      failedDirection(finding) === step.direction &&
      finding.severity !== "note" &&
      !isLintRule(finding.rule),
  );
  return step.status === "failed" && causes.length > 0 && causes.every(({ suppressed }) => suppressed);
}

/** The step that a finding makes fail: what the second upgrade shows, the downgrade before it did not undo. */
function failedDirection({ rule, direction }: Finding): Finding["direction"] {
  return rule === "second-upgrade-fails" || rule === "second-upgrade-differs" ? "downgrade" : direction;
}

/** What is wrong with a revision that this change did not touch is a note. */
export function asNotes(findings: readonly Finding[], judged: ReadonlySet<string>): Finding[] {
  return findings.map((finding) =>
    finding.revision === undefined || judged.has(finding.revision)
      ? finding
      : { ...finding, severity: "note" },
  );
}

/**
 * A downgrade that is not there is one error: what it leaves behind, or that it raises, is a note where require-downgrade
 * already says so. The step stays failed. Where require-downgrade was accepted, what the proof shows still has to be.
 */
export function oneErrorForNoDowngrade(findings: readonly Finding[]): Finding[] {
  const without = new Set(
    findings
      .filter(
        ({ rule, severity, suppressed }) =>
          rule === "require-downgrade" && severity === "error" && !suppressed,
      )
      .map(({ revision }) => revision),
  );
  return findings.map((finding) =>
    /^downgrade-(?:leaves-residue|fails)$/.test(finding.rule) &&
    !finding.suppressed &&
    without.has(finding.revision)
      ? {
          ...finding,
          severity: "note",
          seen: `${finding.seen}\nA note, as require-downgrade speaks of the same downgrade.`,
        }
      : finding,
  );
}

/** Worst first, then in the order of the revisions, then of the lines. */
export function sortFindings(findings: readonly Finding[], order: readonly string[]): Finding[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const rank = (finding: Finding) => [
    severities.indexOf(finding.severity),
    place.get(finding.revision ?? "") ?? -1,
    finding.line ?? 0,
  ];
  return [...findings].sort((left, right) => {
    const one = rank(left);
    const two = rank(right);
    const at = one.findIndex((value, index) => value !== two[index]);
    return at < 0 ? 0 : one[at]! - two[at]!;
  });
}
