import { realpathSync } from "node:fs";
import path from "node:path";
import { contentId } from "./changes";
import { git, gitBytes } from "./git";

/** How the files of a folder are named by git: from the repository's root, with `/`, links followed. */
export interface GitPaths {
  /** The folder's own path, "" or with a `/` at its end. */
  readonly prefix: string;
  /** Of an absolute path, or one that is relative to the folder; it may lie beside the folder. */
  of(file: string): string;
  /** Relative to the folder. */
  shown(gitPath: string): string;
}

export async function gitPaths(folder: string): Promise<GitPaths> {
  // One line, but the name of a folder may have line breaks of its own.
  const prefix = (await git(folder, ["rev-parse", "--show-prefix"])).replace(/\n$/, "");
  const real = realpathSync.native(folder);
  const top =
    prefix === ""
      ? real
      : path.resolve(
          real,
          ...prefix
            .split("/")
            .slice(1)
            .map(() => ".."),
        );
  return {
    prefix,
    of: (file) =>
      path
        .relative(top, realPath(path.resolve(folder, file)))
        .split(path.sep)
        .join("/"),
    shown: (gitPath) => path.posix.relative(`/${prefix}`, `/${gitPath}`),
  };
}

function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

/** The plain files below these folders in a commit, with the ids of their contents. */
export async function filesOfCommit(
  root: string,
  commit: string,
  folders: readonly string[],
): Promise<Map<string, string>> {
  const output = await git(root, ["ls-tree", "-r", "-z", "--full-tree", commit, "--", ...treePaths(folders)]);
  const files = new Map<string, string>();
  for (const entry of output.split("\0")) {
    const [, mode = "", id = "", file] = /^(\d+) \w+ (\S+)\t(.*)$/s.exec(entry) ?? [];
    const content = contentId(mode, id);
    if (file !== undefined && content !== undefined) files.set(file, content);
  }
  return files;
}

/** The folders below one folder of a commit. */
export async function foldersOfCommit(root: string, commit: string, folder: string): Promise<string[]> {
  const output = await git(root, [
    "ls-tree",
    "-r",
    "-d",
    "-z",
    "--name-only",
    "--full-tree",
    commit,
    "--",
    ...treePaths([folder]),
  ]);
  return output.split("\0").filter((name) => name !== "");
}

/** Files that the index has, below these folders. */
export async function trackedFiles(root: string, folders: readonly string[]): Promise<Set<string>> {
  const specs = folders.filter(isInside).map((folder) => `:(top,literal)${folder}`);
  if (specs.length === 0) return new Set();
  const output = await git(root, ["ls-files", "-z", "--full-name", "--", ...specs]);
  return new Set(output.split("\0").filter((name) => name !== ""));
}

/** The contents of these ids, from one process. */
export async function contentsOf(root: string, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  if (ids.length === 0) return contents;
  const output = await gitBytes(root, ["cat-file", "--batch"], {
    input: `${[...new Set(ids)].join("\n")}\n`,
  });
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(10, at);
    const [id = "", kind, size] = output.toString("utf8", at, end).split(" ");
    at = end + 1;
    if (kind !== "blob") continue;
    contents.set(id, output.subarray(at, at + Number(size)));
    at += Number(size) + 1;
  }
  return contents;
}

/** A path of ls-tree that ends with `/` would name what is in the folder; "" is the whole tree. */
function treePaths(folders: readonly string[]): string[] {
  const inside = folders.filter(isInside).map((folder) => folder.replace(/\/$/, ""));
  if (inside.includes("")) return [];
  // Without a path ls-tree lists all: a name that no tree has lists nothing.
  return inside.length === 0 ? ["\u0001"] : inside;
}

/** False for what lies outside of the repository. */
function isInside(gitPath: string): boolean {
  return gitPath !== ".." && !gitPath.startsWith("../") && !path.isAbsolute(gitPath);
}
