import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Revision } from "../model/revision";
import type { RevisionState } from "../model/verdict";
import type { Base } from "../project/base";
import { changedFiles, type FileChange } from "../project/changes";
import {
  contentsOf,
  filesOfCommit,
  foldersOfCommit,
  type GitPaths,
  gitPaths,
  trackedFiles,
} from "../project/tree";
import { linkInOrder } from "./in-order";
import { renumberings } from "./renumbered";

/** Where a project's revisions are and how one is read: what history must know of the migration tool. */
export interface RevisionSource {
  /** Absolute. */
  readonly root: string;
  readonly revisionFolders: readonly string[];
  readonly recursive: boolean;
  /** False where the tool compares the bytes of what it applied, and these differ: other line ends are another text. */
  sameBytes(one: Uint8Array, other: Uint8Array): boolean;
  /** What a file means whatever its formatting and comments; undefined where that cannot be told, or every byte counts. */
  readonly meaningOf?: ((bytes: Uint8Array) => string | undefined) | undefined;
  /** Absolute: files that say where the revisions are. */
  readonly configFiles: readonly string[];
  /** Absolute: files that decide how every revision runs. */
  readonly environmentFiles: readonly string[];
  /** Absolute: folders of what revisions may read beside themselves. */
  readonly environmentFolders: readonly string[];
  /** Undefined where the file is no revision's. */
  readOne(file: string, bytes: Uint8Array): Revision | undefined;
  /** The folders that the configuration names in a copy of the project; undefined where it names none. */
  openCopy(root: string): Pick<RevisionSource, "revisionFolders" | "recursive"> | undefined;
}

/** A revision of the base that is not there any more. */
export interface DeletedRevision {
  readonly revision: Revision;
  /** The id that its file, or one that says the same, has now; undefined where there is none. */
  readonly renumbered: string | undefined;
  /** True where that one says the same but for the ids. */
  readonly isRepeated: boolean;
}

/** A revision as the base has it. */
export interface LandedRevision {
  readonly revision: Revision;
  readonly bytes: Uint8Array;
}

/** What the change did to the revisions since the base. Files are relative to the project's root. */
export interface RevisionHistory {
  readonly base: Base;
  readonly states: ReadonlyMap<string, RevisionState>;
  /** A hash of the text that each edited revision has now, whatever its line ends. */
  readonly edited: ReadonlyMap<string, string>;
  /** What alone was edited, where it was not the text of the upgrade. */
  readonly editedOnly: ReadonlyMap<string, "line ends" | "way back">;
  readonly deleted: readonly DeletedRevision[];
  /** Revisions as the base has them, where their file was touched or moved. */
  readonly landed: ReadonlyMap<string, LandedRevision>;
  /** Revisions whose file the repository's index does not have. */
  readonly untracked: readonly string[];
  /** Files that decide how revisions run, where the change touched them. */
  readonly environment: readonly string[];
  /** Files beside the revisions that the base has and the change touched: landed revisions may read them. */
  readonly besides: readonly string[];
  /** True for a file that was added or touched. */
  isChanged(file: string): boolean;
  /** What the target has since the base, and the change does not. */
  readonly target: TargetSide | undefined;
}

export interface TargetSide {
  readonly tip: string;
  /** Revisions that it added or changed, where the change did not. */
  readonly revisions: readonly Revision[];
  /** Ids of revisions whose file it deleted, moved or changed, and the change left as it was. */
  readonly replaced: ReadonlySet<string>;
}

