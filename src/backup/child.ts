import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { OutputTail } from "../executors/output";
import { endFamily, markerName, signalFamily } from "../executors/processes";
import { haltIfEnding, registerCleanup } from "../shadow/cleanup";

export interface ChildEnd {
  /** 0 and nothing else is success. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  readonly error?: Error;
}

/** A program that runs beside this process, with pipes; a signal to this process ends it and what it started. */
export interface Child {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves however it ends, also when it cannot be started. */
  readonly ended: Promise<ChildEnd>;
  /** What it said on standard error (a sink: on standard output, too), its end. */
  said(): string;
  /** Ends it and what it started, at once with SIGKILL for what does not go; returns when none is left. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Each line of standard error as it comes. */
  readonly onLine?: (line: string) => void;
  /** Standard output belongs to what was said: nobody reads it as data. */
  readonly talks?: boolean;
  /** Ends what it is only the client of, and which runs elsewhere. Such a client has nothing to end in order. */
  readonly endElsewhere?: () => Promise<void>;
}

const graceMs = 2_000;

/** Starts a program without a shell. Its pipes never throw: who writes to one that is closed looks at how it ended. */
export async function startChild(argv: readonly string[], options: ChildOptions): Promise<Child> {
  await haltIfEnding();
  const [file, ...args] = argv as [string, ...string[]];
  const marker = randomUUID();
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(file, args, {
    env: { ...options.env, [markerName]: marker },
    // A group of its own: a Ctrl-C in the terminal reaches this process alone, which then ends all in order.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const tail = new OutputTail(options.onLine);
  child.stderr.on("data", (chunk: Buffer) => tail.push(chunk));
  if (options.talks === true) child.stdout.on("data", (chunk: Buffer) => tail.push(chunk));
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => undefined);
  const family = child.pid === undefined ? undefined : { group: child.pid, marker };
  let isOver = false;
  // Looking for what it started means to read all of /proc: only where it may have been cut short.
  const kill = async () => {
    const elsewhere = options.endElsewhere?.();
    if (family !== undefined && !isOver) await endFamily(family, elsewhere === undefined ? graceMs : 0);
    await elsewhere;
  };
  const unregister = registerCleanup({
    run: kill,
    runNow: () => void (family !== undefined && signalFamily(family, "SIGKILL")),
  });
  let said: string | undefined;
  const ended = endOf(child).then((end) => {
    isOver = end.code === 0;
    unregister();
    return end;
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    said: () => {
      said ??= tail.end().output.trim();
      return said;
    },
    kill,
  };
}

/** At "close", when all that it wrote was read, not at "exit". */
async function endOf(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<ChildEnd> {
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  } catch (error) {
    return { code: null, signal: null, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** How it ended, in words. */
export function endText({ code, signal, error }: ChildEnd): string {
  if (error !== undefined) return error.message;
  return signal === null ? `It ended with exit code ${code}.` : `It was ended by ${signal}.`;
}

/** Writes all at once and waits while the reader is slower; false once the stream takes nothing any more. */
export async function writeTo(stream: Writable, ...chunks: readonly Buffer[]): Promise<boolean> {
  if (stream.destroyed || !stream.writable) return false;
  stream.cork();
  let isTaken = true;
  for (const chunk of chunks) isTaken = stream.write(chunk);
  stream.uncork();
  if (isTaken) return true;
  return await new Promise<boolean>((resolve) => {
    const settle = (isOpen: boolean) => {
      stream.off("drain", onDrain).off("close", onClose).off("error", onClose);
      resolve(isOpen);
    };
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    stream.once("drain", onDrain).once("close", onClose).once("error", onClose);
  });
}
