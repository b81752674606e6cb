#!/usr/bin/env node
import { check } from "./commands/check";
import { helpText } from "./commands/help";
import { exitCodes, formatError, UserError } from "./errors";
import { jsonReport } from "./reports/json";
import { progressTo } from "./reports/progress";
import { harmless, paintFor } from "./reports/terminal";
import { textReport } from "./reports/text";
import { readSettings } from "./settings";

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined || command === "help" || command === "--help" || args.includes("--help")) {
    process.stdout.write(helpText());
    return command === undefined ? exitCodes.notRun : exitCodes.ok;
  }
  if (command !== "check") {
    throw new UserError({
      what: `There is no command "${command}".`,
      do: "The commands are: check, help.",
    });
  }
  const settings = readSettings(args, process.env);
  const progress = progressTo(process.stderr);
  try {
    const report = await check({ settings, environment: process.env, progress: progress.say });
    progress.end();
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

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = exitCodes.notRun;
    const text =
      error instanceof UserError
        ? formatError(error)
        : `error: migration-gate itself failed: ${error instanceof Error ? error.message : String(error)}\ndo    Report it with the version and this message. ${process.env["MIGRATION_GATE_DEBUG"] && error instanceof Error ? error.stack : ""}`;
    process.stderr.write(`${text.split("\n").map(harmless).join("\n")}\n`);
  },
);
