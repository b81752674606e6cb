import { createWriteStream } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors";
import { childEnvironment } from "../executors/environment";
import { findInPath } from "../executors/executable";
import { shellWords } from "../tools/shell-words";
import { type Child, endText, startChild, writeTo } from "./child";

/** Where the bytes of a backup go. */
export interface Store {
  /** False once it takes nothing any more; `finish` then says why. */
  write(chunks: readonly Buffer[]): Promise<boolean>;
  /** Returns when all is kept; a UserError where it is not. */
  finish(): Promise<void>;
  /** What was written is no backup: nothing may take it for one. */
  abort(): Promise<void>;
}

/** A new file that only its owner reads; on the disk when it is finished. */
export function fileStore(folder: string, name: string): Store {
  const stream = createWriteStream(join(folder, name), {
    flags: "wx",
    mode: 0o600,
    flush: true,
    highWaterMark: 4 * 1024 * 1024,
  });
  // A limit of the shell (ulimit -f) is told by a signal, which else ends this process; with it, the write fails.
  const ignored = () => undefined;
  process.on("SIGXFSZ", ignored);
  let failure: Error | undefined;
  stream.on("error", (error) => {
    failure = error;
  });
  const closed = new Promise<void>((resolve) => {
    stream.once("close", () => {
      process.off("SIGXFSZ", ignored);
      resolve();
    });
  });
  return {
    write: (chunks) => writeTo(stream, ...chunks),
    async finish() {
      stream.end();
      await closed;
      if (failure !== undefined) throw notWritten(dirname(folder), failure);
    },
    async abort() {
      stream.destroy();
      await closed;
    },
  };
}

/** A failed write as a message that says whether there was no room. */
export function notWritten(directory: string, error: Error): UserError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const full = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
  return new UserError(
    {
      what: full ? "There is no room for the backup." : "The backup could not be written.",
      where: `backup-directory: ${directory}`,
      seen: error.message,
      why: "The unfinished file was removed. The database was not changed.",
      do: full
        ? "Make room there, or set backup-directory to a folder with more."
        : "Set backup-directory to a folder that can be written.",
    },
    { cause: error },
  );
}

/** The words of the setting backup-sink, with the backup's name for `{name}`. A UserError where there is no such program. */
export function sinkWords(setting: string, name: string, environment: NodeJS.ProcessEnv): string[] {
  const [program, ...args] = shellWords(setting).map((word) => word.replaceAll("{name}", name));
  const file = program?.includes("/") ? program : findInPath(program ?? "", environment.PATH);
  if (program !== undefined && file !== undefined) return [file, ...args];
  throw new UserError({
    what:
      program === undefined
        ? "The setting backup-sink is empty."
        : `The command "${program}" of backup-sink was not found.`,
    where: "backup-sink",
    do: 'Set it to a command that reads standard input, e.g. aws s3 cp - "s3://backups/{name}". It is not run by a shell.',
  });
}

/** A command that reads the backup on its standard input. Only its exit code 0 after all was read means that it is kept. */
export async function sinkStore(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<Store> {
  const { env } = childEnvironment(environment, {});
  const child = await startChild(words, { env, talks: true });
  let isOver = false;
  void child.ended.then(() => {
    isOver = true;
    child.stdin.destroy();
  });
  return {
    write: async (chunks) => !isOver && (await writeTo(child.stdin, ...chunks)),
    async finish() {
      const early = isOver || !child.stdin.writable;
      if (!early) child.stdin.end();
      const end = await child.ended;
      if (early || end.code !== 0)
        throw notKept(
          words,
          child,
          early ? "It ended before it had read the whole backup." : undefined,
          endText(end),
        );
    },
    abort: () => endBeforeInput(child),
  };
}

/** First the program, then its input: one that sees the end of its input would keep what it has, as if that were all. */
async function endBeforeInput(child: Child): Promise<void> {
  await child.kill();
  child.stdin.destroy();
  await child.ended;
}

function notKept(words: readonly string[], child: Child, early: string | undefined, end: string): UserError {
  return new UserError({
    what: `The command that keeps the backup failed: ${basename(words[0] ?? "")}.`,
    where: "backup-sink",
    seen: [early, end, ...child.said().split("\n").slice(-8)].filter((line) => line).join("\n"),
    why: "Whatever it has kept is no backup. The database was not changed.",
    do: "Mend what it says, and run again.",
  });
}
