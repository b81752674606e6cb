import type { BackupReport, DeployPlan, DeployReport } from "../model/deployment";
import type { StatusReport } from "../model/status";
import type { CheckReport, RevisionState } from "../model/verdict";
import type { OutputName } from "../outputs";
import { countFindings } from "./counts";

/** Files that were written. */
export interface ReportFiles {
  readonly report: string | undefined;
  readonly sarif: string | undefined;
}

/** GitHub drops all outputs of a job above 1 MB; a list of ids stays far below. */
const listLength = 50_000;

/** What the command status tells a later step; the outputs of check are empty. */
export function statusOutputs(report: StatusReport | undefined): Record<OutputName, string> {
  return {
    ...nothing(),
    status: report?.state ?? "",
    "pending-revisions": idsOf((report?.revisions ?? []).filter(({ status }) => status === "pending")),
    "unknown-revisions": idsOf(report?.unknown ?? []),
  };
}

/** What apply and rollback tell a later step; a plan has applied nothing. */
export function deployOutputs(report: DeployReport | DeployPlan): Record<OutputName, string> {
  if ("kind" in report) return { ...nothing(), "pending-revisions": idsOf(report.revisions) };
  const { command, state, revisions, backup, record } = report;
  const done = revisions.filter(({ status }) => status === "done");
  return {
    ...nothing(),
    state,
    "applied-revisions": command === "apply" ? idsOf(done) : "",
    backup: backup?.location ?? "",
    record: record ?? "",
  };
}

/** What backup tells a later step. */
export function backupOutputs({ location }: BackupReport): Record<OutputName, string> {
  return { ...nothing(), backup: location ?? "" };
}

/** What restore tells a later step. */
export function restoreOutputs({ record }: { readonly record: string }): Record<OutputName, string> {
  return { ...nothing(), record };
}

function nothing(): Record<OutputName, string> {
  return outputs(undefined, { report: undefined, sarif: undefined });
}

/** What a later step of the workflow reads. Without a report nothing could be judged. */
export function outputs(report: CheckReport | undefined, files: ReportFiles): Record<OutputName, string> {
  const revisions = report?.revisions ?? [];
  const counts = countFindings(report?.findings ?? []);
  const parents = new Set(revisions.flatMap(({ state, parents }) => (state === "deleted" ? [] : parents)));
  const heads = revisions.filter(({ id, state }) => state !== "deleted" && !parents.has(id));
  const inState = (state: RevisionState) => revisions.filter((revision) => revision.state === state);
  const number = (value: number) => (report === undefined ? "" : String(value));
  return {
    verdict: report?.verdict ?? "",
    findings: number(counts.error + counts.warning + counts.note),
    errors: number(counts.error),
    warnings: number(counts.warning),
    "report-json": files.report ?? "",
    "sarif-file": files.sarif ?? "",
    "head-revision": idsOf(heads),
    "new-revisions": idsOf(inState("new")),
    "edited-revisions": idsOf(inState("edited")),
    "deleted-revisions": idsOf(inState("deleted")),
    status: "",
    "pending-revisions": "",
    "unknown-revisions": "",
    state: "",
    "applied-revisions": "",
    backup: "",
    record: "",
  };
}

/** Separated by a space; what does not fit is left out as a whole id. An id with white space in it is no id. */
function idsOf(revisions: readonly { readonly id: string }[]): string {
  let text = "";
  for (const { id } of revisions) {
    if (/[\s\p{Cc}]/u.test(id)) continue;
    if (text.length + id.length >= listLength) break;
    text += text === "" ? id : ` ${id}`;
  }
  return text;
}
