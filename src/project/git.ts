import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { UserError } from "../errors";

/** Git ended with an error; the message is its own. */
export class GitError extends Error {
  override readonly name = "GitError";
}

export interface GitOptions {
  /** After that git is ended, and it counts as failed. */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

const settings = [
  "-c",
  "core.quotePath=false",
  "-c",
  "diff.autoRefreshIndex=true",
  "-c",
  "color.ui=false",
  "-c",
  "gc.auto=0",
  "--no-pager",
];

/** A hook's variables name the repository that git runs it for; here the folder does (`git rev-parse --local-env-vars`). */
const ofAnotherRepository =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|GRAFT_FILE|SHALLOW_FILE|IMPLICIT_WORK_TREE|NAMESPACE|EXTERNAL_DIFF|LITERAL_PATHSPECS|GLOB_PATHSPECS|NOGLOB_PATHSPECS|ICASE_PATHSPECS)$/;

/**
 * Runs git in a folder and returns its standard output. No pager, no colour, no prompt, no configuration that changes
 * the output. UserError when git is not installed, GitError when it fails.
 */
export async function git(
  folder: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  return (await gitBytes(folder, args, options)).toString("utf8");
}

/** The same, for what may be no text. */
export function gitBytes(folder: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  // GIT_ASKPASS: without it a helper for passwords may open a window; `true` answers with nothing.
  const environment = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofAnotherRepository.test(name))),
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    GIT_OPTIONAL_LOCKS: "0",
    LC_ALL: "C",
    ...options.environment,
  };
  return new Promise((resolve, reject) => {
    const child = execFile(
      "git",
      [...settings, ...args],
      { cwd: folder, env: environment, maxBuffer: 2 ** 30, encoding: "buffer", timeout: options.timeoutMs },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        // The same code tells a missing folder.
        if (error.code === "ENOENT" && existsSync(folder)) return reject(notInstalled(error));
        const said = stderr
          .toString("utf8")
          .trim()
          .replace(/^(fatal|error): /, "");
        const ended =
          error.killed === true ? `no answer within ${(options.timeoutMs ?? 0) / 1000} s` : undefined;
        reject(new GitError(ended ?? (said || error.message), { cause: error }));
      },
    );
    // Git may end before it has read all.
    child.stdin?.on("error", () => undefined).end(options.input ?? "");
  });
}

/** The trimmed output; undefined where git fails or says nothing. */
export async function lookUp(root: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await git(root, args)).trim() || undefined;
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

function notInstalled(cause: Error): UserError {
  return new UserError(
    {
      what: "The command git was not found.",
      why: "What this change adds and edits is read from the repository's history.",
      do: "Install git, or put it on PATH.",
    },
    { cause },
  );
}
