import { randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as core from "@actions/core";
import type { ErrorParts } from "../errors";
import type { CheckReport } from "../model/verdict";
import { annotations } from "../reports/annotations";
import { clip } from "../reports/escaping";
import { errorSummary, jobSummary } from "../reports/job-summary";
import { jsonReport } from "../reports/json";
import { outputs, type ReportFiles } from "../reports/outputs";
import { type CommentKey, comment, commentMarker, pullRequestComment } from "../reports/pull-request-comment";
import { sarifReport } from "../reports/sarif";
import { harmless } from "../reports/terminal";
import { pullRequestOf } from "./event";
import { writeStickyComment } from "./sticky-comment";

const title = "migration-gate";

export interface PublishContext {
  /** Relative to the repository's root. */
  readonly workingDirectory: string;
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** A report, or why there is none. Secrets must be gone from it. */
export type Outcome = { readonly report: CheckReport } | { readonly error: ErrorParts };

/**
 * Tells GitHub: annotations, job summary, files, outputs, comment. Nothing here changes the verdict: what cannot be
 * written becomes a notice.
 */
export async function publish(outcome: Outcome, context: PublishContext): Promise<void> {
  const report = "report" in outcome ? outcome.report : undefined;
  const files = report && (await attempt("The report files", () => writeFiles(report, context)));
  if ("report" in outcome) annotate(outcome.report, context.workingDirectory);
  else core.error(clip(harmless(`${outcome.error.what} ${outcome.error.do}`), 4096), { title });
  await attempt("The outputs", () => {
    for (const [name, value] of Object.entries(outputs(report, files))) core.setOutput(name, value);
  });
  await attempt("The job summary", async () => {
    const text =
      "report" in outcome
        ? jobSummary(outcome.report, context.workingDirectory, title)
        : errorSummary(outcome.error, title);
    await core.summary.addRaw(text).write();
  });
  await attempt("The comment", () => writeComment(outcome, context));
}

/** Foreign text in a step's log: no line of it is a command to the runner. */
export function log(text: string): void {
  const word = randomUUID();
  process.stdout.write(`::stop-commands::${word}\n${text.trimEnd()}\n::${word}::\n`);
}

function annotate(report: CheckReport, workingDirectory: string): void {
  for (const { level, message, title, file, line, column } of annotations(report, workingDirectory)) {
    core[level](message, {
      title,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { startLine: line }),
      ...(column === undefined ? {} : { startColumn: column }),
    });
  }
}

function writeFiles(
  report: CheckReport,
  { environment, workingDirectory, version }: PublishContext,
): ReportFiles {
  const folder = mkdtempSync(path.join(environment["RUNNER_TEMP"] || tmpdir(), "migration-gate-report-"));
  const files = { report: path.join(folder, "report.json"), sarif: path.join(folder, "report.sarif") };
  writeFileSync(files.report, jsonReport(report));
  writeFileSync(files.sarif, sarifReport(report, { workingDirectory, version }));
  return files;
}

async function writeComment(
  outcome: Outcome,
  { environment, workingDirectory }: PublishContext,
): Promise<void> {
  const when = core.getInput("comment") || "always";
  const failed = !("report" in outcome) || outcome.report.verdict === "failed";
  const token = core.getInput("github-token");
  const pullRequest = pullRequestOf(environment);
  if (when === "never" || pullRequest === undefined) return;
  if (token === "" || pullRequest.readOnly) {
    core.info("No comment: this run has no token that may write one. The report is in the job's summary.");
    return;
  }
  const leg = core.getInput("matrix");
  const key: CommentKey = {
    job: environment["GITHUB_JOB"] ?? "",
    workingDirectory,
    leg: ["", "null", "{}"].includes(leg.trim()) ? "" : leg,
  };
  const body =
    "report" in outcome
      ? pullRequestComment(outcome.report, key, title)
      : comment(key, errorSummary(outcome.error, title));
  const marker = commentMarker(key);
  const done = await writeStickyComment({
    token,
    pullRequest,
    marker,
    body,
    create: failed || when === "always",
  });
  core.info(`Comment ${done}.`);
}

async function attempt<Result>(
  what: string,
  run: () => Result | Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    core.notice(
      clip(harmless(`${what} could not be written: ${reason}. The verdict stands without it.`), 1000),
      {
        title,
      },
    );
    return undefined;
  }
}
