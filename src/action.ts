import * as core from "@actions/core";
import { actionCommands } from "./commands/in-action";
import { bugParts, exitCodes, formatError, UserError } from "./errors";
import { commandOf, folderInRepository } from "./github/environment";
import { log, publish } from "./github/publish";
import { type LoadedSettings, loadSettings } from "./project/load-settings";
import { harmless } from "./reports/terminal";
import { redactDeep, redactor, secretsOf, spellings } from "./secrets";
import { isEnding } from "./shadow/cleanup";
import { version } from "./version";

async function main(environment: NodeJS.ProcessEnv): Promise<number> {
  const secrets = secretsOf([], environment);
  for (const spelling of secrets.flatMap(spellings)) core.setSecret(spelling);
  const redact = redactor(secrets);
  let loaded: LoadedSettings | undefined;
  try {
    const command = commandOf(core.getInput("command"));
    loaded = loadSettings([], environment, { inputs: true });
    return await actionCommands[command]({ ...loaded, environment, redact });
  } catch (thrown) {
    // The signal's own clean-up ends this process.
    if (isEnding()) return await new Promise<never>(() => undefined);
    const error = redactDeep(thrown instanceof UserError ? thrown.parts : bugParts(thrown), redact);
    log(harmless(formatError({ parts: error })));
    const settings = loaded?.settings;
    const workingDirectory = await folderInRepository(settings?.["working-directory"] ?? ".", environment);
    await publish({ error }, { settings, workingDirectory, version, environment });
    return exitCodes.notRun;
  }
}

main(process.env).then(end, (error: unknown) => {
  core.error(harmless(formatError({ parts: bugParts(error) })));
  end(exitCodes.notRun);
});

function end(code: number): void {
  if (!isEnding()) process.stdout.write("", () => process.exit(code));
}
