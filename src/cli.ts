#!/usr/bin/env node
import { check } from "./commands/check";
import { explain } from "./commands/explain";
import { helpText } from "./commands/help";
import { writeSarifFile } from "./commands/sarif-file";
import { bugParts, exitCodes, formatError, UserError } from "./errors";
import { loadSettings } from "./project/load-settings";
import { jsonError, jsonReport } from "./reports/json";
import { progressTo } from "./reports/progress";
import { harmless, paintFor } from "./reports/terminal";
import { textReport } from "./reports/text";
import { redactDeep, redactor, secretsOf } from "./secrets";
import { wantsJson } from "./settings";
import { isEnding } from "./shadow/cleanup";

const words = process.argv.slice(2);
const redact = redactor(secretsOf(words, process.env));

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined || command === "help" || command === "--help" || args.includes("--help")) {
    process.stdout.write(helpText());
    return command === undefined ? exitCodes.notRun : exitCodes.ok;
  }
  if (command === "explain") {
    process.stdout.write(explain(args, paintFor(process.stdout, process.env)));
    return exitCodes.ok;
  }
  if (command !== "check") {
    throw new UserError({
      what: `There is no command "${command}".`,
      do: "The commands are: check, explain, help.",
    });
  }
  const { settings, policy } = loadSettings(args, process.env);
  const progress = progressTo(process.stderr);
  try {
    const context = { settings, policy, environment: process.env, progress: progress.say };
    const report = redactDeep(await check(context), redact);
    progress.end();
    if (settings["sarif-file"] !== undefined) await writeSarifFile(settings["sarif-file"], report, settings);
    const text =
      settings.format === "json"
        ? jsonReport(report)
        : textReport(report, paintFor(process.stdout, process.env));
    process.stdout.write(text);
    return report.verdict === "passed" ? exitCodes.ok : exitCodes.failed;
  } finally {
    progress.end();
  }
}

main(words).then(
  (code) => end(code),
  (error: unknown) => {
    if (isEnding()) return;
    const parts = redactDeep(error instanceof UserError ? error.parts : bugParts(error), redact);
    if (wantsJson(words, process.env)) process.stdout.write(jsonError(parts));
    process.stderr.write(`${harmless(formatError({ parts }))}\n`);
    if (process.env["MIGRATION_GATE_DEBUG"] && error instanceof Error)
      process.stderr.write(`${redact(error.stack ?? "")}\n`);
    end(exitCodes.notRun);
  },
);

/** Once all is written: a handle that something forgot must not keep the job of a pipeline alive. */
function end(code: number): void {
  if (isEnding()) return;
  process.exitCode = code;
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}
