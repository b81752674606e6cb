import { UserError } from "../errors";
import { GitError, git, lookUp } from "./git";

/** The full id of a commit by any name git knows; undefined where there is none here. */
export function commitOf(root: string, name: string): Promise<string | undefined> {
  return lookUp(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
}

/** The parents as the commit names them, also where a shallow clone does not have them. */
export async function namedParents(root: string, commit: string): Promise<readonly string[]> {
  const text = await git(root, ["cat-file", "commit", commit]);
  const [header = ""] = text.split("\n\n");
  return [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id = ""]) => id);
}

export function mergeBase(root: string, one: string, other: string): Promise<string | undefined> {
  return lookUp(root, ["merge-base", one, other]);
}

export async function isShallow(root: string): Promise<boolean> {
  return (await lookUp(root, ["rev-parse", "--is-shallow-repository"])) === "true";
}

/** The commit that is judged. UserError outside of a repository, and in one without a commit. */
export async function requireHead(root: string): Promise<string> {
  try {
    await git(root, ["rev-parse", "--show-toplevel"]);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const dubious = /dubious ownership/.test(error.message);
    throw new UserError(
      {
        what: dubious
          ? `Git does not trust the repository at ${root}: another user owns it.`
          : `${root} is in no git repository.`,
        seen: error.message.split("\n")[0] ?? "",
        why: "What this change adds and edits is read from the repository's history.",
        do: dubious
          ? `git config --global --add safe.directory ${root}`
          : "Check the repository out first, or leave base out: then every revision is judged.",
      },
      { cause: error },
    );
  }
  const head = await commitOf(root, "HEAD");
  if (head !== undefined) return head;
  throw new UserError({
    what: "The repository has no commit yet.",
    where: root,
    do: "Commit first, or leave base out: then every revision is judged.",
  });
}

/** At most ten, for a message. */
export async function branchesOf(root: string): Promise<string> {
  const names = (
    await git(root, ["for-each-ref", "--count=10", "--format=%(refname:short)", "refs/heads", "refs/remotes"])
  ).trim();
  return names === "" ? "There is no branch." : `Branches: ${names.split("\n").join(", ")}.`;
}
