import { type AllErrorParts, apart, type ErrorParts } from "../errors";
import type { CheckReport } from "../model/verdict";
import { block, clip, prose } from "./escaping";
import {
  type Detail,
  document,
  findingsSection,
  overview,
  slowSteps,
  stepsTable,
  suppressedSection,
} from "./markdown";
import { revisionGraph } from "./revision-graph";
import { firstThatFits } from "./shedding";

/** GitHub refuses a step's summary above 1 MiB of UTF-8; other steps' are counted by themselves. */
export const summaryBytes = 1024 * 1024;

const versions: readonly (Detail & { readonly graph: boolean })[] = [
  { findings: 500, text: 4000, rows: 500, graph: true },
  { findings: 100, text: 2000, rows: 200, graph: true },
  { findings: 50, text: 400, rows: 50, graph: false },
  { findings: 0, text: 0, rows: 0, graph: false },
];

/** The job's page: findings, what was proved as table and picture, slow statements. Always below GitHub's limit. */
export function jobSummary(report: CheckReport, workingDirectory: string, title: string): string {
  const version = (detail: (typeof versions)[number]) => () =>
    document([
      overview(report, title),
      findingsSection(report, workingDirectory, detail),
      detail.rows > 0 ? stepsTable(report, detail) : "",
      detail.graph ? revisionGraph(report) : "",
      detail.rows > 0 ? slowSteps(report, detail) : "",
      detail.rows > 0 ? suppressedSection(report, workingDirectory, detail) : "",
    ]);
  return firstThatFits(versions.map(version), summaryBytes, (text) => Buffer.byteLength(text));
}

/** What stands where the report would, when nothing could be judged: in the job summary and in the comment. */
export function errorSummary(parts: AllErrorParts, heading: string): string {
  const all = apart(parts);
  const most = all.length === 1 ? 4000 : 400;
  return document([`### ❌ ${heading}`, ...all.flatMap((each) => errorLines(each, most))]);
}

function errorLines(parts: ErrorParts, most: number): string[] {
  const text = (part: string | undefined) => clip(part ?? "", most);
  return [
    `What: ${prose(text(parts.what))}`,
    parts.where === undefined ? "" : `Where: ${prose(text(parts.where))}`,
    parts.why === undefined ? "" : `Why: ${prose(text(parts.why))}`,
    "Do:",
    block(text(parts.do)),
    parts.seen === undefined ? "" : "Seen:",
    parts.seen === undefined ? "" : block(text(parts.seen)),
  ];
}
