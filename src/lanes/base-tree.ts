import { lstatSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { git } from "../project/git";
import { gitPaths } from "../project/tree";
import { createPrivateDirectory } from "../shadow/private-directory";

/** A commit's files in a folder of their own, with what git ignores beside them; gone when it is disposed. */
export interface BaseTree extends AsyncDisposable {
  /** Where the project's root is in it; absolute. It need not be there. */
  readonly root: string;
  /** The repository's own root in it. */
  readonly top: string;
  /** The id of the commit's whole tree. */
  readonly id: string;
  /** The environment for a tool that runs there: paths of the checkout lead into it. */
  environment(parent: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
}

/**
 * Puts the files of a commit into a private folder. The repository is left as it is: no worktree is registered, and its
 * index is not touched. What git ignores (a virtual environment, .env, built parts) is linked, because the tool needs it.
 * `folder` is the project's root in the checkout. GitError where the commit cannot be read.
 */
export async function openBaseTree(folder: string, commit: string): Promise<BaseTree> {
  const paths = await gitPaths(folder);
  const top = (await git(folder, ["rev-parse", "--show-toplevel"])).replace(/\n$/, "");
  const id = (await git(folder, ["rev-parse", `${commit}^{tree}`])).trim();
  const directory = await createPrivateDirectory(undefined);
  try {
    const tree = path.join(directory.path, "base");
    await mkdir(tree);
    // An index of its own; filters (line ends, LFS) run as they do in a checkout.
    const index = ["-c", "core.fsmonitor=false"];
    const environment = { GIT_INDEX_FILE: path.join(directory.path, "index") };
    await git(top, [...index, "read-tree", commit], { environment });
    await git(top, [...index, "checkout-index", "--all", "--force", `--prefix=${tree}/`], { environment });
    await linkIgnored(top, tree);
    const root = path.join(tree, paths.prefix);
    return {
      root,
      top: tree,
      id,
      environment: (parent) => moved(parent, top, tree),
      [Symbol.asyncDispose]: () => directory.remove(),
    };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

/** What no base needs, and what a run would write into the checkout. */
const unwanted = /(?:^|\/)(?:__pycache__|\.pytest_cache|\.mypy_cache|\.ruff_cache)\/?$|\.pyc$/;

/** Links what git ignores, whole folders as one; what the commit has of that name stays. */
async function linkIgnored(top: string, tree: string): Promise<void> {
  const output = await git(top, [
    "ls-files",
    "-z",
    "--others",
    "--ignored",
    "--exclude-standard",
    "--directory",
  ]);
  for (const name of output.split("\0")) {
    const place = name.replace(/\/$/, "");
    if (place === "" || unwanted.test(name)) continue;
    // A folder that only this checkout has would be linked without the files beside it; a link may lead out of the tree.
    const above = place.split("/").slice(0, -1);
    const isThere = above.every((_, end) => kindOf(path.join(tree, ...above.slice(0, end + 1))) === "folder");
    if (!isThere || kindOf(path.join(tree, place)) !== undefined) continue;
    await symlink(path.join(top, place), path.join(tree, place));
  }
}

function kindOf(file: string): "folder" | "other" | undefined {
  const status = lstatSync(file, { throwIfNoEntry: false });
  return status === undefined ? undefined : status.isDirectory() ? "folder" : "other";
}

/**
 * Absolute paths of PYTHONPATH would put the checkout's modules before those of the commit. `uv run` would bring the
 * linked environment, which is the checkout's own, to the commit's lock file, and its editable install into this folder.
 */
function moved(own: NodeJS.ProcessEnv, top: string, tree: string): NodeJS.ProcessEnv {
  const parent = { ...own, UV_NO_SYNC: "1" };
  const paths = own.PYTHONPATH;
  if (paths === undefined) return parent;
  const inside = (entry: string) => entry === top || entry.startsWith(`${top}/`);
  const entries = paths
    .split(path.delimiter)
    .map((entry) => (inside(entry) ? tree + entry.slice(top.length) : entry));
  return { ...parent, PYTHONPATH: entries.join(path.delimiter) };
}
