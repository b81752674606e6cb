import type { Finding, Severity } from "../model/finding";
import type { CheckReport, Step, StepStatus } from "../model/verdict";
import { ofBind } from "./counts";
import { deployLaneSentence } from "./deploy-lane-text";
import { harmless, type Paint } from "./terminal";

const labels = ["what", "where", "seen", "why", "do"] as const;

/** The report for a terminal: findings, worst first, then what was proved and by which PostgreSQL. */
export function textReport(report: CheckReport, paint: Paint): string {
  const blocks = report.findings
    .filter(({ suppressed }) => !suppressed)
    .map((finding) => findingText(finding, paint));
  return `${[...blocks, summary(report, paint)].join("\n\n")}\n`;
}

function findingText(finding: Finding, paint: Paint): string {
  const place = oneLine([finding.file, finding.line].filter((part) => part !== undefined).join(":"));
  const name = `${finding.severity}[${oneLine(finding.rule)}]`;
  const head = `${severityColor(finding.severity, paint)(name)} ${place}`.trimEnd();
  const lines = labels
    .filter((label) => finding[label] !== "")
    .map((label) => {
      const [first, ...rest] = harmless(finding[label]).split("\n");
      return [`  ${paint.bold(label.padEnd(5))} ${first}`, ...rest.map((line) => `        ${line}`)].join(
        "\n",
      );
    });
  return [head, ...lines].join("\n");
}

function severityColor(severity: Severity, paint: Paint) {
  return severity === "error" ? paint.red : severity === "warning" ? paint.yellow : paint.dim;
}

function oneLine(text: string): string {
  return harmless(text.replace(/\s+/g, " "));
}

function summary(report: CheckReport, paint: Paint): string {
  const judged = report.steps.filter((step) => step.judged);
  const revisions = new Set(judged.map(({ revision }) => revision)).size;
  const lane = deployLaneText(report);
  const isUnknown = report.deployLane?.status === "not proved";
  const lines = [
    isUnknown ? paint.yellow(lane) : "",
    `${revisions} ${revisions === 1 ? "revision" : "revisions"} under judgement${oneLine(ofBind(report))}, upgrade and downgrade: ${countText(judged)}.`,
    ...judged
      .filter(({ status }) => status === "skipped")
      .map((step) =>
        paint.dim(`  skipped  ${oneLine(`${step.revision} ${step.direction}: ${step.reason ?? ""}`)}`),
      ),
    isUnknown ? "" : lane,
    ...waitingLines(report, judged).map((line) => paint.dim(`  not proved  ${oneLine(line)}`)),
    shadowText(report),
    timeText(report),
    findingsText(report.findings),
  ].filter((line) => line !== "");
  const verdict = report.verdict === "passed" ? paint.green("passed") : paint.red("failed");
  return [...lines, paint.bold(verdict)].join("\n");
}

/** What the lane with history and rows came to; what it could not tell is said first. */
function deployLaneText({ deployLane }: CheckReport): string {
  return deployLane === undefined ? "" : oneLine(deployLaneSentence(deployLane));
}

/** Steps that are not proved and have no finding of their own, by their reason. */
function waitingLines({ findings }: CheckReport, judged: readonly Step[]): string[] {
  const told = new Set(findings.map(({ revision }) => revision));
  const byReason = new Map<string, Set<string>>();
  for (const { revision, status, reason = "" } of judged) {
    if (status !== "not proved" || told.has(revision)) continue;
    byReason.set(reason, (byReason.get(reason) ?? new Set()).add(revision));
  }
  return [...byReason].map(([reason, revisions]) => `${[...revisions].join(", ")}: ${reason}`);
}

function countText(steps: readonly Step[]): string {
  const statuses: readonly StepStatus[] = ["proved", "failed", "not proved", "skipped"];
  const parts = statuses
    .map((status) => ({ status, count: steps.filter((step) => step.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  return parts.length === 0 ? "nothing to prove" : parts.join(", ");
}

function shadowText({ shadow }: CheckReport): string {
  if (shadow === undefined) return "";
  const kinds = { given: "the given server", installed: "this machine's binaries", embedded: "embedded" };
  const production =
    shadow.matchesProduction === false
      ? `; production has ${shadow.production}, which may behave differently`
      : "";
  return `PostgreSQL ${oneLine(shadow.version)} (${kinds[shadow.kind]})${production}. Kept from other databases by: ${oneLine(shadow.isolation)}.`;
}

function timeText({ timings }: CheckReport): string {
  const parts = Object.entries(timings).map(
    ([name, milliseconds]) => `${name} ${(milliseconds / 1000).toFixed(1)} s`,
  );
  return parts.length === 0 ? "" : `${parts.join(", ")}.`;
}

function findingsText(findings: readonly Finding[]): string {
  const shown = findings.filter(({ suppressed }) => !suppressed);
  const parts = (["error", "warning", "note"] as const)
    .map((severity) => ({ severity, count: shown.filter((finding) => finding.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}${count === 1 ? "" : "s"}`);
  const accepted = findings.length - shown.length;
  const rest =
    accepted === 0
      ? ""
      : ` ${accepted} more ${accepted === 1 ? "is" : "are"} accepted: ${byReason(findings)}.`;
  return parts.length === 0
    ? `No findings${accepted === 0 ? "" : " that count"}.${rest}`
    : `${parts.join(", ")}.${rest}`;
}

/** What was accepted by which rule: an empty list of findings must not hide them. */
function byReason(findings: readonly Finding[]): string {
  const counts = new Map<string, number>();
  for (const { suppressed, rule } of findings) if (suppressed) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return [...counts].map(([rule, count]) => harmless(count === 1 ? rule : `${count} ${rule}`)).join(", ");
}