/** Compares the revisions as they are now with those of the base. */
export async function readHistory(
  source: RevisionSource,
  revisions: readonly Revision[],
  base: Base,
): Promise<RevisionHistory> {
  const { root } = source;
  const [paths, changes] = await Promise.all([gitPaths(root), changedFiles(root, base.commit)]);
  const now = { folders: source.revisionFolders.map(paths.of), recursive: source.recursive };
  const places = revisions.map((revision) => ({ revision, path: paths.of(revision.location.file) }));
  const changed = new Map(changes.map((change) => [change.path, change]));
  const before = await placesBefore(source, paths, base.commit, now, changed);
  const [tree, tracked] = await Promise.all([
    filesOfCommit(root, base.commit, [
      ...new Set([...now.folders, ...before.folders, ...places.map(folderOf)]),
    ]),
    trackedFiles(root, [...new Set([...now.folders, ...places.map(folderOf)])]),
  ]);
  const { landed, folders } = await landedRevisions({ source, paths, changes, tree, before, places });
  const wasRevision = (place: string): boolean => isIn({ ...before, folders }, place);

  const states = new Map<string, RevisionState>();
  const edited = new Map<string, string>();
  const editedOnly = new Map<string, "line ends" | "way back">();
  for (const { revision, path: place } of places) {
    const back = wayBack(revision, place);
    const backChange = back === undefined ? undefined : changed.get(back);
    const old = landed.get(revision.id);
    // A link leads out of the version folders. Elsewhere, a folder that is listed only now has only new revisions.
    const wasListed = tree.has(place) && (isIn(before, place) || !isIn(now, place));
    // Of two files with one id, the one that is new counts.
    const isAsItWas = wasListed && !changed.has(place);
    if (isAsItWas && backChange === undefined)
      states.set(revision.id, states.get(revision.id) ?? "unchanged");
    else if (old === undefined && !isAsItWas) states.set(revision.id, "new");
    else {
      const bytes = readFileSync(path.resolve(root, revision.location.file));
      const text = plainText(bytes);
      const sameText =
        old === undefined || text === plainText(old.bytes) || meansTheSame(source, bytes, old.bytes);
      const sameBytes = old === undefined || source.sameBytes(bytes, old.bytes);
      const isMovedWithIt =
        old !== undefined && old.path !== place && (await hasSameBack(source, old, revision, tree));
      const sameBack = backChange?.before === undefined || isMovedWithIt;
      const isSame = sameText && sameBytes && (backChange === undefined || isMovedWithIt);
      states.set(revision.id, isSame ? "unchanged" : "edited");
      // A way back that was not there before is judged, and nothing that landed was edited.
      if (sameText && sameBytes && sameBack) continue;
      const hash = createHash("sha256").update(text, "latin1");
      if (!sameBack) hash.update(`\0${textOf(path.resolve(root, revision.sql?.down ?? ""))}`, "latin1");
      edited.set(revision.id, hash.digest("hex"));
      if (sameText) editedOnly.set(revision.id, sameBytes ? "way back" : "line ends");
    }
  }
  const idNow = new Map(places.map(({ revision, path: place }) => [place, revision.id]));
  const gone = [...landed.values()].filter(
    ({ revision, path: place }) => !states.has(revision.id) && wasRevision(place),
  );
  const repeated = renumberings(
    source.meaningOf,
    gone,
    places
      .filter(({ revision }) => gone.length > 0 && states.get(revision.id) === "new")
      .map(({ revision }) => ({
        revision,
        bytes: readFileSync(path.resolve(root, revision.location.file)),
      })),
  );
  const deleted = gone.map(({ revision, path: place }) => ({
    revision,
    renumbered: repeated.get(revision.id) ?? idNow.get(place),
    isRepeated: repeated.has(revision.id),
  }));
  const isUntracked = ({ path: place }: Placed) => !tracked.has(place);
  return {
    base,
    states,
    edited,
    editedOnly,
    deleted,
    landed,
    untracked: places.filter(isUntracked).map(({ revision }) => revision.id),
    environment: source.environmentFiles
      .map(paths.of)
      .filter((file) => changed.has(file))
      .map(paths.shown),
    besides: besidesOf(source, paths, changes, [...landed.values(), ...places]).map(paths.shown),
    isChanged: (file) => changed.has(paths.of(file)) || !tree.has(paths.of(file)),
    target: await targetSide({ source, paths, base, changed, before, idNow }),
  };
}

