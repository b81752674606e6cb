import type { CheckReport } from "../model/verdict";

/** One object on standard output; docs/json-report.md describes it. */
export function jsonReport(report: CheckReport): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
