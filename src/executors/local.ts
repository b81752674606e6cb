import { type SpawnOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ToolError } from "../errors";
import { findExecutable, type InstalledBy } from "./executable";
import { graceMs, isEnding, watchOver } from "./families";
import type { Ending, ForkServer, StartedProcess } from "./fork-server";
import type { Isolation } from "./isolation";
import { OutputTail } from "./output";
import { createOutputPipe } from "./output-pipe";
import { endFamily, markerName } from "./processes";

export interface Command {
  /** Run as it is, without a shell; the first is a path relative to `cwd` or a name in `env.PATH`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment (see childEnvironment); only the isolation's variables and a marker are added. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly isolation: Isolation;
  /** For the message where its program is not there. */
  readonly installedBy?: InstalledBy | undefined;
  /** Each line of the output as it comes, cleaned. */
  readonly onLine?: (line: string) => void;
  /** Ended as at the time limit when it aborts. */
  readonly abort?: AbortSignal;
  /** Ended also when this process is killed: nobody would watch over it. Needs /bin/sh. */
  readonly endsWithUs?: boolean;
  /** Started from it, where it does for this command. */
  readonly forkServer?: ForkServer | undefined;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 64 KB of stdout and stderr in the order they were written, safe to show (cleanOutput). */
  readonly output: string;
  /** True when there was more output before it. */
  readonly outputCut: boolean;
  readonly milliseconds: number;
  readonly timedOut: boolean;
}

/**
 * The gate holds the other end of descriptor 3: it closes with the gate, also when that is killed, and then the whole
 * group is ended. The supervisor itself goes with the command.
 */
const supervisor = [
  "/bin/sh",
  "-c",
  `"$@" 3<&- &
tool=$!
{ read -r _ <&3; trap "" TERM; kill -TERM -$$; sleep 3; kill -KILL -$$; } >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$tool"
code=$?
kill -KILL "$watcher" 2>/dev/null
exit "$code"`,
  "migration-gate",
];

const longestTimer = 2 ** 31 - 1;

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/**
 * Runs a command and returns when nothing of it is left: at its end, and at the time limit, all processes that it
 * started get SIGTERM and after 3 s SIGKILL. A command that cannot start is a ToolError; any exit code is a result.
 */
export async function runCommand(command: Command): Promise<CommandResult> {
  if (isEnding()) return never();
  const [name, ...args] = command.argv;
  if (name === undefined) throw new Error("a command without a name");
  const file = findExecutable(name, command.cwd, command.env, command.installedBy);
  await command.isolation.prepare();
  const marker = randomUUID();
  const env = { ...command.isolation.environment, ...command.env, [markerName]: marker };
  const start = performance.now();
  if (isEnding()) return never();
  const { pid, ended, output, giveUp } =
    (await command.forkServer?.fork({ file, args, cwd: command.cwd, env })) ??
    (await spawnProcess(command, name, [file, ...args], env));
  const family = { group: pid, marker };
  const forget = watchOver(family);
  const tail = new OutputTail(command.onLine);
  output.on("data", (chunk: Buffer) => tail.push(chunk));
  output.on("error", () => output.destroy());
  const outputClosed = new Promise<void>((resolve) => output.once("close", resolve));

  let timedOut = false;
  const onAbort = () =>
    void endFamily(family, graceMs)
      .then(() => sleep(graceMs, undefined, { ref: false }))
      .then(giveUp);
  const timer = setTimeout(
    () => {
      timedOut = true;
      onAbort();
    },
    Math.min(command.timeoutMs, longestTimer),
  );
  if (command.abort?.aborted === true) onAbort();
  command.abort?.addEventListener("abort", onAbort);
  try {
    const [exitCode, signal] = await ended;
    clearTimeout(timer);
    command.abort?.removeEventListener("abort", onAbort);
    const milliseconds = performance.now() - start;
    await endFamily(family, graceMs);
    // All that was written is in the socket now; a daemon that cannot be seen but holds it is not waited for.
    await Promise.race([outputClosed, sleep(graceMs, undefined, { ref: false })]);
    if (isEnding()) return await never();
    return { exitCode, signal, ...tail.end(), milliseconds, timedOut };
  } finally {
    forget();
    output.destroy();
  }
}

async function spawnProcess(
  command: Command,
  name: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<StartedProcess> {
  const supervised = command.endsWithUs === true ? [...supervisor, ...words] : words;
  const wrapped = command.isolation.wrap(supervised, command.cwd) as [string, ...string[]];
  const pipe = await createOutputPipe();
  if (isEnding()) return never();
  const [pid, ended] = await startChild(name, wrapped, {
    cwd: command.cwd,
    env,
    detached: true,
    stdio: ["ignore", pipe.writer, pipe.writer, ...(command.endsWithUs === true ? ["pipe" as const] : [])],
  }).finally(() => pipe.writer.destroy());
  return { pid, ended, output: pipe.reader };
}

/** The process id, and how it ends. Node tells some failures by an event and throws others (E2BIG, ENOEXEC). */
async function startChild(
  name: string,
  argv: readonly [string, ...string[]],
  options: SpawnOptions,
): Promise<[number, Promise<Ending>]> {
  try {
    const [program, ...args] = argv;
    const child = spawn(program, args, options);
    const ended = once(child, "exit") as Promise<unknown> as Promise<Ending>;
    if (child.pid === undefined) await ended;
    else return [child.pid, ended];
    throw new Error("It ended before it had started.");
  } catch (error) {
    throw new ToolError(
      {
        what: `The command "${name}" could not be started.`,
        seen: error instanceof Error ? error.message : String(error),
        do: "Run the same command in a terminal to see why, or set run: to one that starts.",
      },
      { cause: error },
    );
  }
}
