import { type Finding, type Severity, severities } from "../model/finding";
import type { CheckReport, Step } from "../model/verdict";

/** True when a finding counts: not suppressed, and at or above `failOn`. */
export function counts(finding: Finding, failOn: Severity): boolean {
  return !finding.suppressed && severities.indexOf(finding.severity) <= severities.indexOf(failOn);
}

/** passed: no finding that counts, and every step under judgement proved, or skipped for a written reason. */
export function verdictOf(
  findings: readonly Finding[],
  steps: readonly Step[],
  failOn: Severity,
): CheckReport["verdict"] {
  const open = steps.some(({ judged, status }) => judged && status !== "proved" && status !== "skipped");
  return open || findings.some((finding) => counts(finding, failOn)) ? "failed" : "passed";
}

/** What is wrong with a revision that this change did not touch is a note. */
export function asNotes(findings: readonly Finding[], judged: ReadonlySet<string>): Finding[] {
  return findings.map((finding) =>
    finding.revision === undefined || judged.has(finding.revision)
      ? finding
      : { ...finding, severity: "note" },
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
