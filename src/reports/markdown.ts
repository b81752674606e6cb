import type { Finding } from "../model/finding";
import type { CheckReport, Step } from "../model/verdict";
import { countFindings, findingsText, ofBind, openFindings, seconds, stepsText } from "./counts";
import { deployLaneSentence } from "./deploy-lane-text";
import { block, clip, code, prose } from "./escaping";
import { placeText } from "./place";

/** How much of a report a Markdown version shows. */
export interface Detail {
  /** Findings in full, worst first; the rest is counted. */
  readonly findings: number;
  /** Characters of each text of a finding. */
  readonly text: number;
  /** Rows of each table. */
  readonly rows: number;
}

const shadowKinds = { given: "the given server", installed: "this machine's binaries", embedded: "embedded" };

/** The heading, and one paragraph on what was judged and by which PostgreSQL. */
export function overview(report: CheckReport, title: string): string {
  const judged = report.steps.filter((step) => step.judged);
  const revisions = new Set(judged.map(({ revision }) => revision)).size;
  const { shadow, base } = report;
  const sentences = [
    `${revisions} ${revisions === 1 ? "revision" : "revisions"} under judgement${prose(ofBind(report))}, upgrade and downgrade: ${stepsText(judged)}.`,
    `Findings: ${findingsText(countFindings(report.findings))}.`,
    base === undefined ? "" : `Compared with ${code(base.commit.slice(0, 12))} (${prose(base.source)}).`,
    shadow === undefined
      ? ""
      : `PostgreSQL ${prose(shadow.version)} (${shadowKinds[shadow.kind]})${
          shadow.matchesProduction === false
            ? `; production has ${shadow.production}, which may behave differently`
            : ""
        }.`,
  ];
  const { deployLane } = report;
  if (deployLane !== undefined) {
    const sentence = prose(clip(deployLaneSentence(deployLane), 1_000));
    // What was not seen comes first.
    if (deployLane.status === "not proved") sentences.unshift(`**${sentence}**`);
    else sentences.push(sentence);
  }
  return `### ${report.verdict === "passed" ? "✅" : "❌"} ${title} ${report.verdict}\n\n${sentences.filter((text) => text !== "").join(" ")}`;
}

/** The findings that are not suppressed, each with its evidence folded away; empty where there are none. */
export function findingsSection(report: CheckReport, workingDirectory: string, detail: Detail): string {
  const open = openFindings(report);
  const shown = open.slice(0, detail.findings);
  const left = open.length - shown.length;
  return [
    ...shown.map((finding) => findingText(finding, workingDirectory, detail.text)),
    ...(left > 0 ? [`${left} more ${left === 1 ? "finding is" : "findings are"} in the job's log.`] : []),
  ].join("\n\n");
}

function findingText(finding: Finding, workingDirectory: string, most: number): string {
  const place = placeText(workingDirectory, finding);
  const text = (part: string) => clip(part, most);
  const head = [
    `**${finding.severity}** ${code(text(finding.rule))}`,
    place === "" ? "" : code(text(place)),
    finding.where === "" ? "" : prose(text(finding.where)),
  ];
  return [
    `#### ${head.filter((part) => part !== "").join(" · ")}`,
    `What: ${prose(text(finding.what))}`,
    ...(finding.why === "" ? [] : [`Why: ${prose(text(finding.why))}`]),
    ...(finding.do === "" ? [] : ["Do:", block(text(finding.do))]),
    ...(finding.seen === ""
      ? []
      : ["<details><summary>What was seen</summary>", block(text(finding.seen)), "</details>"]),
  ].join("\n\n");
}

/** Each revision under judgement with what was proved of it, one row; empty where there are none. */
export function stepsTable(report: CheckReport, detail: Detail): string {
  const rows = new Map<string, { upgrade?: Step; downgrade?: Step }>();
  for (const step of report.steps.filter(({ judged }) => judged)) {
    const row = rows.get(step.revision) ?? {};
    row[step.direction] = step;
    rows.set(step.revision, row);
  }
  if (rows.size === 0) return "";
  const shown = [...rows].slice(0, detail.rows);
  const left = rows.size - shown.length;
  return [
    "| revision | upgrade | downgrade | strongest lock |",
    "| --- | --- | --- | --- |",
    ...shown.map(([revision, { upgrade, downgrade }]) =>
      row(code(clip(revision, 80)), stepCell(upgrade), stepCell(downgrade), lockCell([upgrade, downgrade])),
    ),
    ...(left > 0 ? ["", `${left} more ${left === 1 ? "revision" : "revisions"}.`] : []),
  ].join("\n");
}

function stepCell(step: Step | undefined): string {
  if (step === undefined) return "";
  const time = step.milliseconds === undefined ? "" : `, ${seconds(step.milliseconds)}`;
  const reason = step.reason === undefined ? "" : `: ${prose(clip(step.reason, 200))}`;
  return `${step.status}${step.status === "proved" ? time : reason}`;
}

/** Weakest first (PostgreSQL manual, 13.3.1). */
const lockModes = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
];

function lockCell(steps: readonly (Step | undefined)[]): string {
  const locks = steps.flatMap((step) => step?.statements ?? []).flatMap(({ locks: own }) => own ?? []);
  const rank = ({ mode }: { mode: string }) => lockModes.indexOf(mode);
  const [strongest] = [...locks].sort((left, right) => rank(right) - rank(left));
  if (strongest === undefined || rank(strongest) < lockModes.indexOf("ShareUpdateExclusiveLock")) return "";
  const words = strongest.mode
    .replace(/Lock$/, "")
    .replace(/(?!^)(?=[A-Z])/g, " ")
    .toUpperCase();
  return `${words} on ${code(clip(strongest.relation, 80))}`;
}

/** The statements under judgement that took longest on the shadow, which has no rows; empty where all were quick. */
export function slowSteps(report: CheckReport, detail: Detail): string {
  const slowMs = 100;
  const statements = report.steps
    .filter(({ judged }) => judged)
    .flatMap((step) => step.statements.map((statement) => ({ step, statement })))
    .filter(({ statement }) => statement.milliseconds >= slowMs)
    .sort((left, right) => right.statement.milliseconds - left.statement.milliseconds)
    .slice(0, Math.min(detail.rows, 10));
  if (statements.length === 0) return "";
  return [
    `Statements of ${seconds(slowMs)} and more on the shadow:`,
    "",
    "| time | revision | statement |",
    "| --- | --- | --- |",
    ...statements.map(({ step, statement }) =>
      row(
        seconds(statement.milliseconds),
        `${code(clip(step.revision, 80))} ${step.direction}`,
        code(clip(statement.sql, 200)),
      ),
    ),
  ].join("\n");
}

/** Suppressed findings with their reasons, so that a reviewer sees them; empty where there are none. */
export function suppressedSection(report: CheckReport, workingDirectory: string, detail: Detail): string {
  const suppressed = report.findings.filter((finding) => finding.suppressed);
  if (suppressed.length === 0) return "";
  const shown = suppressed.slice(0, detail.rows);
  const left = suppressed.length - shown.length;
  return [
    `<details><summary>${suppressed.length} suppressed</summary>`,
    "",
    "| rule | place | suppressed by |",
    "| --- | --- | --- |",
    ...shown.map((finding) =>
      row(
        code(clip(finding.rule, 80)),
        code(clip(placeText(workingDirectory, finding), 200)),
        prose(clip(finding.suppression ?? "", 200)),
      ),
    ),
    ...(left > 0 ? ["", `${left} more.`] : []),
    "",
    "</details>",
  ].join("\n");
}

/** Parts with a blank line between them; the empty ones are left out. */
export function document(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
