import type { CheckReport } from "../model/verdict";
import { countFindings } from "./counts";

/** Files that a later step may take. */
export interface ReportFiles {
  readonly report: string;
  readonly sarif: string;
}

/** What a later step of the workflow reads as `steps.<id>.outputs.<name>`, with its text for action.yml. */
export const outputTexts = {
  verdict: "passed, failed, or error where nothing could be judged.",
  errors: "How many findings are errors.",
  warnings: "How many findings are warnings.",
  notes: "How many findings are notes.",
  suppressed: "How many findings are suppressed; they are in no other count.",
  proved: "How many steps under judgement were proved; a revision has two.",
  "shadow-kind": "given, installed or embedded; empty where no PostgreSQL was needed.",
  "shadow-version": "The version of that PostgreSQL.",
  report: "The path of the JSON report; empty without one.",
  sarif: "The path of the SARIF report, for github/codeql-action/upload-sarif; empty without one.",
} as const;

/** Every value is short. */
export type Outputs = Readonly<Record<keyof typeof outputTexts, string>>;

/** Without a report nothing could be judged. */
export function outputs(report: CheckReport | undefined, files: ReportFiles | undefined): Outputs {
  const counts = countFindings(report?.findings ?? []);
  const proved = report?.steps.filter(({ judged, status }) => judged && status === "proved").length ?? 0;
  return {
    verdict: report?.verdict ?? "error",
    errors: String(counts.error),
    warnings: String(counts.warning),
    notes: String(counts.note),
    suppressed: String(counts.suppressed),
    proved: String(proved),
    "shadow-kind": report?.shadow?.kind ?? "",
    "shadow-version": report?.shadow?.version ?? "",
    report: files?.report ?? "",
    sarif: files?.sarif ?? "",
  };
}
