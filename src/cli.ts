#!/usr/bin/env node
import { runInTerminal } from "./commands/in-terminal";
import { bugParts, exitCodes, formatError, UserError } from "./errors";
import { optimizeForShortRun } from "./optimizer";
import { jsonError } from "./reports/json";
import { harmless } from "./reports/terminal";
import { redactDeep, redactor, secretsOf } from "./secrets";
import { wantsJson } from "./settings";
import { isEnding } from "./shadow/cleanup";

optimizeForShortRun();
const words = process.argv.slice(2);
const redact = redactor(secretsOf(words, process.env));

runInTerminal(words, process.env, (value) => redactDeep(value, redact)).then(
  ({ text, code }) => {
    process.stdout.write(text);
    end(code);
  },
  (error: unknown) => {
    if (isEnding()) return;
    const parts = redactDeep(error instanceof UserError ? error.parts : bugParts(error), redact);
    if (wantsJson(words, process.env)) process.stdout.write(jsonError(parts));
    process.stderr.write(`${harmless(formatError({ parts }))}\n`);
    if (process.env.MIGRATION_GATE_DEBUG && error instanceof Error)
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
