import { GitError, git } from "./git";

export interface LostFile {
  readonly commit: { readonly hash: string; readonly subject: string; readonly date: string };
  /** Relative to the repository's root. */
  readonly file: string;
}

/** A long history is searched no longer than this. */
const timeoutMs = 20_000;

/**
 * The newest commit of any branch or tag whose tree has a file with a line like this (a POSIX extended regular
 * expression); undefined where git knows none, or not in time, or the folder is in no repository. A shallow clone
 * knows little. `files` are git pathspecs.
 */
export async function lastCommitWith(
  root: string,
  line: string,
  files: readonly string[],
): Promise<LostFile | undefined> {
  try {
    const log = [
      ...["log", "--all", "--no-renames", "-G", line, "--name-status", "-z", "--format=%x01%H%x00%P%x00"],
      ...["--", ...files],
    ];
    for (const record of (await git(root, log, { timeoutMs })).split("\x01").slice(1)) {
      const [hash = "", parents = "", ...rest] = record.split("\0");
      const changed = rest.map((field) => field.replace(/^\n+/, "")).filter((field) => field !== "");
      for (let index = 0; index + 1 < changed.length; index += 2) {
        const [status, file = ""] = [changed[index], changed[index + 1]];
        const commit = status === "D" ? parents.split(" ")[0] : hash;
        if (commit === undefined || !(await hasLine(root, commit, line, [`:(top,literal)${file}`]))) continue;
        const [subject = "", date = ""] = (await git(root, ["log", "-1", "--format=%s%x00%cI", commit]))
          .trimEnd()
          .split("\0");
        return { commit: { hash: commit, subject, date }, file };
      }
    }
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
  }
  return undefined;
}

/** Whether a commit's tree has such a line in one of these files; not where it does not have the commit. */
export async function hasLine(
  root: string,
  commit: string,
  line: string,
  files: readonly string[],
): Promise<boolean> {
  try {
    await git(root, ["grep", "-q", "-E", "-e", line, commit, "--", ...files]);
    return true;
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
}
