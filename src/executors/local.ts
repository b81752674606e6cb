import { type SpawnOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ToolError } from "../errors";
import { findExecutable, type InstalledBy } from "./executable";
import type { Isolation } from "./isolation";
import { OutputTail } from "./output";
import { createOutputPipe } from "./output-pipe";
import { endFamily, markerName, type ProcessFamily, signalFamily } from "./processes";
import { familyPorts } from "./tcp-ports";

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
  /** User and system time of the command and its children that it waited for; Linux, and only while no other ran beside it. */
  readonly cpuMs: number | undefined;
}

/** How long a command may take to end after SIGTERM before it is killed, in milliseconds. */
export const graceMs = 3_000;

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

const running = new Set<ProcessFamily>();
const longestTimer = 2 ** 31 - 1;
let started = 0;
let exitHook = false;
let ending = false;

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/**
 * Runs a command and returns when nothing of it is left: at its end, and at the time limit, all processes that it
 * started get SIGTERM and after 3 s SIGKILL. A command that cannot start is a ToolError; any exit code is a result.
 */
export async function runCommand(command: Command): Promise<CommandResult> {
  if (ending) return never();
  const [name, ...args] = command.argv;
  if (name === undefined) throw new Error("a command without a name");
  const file = findExecutable(name, command.cwd, command.env, command.installedBy);
  await command.isolation.prepare();
  const pipe = await createOutputPipe();
  const tail = new OutputTail(command.onLine);
  pipe.reader.on("data", (chunk: Buffer) => tail.push(chunk));
  pipe.reader.on("error", () => pipe.reader.destroy());
  const outputClosed = new Promise<void>((resolve) => pipe.reader.once("close", resolve));

  const supervised = command.endsWithUs === true ? [...supervisor, file, ...args] : [file, ...args];
  const wrapped = command.isolation.wrap(supervised, command.cwd) as [string, ...string[]];
  const marker = randomUUID();
  const cpu = startCpuClock();
  const start = performance.now();
  if (ending) return never();
  const [child, ended] = await startChild(name, wrapped, {
    cwd: command.cwd,
    env: { ...command.isolation.environment, ...command.env, [markerName]: marker },
    detached: true,
    stdio: ["ignore", pipe.writer, pipe.writer, ...(command.endsWithUs === true ? ["pipe" as const] : [])],
  }).finally(() => pipe.writer.destroy());

  const family = { group: child, marker };
  register(family);
  let timedOut = false;
  const timer = setTimeout(
    () => {
      timedOut = true;
      void endFamily(family, graceMs);
    },
    Math.min(command.timeoutMs, longestTimer),
  );
  const onAbort = () => void endFamily(family, graceMs);
  if (command.abort?.aborted === true) onAbort();
  command.abort?.addEventListener("abort", onAbort);
  try {
    const [exitCode, signal] = await ended;
    clearTimeout(timer);
    command.abort?.removeEventListener("abort", onAbort);
    const milliseconds = performance.now() - start;
    const cpuMs = cpu();
    await endFamily(family, graceMs);
    // All that was written is in the socket now; a daemon that cannot be seen but holds it is not waited for.
    await Promise.race([outputClosed, sleep(graceMs, undefined, { ref: false })]);
    if (ending) return await never();
    return { exitCode, signal, ...tail.end(), milliseconds, timedOut, cpuMs };
  } finally {
    running.delete(family);
    pipe.reader.destroy();
  }
}

/** Ends every command that runs, as at a time limit. */
export async function terminateAll(): Promise<void> {
  await Promise.all([...running].map((family) => endFamily(family, graceMs)));
}

/**
 * The same at the gate's own SIGINT and SIGTERM. From then on no command starts or returns: what waits for one must
 * not go on, and report what the signal did as the project's failure.
 */
export async function terminateForGood(): Promise<void> {
  ending = true;
  await terminateAll();
}

/**
 * Local ports of the TCP connections that commands of this process have to a port of any server; undefined where that
 * cannot be told (no Linux).
 */
export function commandPorts(serverPort: number): readonly number[] | undefined {
  const ports = [...running].map((family) => familyPorts(family, serverPort));
  return ports.includes(undefined) ? undefined : ports.flatMap((each) => each ?? []);
}

function register(family: ProcessFamily): void {
  running.add(family);
  if (exitHook) return;
  exitHook = true;
  process.on("exit", killAll);
}

/** At the end of the process no event comes any more. Again until none is left: one that begins a program has no environment for a moment. */
function killAll(): void {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (const family of running) {
    for (let round = 0; round < 10 && signalFamily(family, "SIGKILL"); round++) Atomics.wait(nap, 0, 0, 10);
  }
}

type Ended = Promise<[number | null, NodeJS.Signals | null]>;

/** The process id, and how it ends. Node tells some failures by an event and throws others (E2BIG, ENOEXEC). */
async function startChild(
  name: string,
  argv: readonly [string, ...string[]],
  options: SpawnOptions,
): Promise<[number, Promise<Awaited<Ended>>]> {
  try {
    const [program, ...args] = argv;
    const child = spawn(program, args, options);
    const ended = once(child, "exit") as Ended;
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

/** CPU time of one command, from what the kernel adds to this process when a child has been waited for. */
function startCpuClock(): () => number | undefined {
  const mine = ++started;
  const alone = running.size === 0;
  const before = childrenCpuMs();
  return () => {
    const after = childrenCpuMs();
    if (!alone || started !== mine || before === undefined || after === undefined) return undefined;
    return after - before;
  };
}

/** cutime and cstime of proc_pid_stat(5), in hundredths of a second on every Linux that Node runs on. */
function childrenCpuMs(): number | undefined {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return undefined;
  }
}
