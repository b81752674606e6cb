import { UserError } from "../errors";
import { GitError, git } from "./git";

/** Files that differ from the merge base, relative to the root, with `/`, sorted. A file is in one list only. */
export interface ChangedFiles {
  /** The commit that the change is compared with. */
  readonly mergeBase: string;
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly deleted: readonly string[];
  readonly renamed: readonly RenamedFile[];
  /** Those of `added` that no commit and no index has. */
  readonly untracked: readonly string[];
}

export interface RenamedFile {
  readonly from: string;
  readonly to: string;
  /** True when the content is the same to the byte. */
  readonly exact: boolean;
}

/**
 * What differs between the merge base of `base` and HEAD and the files as they lie there now: commits, the index, edits
 * and untracked files that are not ignored. Only files below `root`; a rename across its border is an addition or a deletion.
 */
export async function changedFiles(root: string, base: string): Promise<ChangedFiles> {
  await requireRepository(root);
  const mergeBase = await mergeBaseOf(root, base);
  const scope = ["--relative", "--no-ext-diff", "--no-textconv", "-z", "--ignore-submodules"];
  const [diff, untracked] = await Promise.all([
    git(root, ["diff", ...scope, "--name-status", "-M", mergeBase, "--"]),
    git(root, ["ls-files", "-z", "--others", "--exclude-standard"]),
  ]);
  const changes = parseNameStatus(diff);
  // A repository within this one is listed as a folder.
  const others = untracked.split("\0").filter((file) => file !== "" && !file.endsWith("/"));
  // A file that the index lost and that still lies there was not deleted.
  const deleted = changes.deleted.filter((file) => !others.includes(file));
  const back = changes.deleted.filter((file) => others.includes(file));
  const fresh = others.filter((file) => !back.includes(file));
  return {
    mergeBase,
    added: [...changes.added, ...fresh].sort(),
    modified: [...changes.modified, ...back].sort(),
    deleted: deleted.sort(),
    renamed: changes.renamed,
    untracked: fresh.sort(),
  };
}

type Changes = Record<"added" | "modified" | "deleted", string[]> & { renamed: RenamedFile[] };

/** `git diff --name-status -z`: a status, then one name, or two for a rename. */
function parseNameStatus(output: string): Changes {
  const changes: Changes = { added: [], modified: [], deleted: [], renamed: [] };
  const fields = output.split("\0");
  for (let index = 0; index + 1 < fields.length; ) {
    const status = fields[index++] ?? "";
    const file = fields[index++] ?? "";
    if (status.startsWith("R"))
      changes.renamed.push({ from: file, to: fields[index++] ?? "", exact: status === "R100" });
    else if (status.startsWith("C")) changes.added.push(fields[index++] ?? "");
    else if (status === "A") changes.added.push(file);
    else if (status === "D") changes.deleted.push(file);
    else changes.modified.push(file);
  }
  return changes;
}

async function requireRepository(root: string): Promise<void> {
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
}

async function mergeBaseOf(root: string, base: string): Promise<string> {
  const commit = await lookUp(root, [
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    `${base}^{commit}`,
  ]);
  const isShallow = (await git(root, ["rev-parse", "--is-shallow-repository"])).trim() === "true";
  const deeper =
    "Check out with the whole history (actions/checkout: fetch-depth: 0), or run: git fetch --unshallow";
  if (commit === undefined) {
    throw new UserError({
      what: `The base "${base}" is no commit of this repository.`,
      where: root,
      seen: isShallow ? "The clone is shallow." : await branchesOf(root),
      do: isShallow
        ? deeper
        : `Fetch it (git fetch origin ${base.replace(/^origin\//, "")}), or set base to a commit, tag or branch.`,
    });
  }
  if ((await lookUp(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])) === undefined) {
    throw new UserError({
      what: "The repository has no commit yet.",
      where: root,
      do: "Commit first, or leave base out: then every revision is judged.",
    });
  }
  const found = await lookUp(root, ["merge-base", commit, "HEAD"]);
  if (found !== undefined) return found;
  throw new UserError({
    what: `HEAD and the base "${base}" have no common commit.`,
    where: root,
    seen: isShallow
      ? "The clone is shallow: the common commit was not fetched."
      : "Their histories are unrelated.",
    do: isShallow ? deeper : "Set base to a commit that this branch comes from.",
  });
}

async function branchesOf(root: string): Promise<string> {
  const names = (
    await git(root, ["for-each-ref", "--count=10", "--format=%(refname:short)", "refs/heads", "refs/remotes"])
  ).trim();
  return names === "" ? "There is no branch." : `Branches: ${names.split("\n").join(", ")}.`;
}

async function lookUp(root: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await git(root, args)).trim() || undefined;
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}
