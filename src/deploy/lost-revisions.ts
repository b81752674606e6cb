import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { MendLines, UnknownRevision } from "../model/status";
import { GitError, gitBytes } from "../project/git";
import { type LostFile, lastCommitWith } from "../project/lost-file";
import { gitPaths } from "../project/tree";
import type { Graph } from "../revisions/graph";
import { compareVersions } from "../revisions/in-order";
import type { MigrationTool, ToolProject } from "../tools/contract";
import { shellWord } from "../tools/shell-words";

export interface LostContext {
  readonly tool: MigrationTool;
  readonly project: ToolProject;
  readonly graph: Graph;
  /** The words that start the tool. */
  readonly run: readonly string[];
  /** Every id that the version table holds. */
  readonly applied: readonly string[];
  mergeLine(heads: readonly string[], id: string): string | undefined;
}

/** A file that the source does not have any more, with the revision that it held. */
interface Restorable {
  readonly id: string;
  readonly commit: string;
  /** From the repository's root. */
  readonly gitFile: string;
  /** As the project names it; of SQL with its way back, where the commit has one. */
  readonly files: readonly string[];
  readonly parents: readonly string[];
  /** Other revisions that it needs beside its parents. */
  readonly dependsOn: readonly string[];
  readonly isSql: boolean;
}

/** A history that lost more than this is no accident of one file. */
const most = 20;

/** Each id that the source does not have, with the last commit that has its file; nothing where git knows none. */
export async function lostRevisions(
  ids: readonly string[],
  { tool, project }: Pick<LostContext, "tool" | "project">,
): Promise<UnknownRevision[]> {
  const lost: UnknownRevision[] = [];
  for (const id of ids) {
    const found = await lastFileOf(id, tool, project);
    lost.push({ id, lastCommit: found?.commit, file: found?.file });
  }
  return lost;
}

/**
 * The lines that bring a database and its source together again: the files restored, then either taken back or kept.
 * Undefined where git does not know all of what is missing.
 */