/** Templates, texts for people and what Python compiles are read by no revision. */
const unread = /(?:\.(?:mako|md|rst|pyc)|(?:^|\/)README[^/]*)$/i;

function besidesOf(
  source: RevisionSource,
  paths: GitPaths,
  changes: readonly FileChange[],
  revisions: readonly Placed[],
): string[] {
  const others = new Set([
    ...revisions.map(({ path: place }) => place),
    ...[...source.environmentFiles, ...source.configFiles].map(paths.of),
  ]);
  const folders = { folders: source.environmentFolders.map(paths.of), recursive: true };
  return changes
    .filter(({ path: place, before }) => before !== undefined && isIn(folders, place))
    .map(({ path: place }) => place)
    .filter((place) => !others.has(place) && !unread.test(place));
}

interface Placed {
  readonly revision: Revision;
  /** As git names it. */
  readonly path: string;
}

interface Places {
  readonly folders: readonly string[];
  readonly recursive: boolean;
}

interface Landed extends Placed {
  readonly bytes: Buffer;
}

/**
 * Revisions of the base whose file is not just as it was: changed, gone, in a folder that is no version folder any more,
 * or moved from elsewhere with the whole project. The others have the id that they have now.
 */
async function landedRevisions(given: {
  readonly source: RevisionSource;
  readonly paths: GitPaths;
  readonly changes: readonly FileChange[];
  readonly tree: ReadonlyMap<string, string>;
  readonly before: Places;
  readonly places: readonly Placed[];
}): Promise<{ readonly landed: ReadonlyMap<string, Landed>; readonly folders: readonly string[] }> {
  const { source, paths, changes, tree, before, places } = given;
  const placesNow = new Set(places.map(({ path: place }) => place));
  const added = new Set(
    places.filter(({ path: place }) => !tree.has(place)).map(({ path: place }) => baseName(place)),
  );
  const wanted = new Map<string, string>();
  for (const { path: place, before: id } of changes) {
    const mayBe = isIn(before, place) || placesNow.has(place) || added.has(baseName(place));
    if (id !== undefined && mayBe) wanted.set(place, id);
  }
  for (const [place, id] of tree) if (isIn(before, place) && !placesNow.has(place)) wanted.set(place, id);

  const found = await readAll(source, paths, wanted);
  const ids = new Set(places.map(({ revision }) => revision.id));
  const movedFrom = found.filter(({ path: place, revision }) => !isIn(before, place) && ids.has(revision.id));
  const more = [...new Set(movedFrom.map(folderOf))];
  const unread = changes.flatMap(({ path: place, before: id }) =>
    id !== undefined && !wanted.has(place) && more.includes(folderOf({ path: place }))
      ? [[place, id] as const]
      : [],
  );
  found.push(...(await readAll(source, paths, new Map(unread))));
  return {
    landed: new Map(found.map((landed) => [landed.revision.id, landed])),
    folders: [...before.folders, ...more],
  };
}

async function readAll(
  source: RevisionSource,
  paths: GitPaths,
  wanted: ReadonlyMap<string, string>,
): Promise<Landed[]> {
  const contents = await contentsOf(source.root, [...wanted.values()]);
  return [...wanted].flatMap(([place, id]) => {
    const bytes = contents.get(id);
    const revision = bytes === undefined ? undefined : source.readOne(paths.shown(place), bytes);
    return bytes === undefined || revision === undefined ? [] : { revision, path: place, bytes };
  });
}

