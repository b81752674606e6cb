import { commitOf } from "./commits";
import { GitError, git } from "./git";
import { hasLine } from "./lost-file";

/** The commit that brought a revision, and the one before it: the last without it. */
export interface BroughtBy {
  readonly commit: string;
  readonly subject: string;
  /** Undefined for the first commit, or where a shallow clone does not have it. */
  readonly before: string | undefined;
}

/** A long history is searched no longer than this. */
const timeoutMs = 20_000;

/**
 * On the branch that is checked out, merges as one commit: the newest that brought a file with a line like this (a POSIX
 * extended regular expression) where there was none. Undefined where git knows none, or not in time. `files` are git
 * pathspecs.
 */
export async function broughtBy(
  root: string,
  line: string,
  files: readonly string[],
): Promise<BroughtBy | undefined> {
  const words = ["log", "--first-parent", "-m", "--no-renames", "-G", line, "--format=%H%x00%P%x00%s", "--"];
  try {
    const log = (await git(root, [...words, ...files], { timeoutMs })).split("\n");
    for (const record of log.filter((each) => each !== "")) {
      const [commit = "", parents = "", subject = ""] = record.split("\0");
      const [parent] = parents.split(" ").filter((each) => each !== "");
      const before = parent === undefined ? undefined : await commitOf(root, parent);
      if (before === undefined || !(await hasLine(root, before, line, files)))
        return { commit, subject, before };
    }
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
  }
  return undefined;
}
