import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { RevisionBody } from "../../model/operation";
import type { Revision } from "../../model/revision";
import type { ReadProblem, ReadRevisions, ToolProject } from "../contract";
import { failed, type RevisionFile, readRevisionFile } from "./revision-file";

/** Alembic's own pattern (script/base.py): every .py file but editors' lock files and `__init__…`. */
const revisionName = /^(?!\.#|__init__).*\.py$/;

/** Every revision of the project's folders, in Alembic's order: folder by folder, names sorted, each real file once. */
export function readRevisions(project: ToolProject): ReadRevisions {
  const seen = new Set<string>();
  const files: RevisionFile[] = [];
  for (const folder of project.revisionFolders) {
    for (const { listed, shown, real } of filesIn(folder, project)) {
      if (seen.has(real) || !revisionName.test(path.basename(real))) continue;
      seen.add(real);
      files.push(readFile(project, listed, shown));
    }
  }
  const byRevision = new Map(
    files.flatMap((file) => (file.revision === undefined ? [] : [[file.revision, file] as const])),
  );
  return {
    revisions: [...byRevision.keys()],
    problems: files.flatMap((file) => file.problems),
    bodyProblems: (revision) => byRevision.get(revision)?.bodyProblems() ?? [],
    body: (revision) => byRevision.get(revision)?.body() ?? { operations: [], remarks: [] },
  };
}

/** One file by its content. Its name must be one that Alembic takes. */
export function readOne(file: string, bytes: Uint8Array, bind?: string): Revision | undefined {
  const isRevision = revisionName.test(path.posix.basename(file));
  return isRevision ? readRevisionFile(file, bytes, bind).revision : undefined;
}

/** The operations and remarks of one file by its content. */
export function readBody(file: string, bytes: Uint8Array, bind?: string): RevisionBody {
  return readRevisionFile(file, bytes, bind).body();
}

function readFile(project: ToolProject, file: string, shown: string): RevisionFile {
  try {
    return readRevisionFile(shown, readFileSync(file), project.bind?.name);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem: ReadProblem = {
      kind: "syntax",
      file: shown,
      line: 1,
      column: 1,
      text: `${shown} cannot be read: ${reason}.`,
    };
    return failed(problem);
  }
}

interface ListedFile {
  readonly listed: string;
  /** Below the project's root, with `/`. */
  readonly shown: string;
  /** Links followed: Alembic judges the name of the file that is run. */
  readonly real: string;
}

function filesIn(folder: string, project: ToolProject): ListedFile[] {
  const real = realPath(folder);
  if (real === undefined || !statSync(real).isDirectory()) return [];
  const entries = readdirSync(real, { withFileTypes: true }).sort((one, other) =>
    one.name < other.name ? -1 : 1,
  );
  const files = folder.endsWith("__pycache__") ? [] : entries.filter((entry) => !entry.isDirectory());
  const below = project.recursive ? entries.filter((entry) => entry.isDirectory()) : [];
  const shownFolder = path.relative(project.root, folder).split(path.sep).join("/");
  return [
    ...files.flatMap((entry) => {
      const listed = path.join(folder, entry.name);
      const shown = shownFolder === "" ? entry.name : `${shownFolder}/${entry.name}`;
      const target = entry.isFile() ? path.join(real, entry.name) : realPath(listed);
      const isUsable = target !== undefined && (entry.isFile() || statSync(target).isFile());
      return isUsable ? [{ listed, shown, real: target }] : [];
    }),
    ...below.flatMap((entry) => filesIn(path.join(folder, entry.name), project)),
  ];
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
