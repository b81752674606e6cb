import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { ReadProblem, ReadRevisions, ToolProject } from "../contract";
import { type RevisionFile, readRevisionFile } from "./revision-file";

/** Alembic's own pattern (script/base.py): every .py file but editors' lock files and `__init__…`. */
const revisionName = /^(?!\.#|__init__).*\.py$/;

/** Every revision of the project's folders, in Alembic's order: folder by folder, names sorted, each real file once. */
export function readRevisions(project: ToolProject): ReadRevisions {
  const seen = new Set<string>();
  const files: RevisionFile[] = [];
  for (const folder of project.revisionFolders) {
    for (const listed of filesIn(folder, project.recursive)) {
      const target = realPath(listed);
      if (target === undefined || seen.has(target) || !revisionName.test(path.basename(target))) continue;
      seen.add(target);
      files.push(readFile(project, listed));
    }
  }
  const byRevision = new Map(
    files.flatMap((file) => (file.revision === undefined ? [] : [[file.revision, file] as const])),
  );
  return {
    revisions: [...byRevision.keys()],
    problems: files.flatMap((file) => file.problems),
    bodyProblems: (revision) => byRevision.get(revision)?.bodyProblems() ?? [],
  };
}

function readFile(project: ToolProject, file: string): RevisionFile {
  const shown = path.relative(project.root, file).split(path.sep).join("/");
  try {
    return readRevisionFile(shown, readFileSync(file));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem: ReadProblem = {
      kind: "syntax",
      file: shown,
      line: 1,
      column: 1,
      text: `${shown} cannot be read: ${reason}.`,
    };
    return { revision: undefined, problems: [problem], bodyProblems: () => [] };
  }
}

function filesIn(folder: string, recursive: boolean): string[] {
  const top = statSync(folder, { throwIfNoEntry: false });
  if (top?.isDirectory() !== true) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const isFolder = (name: string): boolean =>
    statSync(path.join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true;
  const names = entries.map((entry) => entry.name).sort(byCodePoint);
  const files = folder.endsWith("__pycache__") ? [] : names.filter((name) => !isFolder(name));
  const below = recursive
    ? entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort(byCodePoint)
    : [];
  return [
    ...files.map((name) => path.join(folder, name)),
    ...below.flatMap((name) => filesIn(path.join(folder, name), true)),
  ];
}

function byCodePoint(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
