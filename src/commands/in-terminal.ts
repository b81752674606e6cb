import { isFault } from "../deploy/status";
import { exitCodes, UserError } from "../errors";
import { suggestion } from "../nearest";
import { loadSettings } from "../project/load-settings";
import { backupText } from "../reports/backup-text";
import { jsonReport, printed } from "../reports/json";
import { progressTo } from "../reports/progress";
import { restoreText } from "../reports/restore-text";
import { statusText } from "../reports/status-text";
import { harmless, paintFor } from "../reports/terminal";
import { textReport } from "../reports/text";
import { version } from "../version";
import { backup } from "./backup";
import { check } from "./check";
import { confirm } from "./confirm";
import { explain } from "./explain";
import { helpText } from "./help";
import { restore } from "./restore";
import { requireWritable, writeSarifFile } from "./sarif-file";
import { status } from "./status";

/** What a command says on standard output, and its exit code. */
export interface Said {
  readonly text: string;
  readonly code: number;
}

/** Takes secrets out of a value, however deep. */
type Redact = <Value>(value: Value) => Value;

type Run = (args: readonly string[], environment: NodeJS.ProcessEnv, redact: Redact) => Promise<Said> | Said;

const commands: Readonly<Record<string, Run>> = {
  async check(args, environment, redact) {
    const { settings, policy } = loadSettings(args, environment);
    if (settings["sarif-file"] !== undefined) requireWritable(settings["sarif-file"]);
    const progress = progressTo(process.stderr);
    try {
      const report = redact(await check({ settings, policy, environment, progress: progress.say }));
      if (settings["sarif-file"] !== undefined)
        await writeSarifFile(settings["sarif-file"], report, settings);
      const text =
        settings.format === "json"
          ? jsonReport(report)
          : textReport(report, paintFor(process.stdout, environment));
      return { text, code: report.verdict === "passed" ? exitCodes.ok : exitCodes.failed };
    } finally {
      progress.end();
    }
  },
  async status(args, environment, redact) {
    const { settings } = loadSettings(args, environment);
    const report = redact(await status({ settings, environment }));
    const text =
      settings.format === "json"
        ? printed(report)
        : statusText(report, settings.verbose, paintFor(process.stdout, environment));
    return { text, code: isFault(report.state, settings["status-fails"]) ? exitCodes.failed : exitCodes.ok };
  },
  async backup(args, environment, redact) {
    const { settings } = loadSettings(args, environment);
    const progress = progressTo(process.stderr);
    try {
      const report = redact(await backup({ settings, environment, progress: progress.say }));
      const paint = paintFor(process.stdout, environment);
      return {
        text: settings.format === "json" ? printed({ version: 1, ...report }) : backupText(report, paint),
        code: exitCodes.ok,
      };
    } finally {
      progress.end();
    }
  },
  async restore(args, environment, redact) {
    const [first = "", ...rest] = args;
    const file = first !== "" && !first.startsWith("-") ? first : undefined;
    const { settings: given } = loadSettings(file === undefined ? args : rest, environment);
    const settings = file === undefined ? given : { ...given, "restore-from": file };
    const progress = progressTo(process.stderr);
    const ask = (question: string) => {
      progress.end();
      return confirm(harmless(redact(question)), settings);
    };
    try {
      const report = redact(
        await restore({ settings, environment, progress: progress.say, confirm: ask, redact }),
      );
      const paint = paintFor(process.stdout, environment);
      return {
        text: settings.format === "json" ? printed(report) : restoreText(report, paint),
        code: exitCodes.ok,
      };
    } finally {
      progress.end();
    }
  },
  explain: (args, environment) => ({
    text: explain(args, paintFor(process.stdout, environment)),
    code: exitCodes.ok,
  }),
  help: () => ({ text: helpText(), code: exitCodes.ok }),
};

/** Runs the command that the first word names. A UserError where there is none of that name. */
export async function runInTerminal(
  [command, ...args]: readonly string[],
  environment: NodeJS.ProcessEnv,
  redact: Redact,
): Promise<Said> {
  if (command === undefined) return { text: helpText(), code: exitCodes.notRun };
  if (command === "--version" || command === "version") return { text: `${version}\n`, code: exitCodes.ok };
  if (command === "--help" || args.includes("--help")) return { text: helpText(), code: exitCodes.ok };
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (run !== undefined) return await run(args, environment, redact);
  const names = Object.keys(commands);
  throw new UserError({
    what: `There is no command "${command}".`,
    do: `${suggestion(command, names)}The commands are: ${names.join(", ")}.`,
  });
}
