import * as core from "@actions/core";
import { check } from "./commands/check";
import { bugParts, exitCodes, formatError, UserError } from "./errors";
import { argumentsOf, folderInRepository, toolEnvironment } from "./github/environment";
import { log, type Outcome, publish } from "./github/publish";
import { harmless, paintFor } from "./reports/terminal";
import { textReport } from "./reports/text";
import { redactDeep, redactor, secretsOf, spellings } from "./secrets";
import { readSettings, type Settings } from "./settings";
import { isEnding } from "./shadow/cleanup";
import { version } from "./version";

async function main(environment: NodeJS.ProcessEnv): Promise<number> {
  const secrets = secretsOf([], environment);
  for (const spelling of secrets.flatMap(spellings)) core.setSecret(spelling);
  const outcome = redactDeep(await judge(environment), redactor(secrets));
  const text =
    "report" in outcome
      ? textReport(outcome.report, paintFor(process.stdout, environment))
      : harmless(formatError({ parts: outcome.error }));
  log(text);
  const workingDirectory = await folderInRepository(core.getInput("working-directory") || ".", environment);
  await publish(outcome, { workingDirectory, version, environment });
  if (!("report" in outcome)) return exitCodes.notRun;
  return outcome.report.verdict === "passed" ? exitCodes.ok : exitCodes.failed;
}

const progress = (text: string) => core.debug(harmless(text));

async function judge(environment: NodeJS.ProcessEnv): Promise<Outcome> {
  try {
    const command = core.getInput("command") || "check";
    if (command !== "check") throw notBuilt(command);
    const settings: Settings = readSettings(argumentsOf(environment), environment);
    return {
      report: await check({ settings, environment: toolEnvironment(environment), progress }),
    };
  } catch (error) {
    if (isEnding()) return new Promise<never>(() => undefined);
    return { error: error instanceof UserError ? error.parts : bugParts(error) };
  }
}

function notBuilt(command: string): UserError {
  return new UserError({
    what: `The command "${command}" is not built yet.`,
    do: "Set the input command to check, or leave it out.",
  });
}

main(process.env).then(end, (error: unknown) => {
  core.error(harmless(formatError({ parts: bugParts(error) })));
  end(exitCodes.notRun);
});

function end(code: number): void {
  if (!isEnding()) process.stdout.write("", () => process.exit(code));
}
