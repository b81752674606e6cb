import { GitError, git } from "./git";

/** The commit that brought a file, and the one before it: the last release that did not know the file. */
export interface AddedBy {
  readonly commit: string;
  readonly subject: string;
  /** Undefined for the first commit, or where a shallow clone does not have it. */
  readonly before: string | undefined;
}

/** Undefined where git knows no such commit. `file` is relative to the folder. */
export async function addedBy(folder: string, file: string): Promise<AddedBy | undefined> {
  const words = ["log", "-1", "--diff-filter=A", "--format=%H%x00%P%x00%s", "--", `:(literal)${file}`];
  try {
    const [commit, parents = "", subject = ""] = (await git(folder, words)).trimEnd().split("\0");
    if (commit === undefined || commit === "") return undefined;
    return { commit, subject, before: parents.split(" ")[0] || undefined };
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}
