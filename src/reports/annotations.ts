import { type Finding, type Severity, severities } from "../model/finding";
import type { CheckReport } from "../model/verdict";
import { openFindings } from "./counts";
import { clip } from "./escaping";
import { repositoryPath } from "./place";
import { harmless } from "./terminal";

/** GitHub's limits: annotations of one level in a step, and characters of one message (documentation, 2026-11). */
export const annotationsOfALevel = 10;
export const annotationLength = 4096;

const titleLength = 255;

/** What becomes `::error file=…,line=…,title=…::message`; escaping for that line is @actions/core's. */
export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly message: string;
  /** Relative to the repository's root. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
}

const levels: Readonly<Record<Severity, Annotation["level"]>> = {
  error: "error",
  warning: "warning",
  note: "notice",
};

/** The worst ten of each level; where there are more, the tenth says how many and where they are. */
export function annotations(report: CheckReport, workingDirectory: string): Annotation[] {
  const open = openFindings(report);
  return severities.flatMap((severity) => {
    const own = open.filter((finding) => finding.severity === severity);
    if (own.length <= annotationsOfALevel) return own.map((finding) => annotation(finding, workingDirectory));
    const shown = own.slice(0, annotationsOfALevel - 1);
    const left = own.length - shown.length;
    return [
      ...shown.map((finding) => annotation(finding, workingDirectory)),
      {
        level: levels[severity],
        title: "migration-gate",
        message: `${left} more findings of severity ${severity} are not shown here, because GitHub shows ${annotationsOfALevel} annotations of a level. All are in the job's log and in the JSON report.`,
        file: undefined,
        line: undefined,
        column: undefined,
      },
    ];
  });
}

function annotation(finding: Finding, workingDirectory: string): Annotation {
  const file = finding.file === undefined ? undefined : repositoryPath(workingDirectory, finding.file);
  const parts = [finding.what, finding.seen, finding.why, finding.do === "" ? "" : `Do: ${finding.do}`];
  // Each part has its share, so that long evidence never pushes out the advice.
  const share = Math.floor(annotationLength / parts.length) - 1;
  return {
    level: levels[finding.severity],
    title: clip(harmless(clip(finding.rule, titleLength)).replace(/\s+/g, " "), titleLength),
    message: parts
      .filter((part) => part !== "")
      .map((part) => clip(harmless(clip(part, share)), share))
      .join("\n"),
    file,
    line: file === undefined ? undefined : finding.line,
    column: file === undefined ? undefined : finding.column,
  };
}
