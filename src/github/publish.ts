import { randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as core from "@actions/core";
import { type AllErrorParts, apart, type ErrorParts } from "../errors";
import type { CheckReport } from "../model/verdict";
import { annotations } from "../reports/annotations";
import { clip } from "../reports/escaping";
import { errorSummary, jobSummary } from "../reports/job-summary";
import { jsonReport } from "../reports/json";
import { outputs } from "../reports/outputs";
import { type CommentKey, comment, commentMarker, pullRequestComment } from "../reports/pull-request-comment";
import { sarifReport } from "../reports/sarif";
import { harmless } from "../reports/terminal";
import { commandNames, type Settings } from "../settings";
import { pullRequestOf } from "./event";
import { writeStickyComment } from "./sticky-comment";

const title = "migration-gate";

export interface PublishContext {
  /** Undefined where they could not be read: then nothing is left out, and no SARIF is written. */
  readonly settings: Settings | undefined;
  /** Relative to the repository's root. */
  readonly workingDirectory: string;
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** A report, or why there is none. Secrets must be gone from it. */
export type Outcome = { readonly report: CheckReport } | { readonly error: AllErrorParts };

/**
 * Tells GitHub: annotations, job summary, files, outputs, comment. Nothing here changes the verdict: what cannot be
 * written becomes a notice.
 */
export async function publish(outcome: Outcome, context: PublishContext): Promise<void> {
  const command = core.getInput("command");
  const name = isOther(command) ? `${title} ${command}` : title;
  const report = "report" in outcome ? outcome.report : undefined;
  const files = {
    report:
      report && (await attempt("The JSON report", () => writeJson(jsonReport(report), context.environment))),
    sarif: report && (await attempt("The SARIF file", () => writeSarif(report, context))),
  };
  if ("report" in outcome) annotateFindings(outcome.report, context.workingDirectory);
  else for (const parts of apart(outcome.error)) annotate(core.error, parts, name);
  await attempt("The outputs", () => {
    for (const [name, value] of Object.entries(outputs(report, files))) core.setOutput(name, value);
  });
  await attempt("The job summary", async () => {
    if (context.settings?.summary === false) return;
    const text =
      "report" in outcome
        ? jobSummary(outcome.report, context.workingDirectory, title)
        : errorSummary(outcome.error, isOther(command) ? `${name} failed` : `${name} could not judge`);
    await core.summary.addRaw(text).write();
  });
  await attempt("The comment", () => writeComment(outcome, context));
}

/** Foreign text in a step's log: no line of it is a command to the runner. */
export function log(text: string): void {
  const word = randomUUID();
  process.stdout.write(`::stop-commands::${word}\n${text.trimEnd()}\n::${word}::\n`);
}

const write = { error: core.error, warning: core.warning, notice: core.notice };

/** One problem that has no place in the repository. */
export function annotate(
  level: typeof core.error,
  { what, do: advice }: Pick<ErrorParts, "what" | "do">,
  title: string,
): void {
  level(clip(harmless(`${what} ${advice}`), 4096), { title });
}

function annotateFindings(report: CheckReport, workingDirectory: string): void {
  for (const { level, message, title, file, line, column } of annotations(report, workingDirectory)) {
    const properties = {
      title,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { startLine: line }),
      ...(column === undefined ? {} : { startColumn: column }),
    };
    write[level](message, properties);
  }
}

/** Writes a report for later steps and returns its path. */
export function writeJson(text: string, environment: NodeJS.ProcessEnv): string {
  const folder = mkdtempSync(path.join(environment.RUNNER_TEMP || tmpdir(), "migration-gate-report-"));
  const file = path.join(folder, "report.json");
  writeFileSync(file, text);
  return file;
}

function writeSarif(
  report: CheckReport,
  { settings, workingDirectory, version }: PublishContext,
): string | undefined {
  const file = settings?.["sarif-file"];
  if (file !== undefined) writeFileSync(file, sarifReport(report, { workingDirectory, version }));
  return file;
}

async function writeComment(outcome: Outcome, context: PublishContext): Promise<void> {
  const { environment, settings, workingDirectory } = context;
  const when = settings?.comment ?? "always";
  const failed = !("report" in outcome) || outcome.report.verdict === "failed";
  const token = settings?.["github-token"] ?? core.getInput("github-token");
  const pullRequest = pullRequestOf(environment);
  // The comment is the check's; another command's failure must not take its place.
  if (when === "off" || pullRequest === undefined || isOther(core.getInput("command"))) return;
  if (token === "" || pullRequest.readOnly) {
    core.info("No comment: this run has no token that may write one. The report is in the job's summary.");
    return;
  }
  const leg = core.getInput("matrix");
  const key: CommentKey = {
    job: environment.GITHUB_JOB ?? "",
    workingDirectory,
    leg: ["", "null", "{}"].includes(leg) ? "" : leg,
  };
  const body =
    "report" in outcome
      ? pullRequestComment(outcome.report, key, title)
      : comment(key, errorSummary(outcome.error, `${title} could not judge`));
  const create = failed || when === "always";
  const done = await writeStickyComment({ token, pullRequest, marker: commentMarker(key), body, create });
  core.info(`Comment ${done}.`);
}

function isOther(command: string): boolean {
  return command !== "check" && commandNames.some((name) => name === command);
}

/** What cannot be written becomes a notice. */
export async function attempt<Result>(
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
