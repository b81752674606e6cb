import { deployExitCode } from "../deploy/outcome";
import { isFault } from "../deploy/status";
import { exitCodes, UserError } from "../errors";
import { suggestion } from "../nearest";
import { loadSettings } from "../project/load-settings";
import { backupText } from "../reports/backup-text";
import { deployText } from "../reports/deploy-text";
import { jsonReport, printed } from "../reports/json";
import { planText } from "../reports/plan-text";
import { progressTo } from "../reports/progress";
import { restoreText } from "../reports/restore-text";
import { statusLines, statusText } from "../reports/status-text";
import { harmless, paintFor } from "../reports/terminal";
import { textReport } from "../reports/text";
import { version } from "../version";
import { apply } from "./apply";
import { backup } from "./backup";
import { check } from "./check";
import { confirm } from "./confirm";
import { explain } from "./explain";
import { helpText } from "./help";
import { listenerTo } from "./listener";
import { restore } from "./restore";
import { rollback } from "./rollback";
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
        : settings["status-form"] === "lines"
          ? statusLines(report)
          : statusText(report, settings.verbose, paintFor(process.stdout, environment));
    return { text, code: isFault(report.state, settings["status-fails"]) ? exitCodes.failed : exitCodes.ok };
  },
  async backup(args, environment, redact) {
    const { settings } = loadSettings(args, environment);
    const report = await withProgress(redact, (said) => backup({ settings, environment, ...said }));
    const paint = paintFor(process.stdout, environment);
    const isJson = settings.format === "json";
    return {
      text: isJson ? printed({ version: 1, ...report }) : backupText(report, paint),
      code: exitCodes.ok,
    };
  },
  async restore(args, environment, redact) {
    const [first = "", ...rest] = args;
    const file = first === "" || first.startsWith("-") ? undefined : first;
    const { settings: given } = loadSettings(file === undefined ? args : rest, environment);
    const settings = file === undefined ? given : { ...given, "restore-from": file };
    const report = await withProgress(redact, (said) =>
      restore({
        settings,
        environment,
        ...said,
        confirm: (question) => {
          said.progress("");
          return confirm(harmless(redact(question)), settings);
        },
        redact,
      }),
    );
    const paint = paintFor(process.stdout, environment);
    return {
      text: settings.format === "json" ? printed(report) : restoreText(report, paint),
      code: exitCodes.ok,
    };
  },
  apply: (args, environment, redact) => write(apply, args, environment, redact),
  rollback: (args, environment, redact) => write(rollback, args, environment, redact),
  explain: (args, environment) => ({
    text: explain(args, paintFor(process.stdout, environment)),
    code: exitCodes.ok,
  }),
  help: () => ({ text: helpText(), code: exitCodes.ok }),
};

interface Sayings {
  progress(text: string): void;
  notice(text: string): void;
}

/** On standard error: one line that is written over on a terminal, and lines that stay. */
async function withProgress<Value>(redact: Redact, work: (said: Sayings) => Promise<Value>): Promise<Value> {
  const progress = progressTo(process.stderr);
  const notice = (text: string) => {
    progress.end();
    process.stderr.write(`${harmless(redact(text))}\n`);
  };
  const say = (text: string) => (text === "" ? progress.end() : progress.say(redact(text)));
  try {
    return redact(await work({ progress: say, notice }));
  } finally {
    progress.end();
  }
}

async function write(
  command: typeof apply | typeof rollback,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  redact: Redact,
): Promise<Said> {
  const { settings } = loadSettings(args, environment);
  const listener = listenerTo(process.stderr, settings, redact);
  const report = redact(await command({ settings, environment, listener }));
  const paint = paintFor(process.stdout, environment);
  const isJson = settings.format === "json";
  if ("kind" in report)
    return { text: isJson ? printed(report) : planText(report, paint), code: exitCodes.ok };
  return { text: isJson ? printed(report) : deployText(report, paint), code: deployExitCode(report) };
}

/** Runs the command that the first word names. A UserError where there is none of that name. */
export async function runInTerminal(
  [command, ...args]: readonly string[],
  environment: NodeJS.ProcessEnv,
  redact: Redact,
): Promise<Said> {
  if (command === undefined) return { text: helpText(), code: exitCodes.notRun };
  if (command === "--version" || command === "version") return { text: `${version}\n`, code: exitCodes.ok };
  if (command === "--help" || args.includes("--help")) return { text: helpText(command), code: exitCodes.ok };
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (run !== undefined) return await run(args, environment, redact);
  const names = Object.keys(commands);
  throw new UserError({
    what: `There is no command "${command}".`,
    do: `${suggestion(command, names)}The commands are: ${names.join(", ")}.`,
  });
}
