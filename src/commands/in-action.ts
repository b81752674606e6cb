import * as core from "@actions/core";
import { deployExitCode } from "../deploy/outcome";
import { isFault } from "../deploy/status";
import { exitCodes } from "../errors";
import { folderInRepository, toolEnvironment } from "../github/environment";
import { log, publish } from "../github/publish";
import { publishCommand } from "../github/publish-command";
import { uploadArtifact } from "../github/upload-artifact";
import type { LoadedSettings } from "../project/load-settings";
import { backupText } from "../reports/backup-text";
import { deployText } from "../reports/deploy-text";
import { backupOutputs, deployOutputs, restoreOutputs, statusOutputs } from "../reports/outputs";
import { planText } from "../reports/plan-text";
import { restoreText } from "../reports/restore-text";
import { statusText } from "../reports/status-text";
import { harmless, paintFor, plainPaint } from "../reports/terminal";
import { textReport } from "../reports/text";
import { redactDeep } from "../secrets";
import type { CommandName } from "../settings";
import { version } from "../version";
import { apply } from "./apply";
import { backup } from "./backup";
import { check } from "./check";
import { listenerTo, seldom } from "./listener";
import { restore } from "./restore";
import { rollback } from "./rollback";
import { status } from "./status";

/** What a command of the action is given. */
export interface ActionContext extends LoadedSettings {
  readonly environment: NodeJS.ProcessEnv;
  /** Takes secrets out of a text. */
  redact(text: string): string;
}

/** Runs the command, tells GitHub, and returns the exit code. A UserError where it could not be run. */
export const actionCommands: Readonly<Record<CommandName, (context: ActionContext) => Promise<number>>> = {
  async check(context) {
    const { settings, environment, redact } = context;
    const progress = (text: string) => core.debug(harmless(text));
    const judged = await check({ ...context, environment: toolEnvironment(environment), progress });
    const report = redactDeep(judged, redact);
    log(textReport(report, paintFor(process.stdout, environment)));
    const workingDirectory = await folderInRepository(settings["working-directory"], environment);
    await publish({ report }, { settings, workingDirectory, version, environment });
    return report.verdict === "passed" ? exitCodes.ok : exitCodes.failed;
  },
  async status({ settings, environment, redact }) {
    const seen = redactDeep(await status({ settings, environment }), redact);
    const text = statusText(seen, settings.verbose, plainPaint);
    await publishCommand(
      { command: "status", report: seen, text, outputs: statusOutputs(seen) },
      settings,
      environment,
    );
    return isFault(seen.state, settings["status-fails"]) ? exitCodes.failed : exitCodes.ok;
  },
  async backup({ settings, environment, redact }) {
    const { say } = listenerTo(process.stdout, settings, redact);
    const context = { settings, environment: toolEnvironment(environment) };
    const keep = { uploadArtifact: keeperOf(environment) };
    const taken = await backup({ ...context, ...keep, progress: seldom(say), notice: say });
    const report = redactDeep(taken, redact);
    const text = backupText(report, plainPaint);
    await publishCommand(
      { command: "backup", report: { version: 1, ...report }, text, outputs: backupOutputs(report) },
      settings,
      environment,
    );
    return exitCodes.ok;
  },
  async restore({ settings, environment, redact }) {
    const { say } = listenerTo(process.stdout, settings, redact);
    const restored = await restore({
      settings,
      environment: toolEnvironment(environment),
      progress: seldom(say),
      notice: say,
      // Who wrote the workflow has answered.
      confirm: async (question) => say(question),
      redact: (value) => redactDeep(value, redact),
    });
    const report = redactDeep(restored, redact);
    const text = restoreText(report, plainPaint);
    await publishCommand(
      { command: "restore", report, text, outputs: restoreOutputs(report) },
      settings,
      environment,
    );
    return exitCodes.ok;
  },
  apply: (context) => write(apply, context),
  rollback: (context) => write(rollback, context),
};

/** It needs the runner's own variables, which neither the tool nor pg_dump is given. */
function keeperOf(environment: NodeJS.ProcessEnv) {
  return (name: string, files: readonly string[]) => uploadArtifact(name, files, environment);
}

async function write(
  command: typeof apply | typeof rollback,
  { settings, environment, redact }: ActionContext,
): Promise<number> {
  const done = await command({
    // Who wrote the workflow has answered.
    settings: { ...settings, yes: true },
    environment: toolEnvironment(environment),
    listener: listenerTo(process.stdout, settings, redact),
    uploadArtifact: keeperOf(environment),
  });
  const report = redactDeep(done, redact);
  const told = { command: report.command, report, outputs: deployOutputs(report) };
  if ("kind" in report) {
    await publishCommand({ ...told, text: planText(report, plainPaint) }, settings, environment);
    return exitCodes.ok;
  }
  const { problems: errors, warnings } = report;
  await publishCommand(
    { ...told, text: deployText(report, plainPaint), errors, warnings },
    settings,
    environment,
  );
  return deployExitCode(report);
}