export async function mendLines(
  unknown: readonly UnknownRevision[],
  context: LostContext,
): Promise<MendLines | undefined> {
  if (unknown.length === 0 || context.project.unprovable !== undefined) return undefined;
  try {
    const missing = await missingFiles(unknown, context);
    return missing === undefined ? undefined : linesFor(missing, unknown, context);
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

function lastFileOf(id: string, tool: MigrationTool, { root }: ToolProject): Promise<LostFile | undefined> {
  return lastCommitWith(root, tool.revisionLine(id), tool.revisionFiles(id));
}

/** The files of these revisions and of what they need and the source lacks as well; those that come first, last. */
async function missingFiles(
  unknown: readonly UnknownRevision[],
  { tool, project, graph }: LostContext,
): Promise<Restorable[] | undefined> {
  const { root } = project;
  const paths = await gitPaths(root);
  const missing = new Map<string, Restorable>();
  const open = unknown.map(({ id, lastCommit, file }) => ({ id, hash: lastCommit?.hash, file }));
  for (const { id, hash, file } of open) {
    if (missing.has(id)) continue;
    if (hash === undefined || file === undefined || missing.size >= most) return undefined;
    const bytes = await gitBytes(root, ["show", `${hash}:${file}`]);
    const revision = tool.readOne(paths.shown(file.replace(/\.down\.sql$/, ".up.sql")), bytes);
    if (revision?.id !== id) return undefined;
    const { down } = revision.sql ?? {};
    const other = revision.sql?.byGate === true || down === undefined ? [] : [down];
    missing.set(id, {
      id,
      commit: hash,
      gitFile: file,
      files: [revision.location.file, ...((await isIn(root, hash, other.map(paths.of))) ? other : [])],
      parents: revision.parents.map((parent) => graph.resolve(parent)?.id ?? parent),
      dependsOn: revision.dependsOn,
      isSql: revision.sql !== undefined,
    });
    for (const name of [...revision.parents, ...revision.dependsOn]) {
      if (graph.resolve(name) !== undefined || missing.has(name)) continue;
      const found = await lastFileOf(name, tool, project);
      open.push({ id: name, hash: found?.commit.hash, file: found?.file });
    }
  }
  return [...missing.values()];
}

async function isIn(root: string, commit: string, [file]: readonly string[]): Promise<boolean> {
  if (file === undefined) return false;
  try {
    await gitBytes(root, ["cat-file", "-e", `${commit}:${file}`]);
    return true;
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
}

function linesFor(
  missing: readonly Restorable[],
  unknown: readonly UnknownRevision[],
  context: LostContext,
): MendLines {
  const { graph, project, run, tool } = context;
  const back = missing.map((one) => restoring(one, project.root));
  const commands = tool.commands(project);
  const lineOf = (words: readonly string[] | undefined) =>
    words === undefined ? [] : [[...run, ...words].map(shellWord).join(" ")];
  const parents = new Set(missing.flatMap((one) => one.parents));
  const isSql = missing.some((one) => one.isSql);
  const heads = [...unknown.map(({ id }) => id), ...graph.heads.filter((head) => !parents.has(head))];
  const mergeId = createHash("sha256").update(heads.join()).digest("hex").slice(0, 12);
  const merge = isSql || heads.length < 2 ? undefined : context.mergeLine(heads, mergeId);
  const there = isSql ? appliedInOrder(missing, context) : graph.applied([...parents, ...context.applied]);
  const upgrade = graph.revisions.every(({ id }) => there.has(id))
    ? []
    : lineOf(commands.upgrade(graph.heads.length > 1 ? "heads" : "head"));
  const put = back
    .flatMap(({ put }) => put)
    .map(shellWord)
    .join(" ");
  const message = shellWord(`Bring back ${unknown.map(({ id }) => id).join(", ")}`);
  const below = isSql ? downToKnown(missing, context) : downToParents(missing, unknown, context);
  // Of several databases the tool takes all down to the target, also one that is rightly above it.
  const targets = project.bind === undefined ? below : undefined;
  const downgrades = targets?.map((target) => lineOf(commands.downgrade(target)));
  return {
    restore: back.map(({ line }) => line),
    takeBack:
      downgrades === undefined || downgrades.some((lines) => lines.length === 0)
        ? undefined
        : [...downgrades.flat(), ...back.map(({ remove }) => remove), ...upgrade],
    keep: [
      ...(merge === undefined ? [] : [merge]),
      // What else is changed or staged is no part of it.
      `git add -- ${put} && git commit -m ${message} -- ${put}`,
      ...(merge === undefined ? [] : committing(mergeId)),
      ...(merge === undefined ? upgrade : lineOf(commands.upgrade("head"))),
    ],
  };
}

/** The lines that commit the revision of this id, whose file the tool names. */
function committing(id: string): string[] {
  const files = `${id} -- ':/*.py' | xargs -0 git`;
  return [`git grep --untracked -lz ${files} add --`, `git grep -lz ${files} commit -m 'Merge heads' --`];
}

/** By its rows; of a tool without any, all that comes before. */
function appliedInOrder(
  missing: readonly Restorable[],
  { tool, graph, applied }: LostContext,
): ReadonlySet<string> {
  if (tool.rows !== undefined) return new Set(applied);
  const isBefore = ({ id }: { readonly id: string }) =>
    missing.some((one) => compareVersions(id, one.id) < 0);
  return new Set(graph.revisions.filter(isBefore).map(({ id }) => id));
}

/** The files that are put back, the line that does it and the one that removes them again. Another revision may have its name by now. */
function restoring({ id, commit, gitFile, files }: Restorable, root: string) {
  const [file = ""] = files;
  const short = commit.slice(0, 12);
  const isThere = (name: string) => existsSync(path.join(root, name));
  // A way back that is still there may have been written since.
  const put = files.filter((name) => !isThere(name));
  const words = put.map(shellWord).join(" ");
  if (!isThere(file))
    return { put, line: `git checkout ${short} -- ${words}`, remove: `git rm -f -- ${words}` };
  const own = path.posix.join(path.posix.dirname(file), `${id}_restored${path.posix.extname(file)}`);
  return {
    put: [own],
    line: `git show ${shellWord(`${short}:${gitFile}`)} > ${shellWord(own)}`,
    remove: `rm ${shellWord(own)}`,
  };
}

/**
 * Alembic's targets: the parent, or so many steps below a head where the database has other heads that stay. Undefined
 * where what is missing is no plain chain.
 */
function downToParents(
  missing: readonly Restorable[],
  unknown: readonly UnknownRevision[],
  { applied }: LostContext,
): string[] | undefined {
  // A way down to the parent also takes what it depends on, where that came after the parent.
  if (missing.some(({ dependsOn }) => dependsOn.length > 0)) return undefined;
  const byId = new Map(missing.map((one) => [one.id, one]));
  const targets: string[] = [];
  for (const { id } of unknown) {
    let steps = 0;
    let parents: readonly string[] = [id];
    for (let next = byId.get(id); next !== undefined && byId.delete(next.id); steps += 1) {
      ({ parents } = next);
      next = parents.length === 1 ? byId.get(parents[0] ?? "") : undefined;
    }
    if (applied.length > 1 && parents.length > 1) return undefined;
    targets.push(applied.length > 1 ? `${id}@-${steps}` : (parents[0] ?? "base"));
  }
  return byId.size > 0 ? undefined : targets;
}

/** The version below, where every missing one has a way back and nothing that is known was applied after it. */
function downToKnown(missing: readonly Restorable[], { graph, applied }: LostContext): string[] | undefined {
  const lost = missing.map(({ id }) => id).sort(compareVersions);
  const [lowest = ""] = lost;
  const known = applied.filter((id) => !lost.includes(id));
  const hasWayBack = missing.every(({ files }) => files.length > 1);
  if (!hasWayBack || known.some((id) => compareVersions(id, lowest) > 0)) return undefined;
  const below = graph.revisions.filter(({ id }) => compareVersions(id, lowest) < 0).map(({ id }) => id);
  return [below.sort(compareVersions).at(-1) ?? "base"];
}
