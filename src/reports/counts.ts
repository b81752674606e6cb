import { type Finding, type Severity, severities } from "../model/finding";
import type { CheckReport, Step, StepStatus } from "../model/verdict";

export type SeverityCounts = Readonly<Record<Severity | "suppressed", number>>;

/** How many findings of each severity there are, without the suppressed ones, and how many of those. */
export function countFindings(findings: readonly Finding[]): SeverityCounts {
  const counts = { error: 0, warning: 0, note: 0, suppressed: 0 };
  for (const { severity, suppressed } of findings) counts[suppressed ? "suppressed" : severity] += 1;
  return counts;
}

/** Those that are not suppressed, worst first. */
export function openFindings(report: CheckReport): readonly Finding[] {
  return severities.flatMap((severity) =>
    report.findings.filter((finding) => !finding.suppressed && finding.severity === severity),
  );
}

/** "2 errors, 1 note", or "no findings". */
export function findingsText(counts: SeverityCounts): string {
  const parts = severities
    .filter((severity) => counts[severity] > 0)
    .map((severity) => `${counts[severity]} ${severity}${counts[severity] === 1 ? "" : "s"}`);
  const suppressed = counts.suppressed === 0 ? [] : [`${counts.suppressed} suppressed`];
  return parts.length === 0
    ? ["no findings", ...suppressed].join(", ")
    : [...parts, ...suppressed].join(", ");
}

const statuses: readonly StepStatus[] = ["proved", "failed", "not proved", "skipped"];

/** "3 proved, 1 failed", or "nothing to prove". */
export function stepsText(steps: readonly Step[]): string {
  const parts = statuses
    .map((status) => ({ status, count: steps.filter((step) => step.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  return parts.length === 0 ? "nothing to prove" : parts.join(", ");
}

/** "0.12 s". */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 2 : 1)} s`;
}

/** Which of several databases was judged, for the middle of a sentence; empty where there is one. */
export function ofBind({ bind }: Pick<CheckReport, "bind">): string {
  return bind === undefined ? "" : ` in the database "${bind}"`;
}
