import * as core from "@actions/core";
import { apply } from "./commands/apply";
import { check } from "./commands/check";
import { listenerTo } from "./commands/listener";
import { rollback } from "./commands/rollback";
import { status } from "./commands/status";
import { deployExitCode } from "./deploy/outcome";
import { isFault } from "./deploy/status";
import { bugParts, exitCodes, formatError, UserError } from "./errors";
import { commandOf, folderInRepository, toolEnvironment } from "./github/environment";
import { log, type Outcome, publish } from "./github/publish";
import { publishDeploy } from "./github/publish-deploy";
import { publishStatus } from "./github/publish-status";
import { type LoadedSettings, loadSettings } from "./project/load-settings";
import { harmless, paintFor } from "./reports/terminal";
import { textReport } from "./reports/text";
import { redactDeep, redactor, secretsOf, spellings } from "./secrets";
import { isEnding } from "./shadow/cleanup";
import { version } from "./version";

async function main(environment: NodeJS.ProcessEnv): Promise<number> {
  const secrets = secretsOf([], environment);
  for (const spelling of secrets.flatMap(spellings)) core.setSecret(spelling);
  let settings: LoadedSettings["settings"] | undefined;
  const judge = async (): Promise<Outcome | number> => {
    const command = commandOf(core.getInput("command"));
    const loaded = loadSettings([], environment, { inputs: true });
    settings = loaded.settings;
    if (command === "status") {
      const seen = redactDeep(await status({ settings, environment }), redactor(secrets));
      await publishStatus(seen, settings);
      return isFault(seen.state, settings["status-fails"]) ? exitCodes.failed : exitCodes.ok;
    }
    if (command === "apply" || command === "rollback") {
      const run = command === "apply" ? apply : rollback;
      const listener = listenerTo(process.stdout, settings, redactor(secrets));
      // Who wrote the workflow has answered.
      const asked = { ...settings, yes: true };
      const report = await run({ settings: asked, environment: toolEnvironment(environment), listener });
      const shown = redactDeep(report, redactor(secrets));
      await publishDeploy(shown, settings);
      return "kind" in shown ? exitCodes.ok : deployExitCode(shown);
    }
    const progress = (text: string) => core.debug(harmless(text));
    return { report: await check({ ...loaded, environment: toolEnvironment(environment), progress }) };
  };
  const outcome = redactDeep(await judge().catch(explained), redactor(secrets));
  if (typeof outcome === "number") return outcome;
  const text =
    "report" in outcome
      ? textReport(outcome.report, paintFor(process.stdout, environment))
      : harmless(formatError({ parts: outcome.error }));
  log(text);
  const folder = settings?.["working-directory"] ?? ".";
  const workingDirectory = await folderInRepository(folder, environment);
  await publish(outcome, { settings, workingDirectory, version, environment });
  if (!("report" in outcome)) return exitCodes.notRun;
  return outcome.report.verdict === "passed" ? exitCodes.ok : exitCodes.failed;
}

function explained(error: unknown): Outcome | Promise<never> {
  // The signal's own clean-up ends this process.
  if (isEnding()) return new Promise<never>(() => undefined);
  return { error: error instanceof UserError ? error.parts : bugParts(error) };
}

main(process.env).then(end, (error: unknown) => {
  core.error(harmless(formatError({ parts: bugParts(error) })));
  end(exitCodes.notRun);
});

function end(code: number): void {
  if (!isEnding()) process.stdout.write("", () => process.exit(code));
}
