import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { UserError } from "../errors";

/** Git ended with an error; the message is its own. */
export class GitError extends Error {
  override readonly name = "GitError";
}

/**
 * Runs git in a folder and returns its standard output. No pager, no colour, no prompt, no configuration that changes
 * the output. UserError when git is not installed, GitError when it fails.
 */
export function git(folder: string, args: readonly string[]): Promise<string> {
  const settings = [
    "-c",
    "core.quotePath=false",
    "-c",
    "diff.renames=true",
    "-c",
    "color.ui=false",
    "--no-pager",
  ];
  const environment = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" };
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env: environment, maxBuffer: 2 ** 30, encoding: "utf8" as const };
    execFile("git", [...settings, ...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      // The same code tells a missing folder.
      if (error.code === "ENOENT" && existsSync(folder)) return reject(notInstalled(error));
      reject(new GitError(stderr.trim().replace(/^(fatal|error): /, "") || error.message, { cause: error }));
    });
  });
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