/** The version folders of the base. They are today's, unless the configuration was changed. */
async function placesBefore(
  source: RevisionSource,
  paths: GitPaths,
  commit: string,
  now: Places,
  changed: ReadonlyMap<string, FileChange>,
): Promise<Places> {
  const configs = source.configFiles.map(paths.of);
  if (!configs.some((file) => changed.has(file))) return now;
  // A copy of the configuration in a skeleton of folders is all that the tool needs to name them.
  const copy = mkdtempSync(path.join(tmpdir(), "migration-gate-base-"));
  try {
    const files = await filesOfCommit(source.root, commit, configs);
    const contents = await contentsOf(source.root, [...files.values()]);
    const skeleton = await foldersOfCommit(source.root, commit, paths.prefix);
    for (const folder of ["", paths.prefix, ...skeleton].filter(staysInside))
      mkdirSync(path.join(copy, folder), { recursive: true });
    for (const [file, id] of files) writeFileSync(path.join(copy, file), contents.get(id) ?? "");
    const opened = source.openCopy(path.join(copy, paths.prefix));
    if (opened === undefined) return now;
    const folders = opened.revisionFolders.map((folder) =>
      path.relative(copy, folder).split(path.sep).join("/"),
    );
    return { folders, recursive: opened.recursive };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function targetSide(given: {
  readonly source: RevisionSource;
  readonly paths: GitPaths;
  readonly base: Base;
  readonly changed: ReadonlyMap<string, FileChange>;
  readonly before: Places;
  readonly idNow: ReadonlyMap<string, string>;
}): Promise<TargetSide | undefined> {
  const { source, paths, changed, before, idNow } = given;
  const { commit, tip } = given.base;
  if (tip === undefined || tip === commit) return undefined;
  const theirs = (await changedFiles(source.root, commit, tip)).filter(
    ({ path: place }) => isIn(before, place) && !changed.has(place),
  );
  const wanted = theirs.flatMap(({ path: place, after }) =>
    after === undefined ? [] : [[place, after] as const],
  );
  const found = await readAll(source, paths, new Map(wanted));
  return {
    tip,
    revisions: found.map(({ revision }) => revision),
    replaced: new Set(theirs.flatMap(({ path: place }) => idNow.get(place) ?? [])),
  };
}

/** The revisions as they will be once the change is merged into the target. */
export function afterMerge(revisions: readonly Revision[], target: TargetSide): Revision[] {
  return linkInOrder([...revisions.filter(({ id }) => !target.replaced.has(id)), ...target.revisions]);
}

function meansTheSame({ meaningOf }: RevisionSource, one: Uint8Array, other: Uint8Array): boolean {
  const meaning = meaningOf?.(one);
  return meaning !== undefined && meaning === meaningOf?.(other);
}

function textOf(file: string): string {
  return existsSync(file) ? plainText(readFileSync(file)) : "";
}

/** A way back that was moved together with its way up. */
async function hasSameBack(
  source: RevisionSource,
  old: Placed,
  { sql }: Revision,
  tree: ReadonlyMap<string, string>,
): Promise<boolean> {
  const id = tree.get(wayBack(old.revision, old.path) ?? "");
  const file = path.resolve(source.root, sql?.down ?? "");
  if (id === undefined || sql?.down === undefined || !existsSync(file)) return false;
  const before = (await contentsOf(source.root, [id])).get(id);
  return before !== undefined && plainText(before) === textOf(file);
}

/** The file of a SQL revision's downgrade, as git names it, whether it is there or not. */
function wayBack({ sql, location }: Revision, place: string): string | undefined {
  if (sql?.down === undefined) return undefined;
  const beside = path.posix.relative(path.posix.dirname(location.file), sql.down);
  return path.posix.join(folderOf({ path: place }), beside);
}

/** A commit that was made by hand may hold any name. */
function staysInside(place: string): boolean {
  return !place.split("/").includes("..");
}

function isIn({ folders, recursive }: Places, place: string): boolean {
  const own = folderOf({ path: place });
  return folders.some(
    (folder) => own === folder || (recursive && (folder === "" || own.startsWith(`${folder}/`))),
  );
}

function folderOf({ path: place }: Pick<Placed, "path">): string {
  const folder = path.posix.dirname(place);
  return folder === "." ? "" : folder;
}

function baseName(place: string): string {
  return path.posix.basename(place);
}

/** Git may check a file out with other line ends than it stored. */
function plainText(bytes: Buffer): string {
  return bytes.toString("latin1").replaceAll("\r\n", "\n");
}
