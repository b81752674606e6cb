import { git } from "./git";

/** One file that differs between two states of the repository, by its path from the repository's root. */
export interface FileChange {
  readonly path: string;
  readonly kind: "added" | "modified" | "deleted";
  /** The content's id before and after; undefined where there was no plain file, and after for a file as it lies there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * What differs between a commit and another one, or the files as they lie there now (commits, the index, edits; files
 * that git does not know are not told). A moved file is one that was deleted and one that was added.
 */
export async function changedFiles(root: string, from: string, to?: string): Promise<FileChange[]> {
  const scope = [
    "--no-relative",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules",
    "--no-abbrev",
  ];
  const output = await git(root, [
    "diff",
    "--raw",
    "-z",
    ...scope,
    from,
    ...(to === undefined ? [] : [to]),
    "--",
  ]);
  return parseRaw(output);
}

/** `git diff --raw -z`: `:mode mode id id status`, then the path. */
function parseRaw(output: string): FileChange[] {
  const fields = output.split("\0");
  const changes: FileChange[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [modeBefore = "", modeAfter = "", before = "", after = "", status = ""] = (fields[index] ?? "")
      .slice(1)
      .split(" ");
    changes.push({
      path: fields[index + 1] ?? "",
      kind: status === "A" ? "added" : status === "D" ? "deleted" : "modified",
      before: contentId(modeBefore, before),
      after: contentId(modeAfter, after),
    });
  }
  return changes;
}

/** Plain files have modes 100644 and 100755; git writes zeros for what it has not stored. */
export function contentId(mode: string, id: string): string | undefined {
  return mode.startsWith("100") && !/^0+$/.test(id) ? id : undefined;
}
