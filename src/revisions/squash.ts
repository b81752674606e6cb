import type { Revision } from "../model/revision";
import { landedGraph } from "./as-landed";
import { buildGraph, type Graph } from "./graph";
import type { RevisionHistory } from "./history";

/** Several landed revisions that became fewer. */
export interface Squash {
  /** Every landed revision whose work went into another text, parents first: gone ones and rewritten ones. */
  readonly squashed: readonly Revision[];
  /** Those of them that are not there any more. */
  readonly gone: readonly Revision[];
  /** Those of them whose id, or version, was kept for other content. */
  readonly rewritten: readonly Revision[];
  /** What took the place, as it is now, parents first: new ones and rewritten ones. */
  readonly into: readonly Revision[];
  /** The new ones of these. */
  readonly added: readonly Revision[];
  /** Landed revisions of which nothing was edited but the parent, which the squash took away. */
  readonly followers: readonly string[];
  /** The newest of `squashed`: a database that has all of them, and nothing later, is at these. */
  readonly tops: readonly string[];
}

/** What is known of the content of revisions. */
export interface SquashEvidence {
  /** Objects on which the upgrade of a landed revision worked, e.g. `column users.name`. */
  landedObjects(id: string): ReadonlySet<string>;
  /** The same of what the upgrade does now and did not do when it landed; of a new revision all. */
  addedObjects(id: string): ReadonlySet<string>;
  /** Those of them that it makes, and, of an edited one, those that it made once and makes no longer. */
  takenObjects(id: string): ReadonlySet<string>;
  /** True where an edited revision does what it did. */
  doesTheSame(id: string): boolean;
}

/** The squashes of a change. A revision that only got another id is none, and one that is only gone is none. */
export function findSquashes(
  history: RevisionHistory,
  revisions: readonly Revision[],
  evidence: SquashEvidence,
): Squash[] {
  if (history.deleted.length === 0) return [];
  const landed = landedGraph(history, revisions);
  const inOrder = revisions.every(({ sql }) => sql !== undefined);
  const search = { history, evidence, landed, now: buildGraph(revisions) };
  return inOrder ? inVersions(search) : componentsOf(search).flatMap((part) => inLinks(search, part) ?? []);
}

/** Where the order is that of the versions: fewer files, and some of them do what those did that are gone. */
function inVersions({ history, evidence, landed, now }: Search): Squash[] {
  const gone = landed.revisions.filter(({ id }) => isGone(history, id));
  const objects = union(gone.map(({ id }) => evidence.landedObjects(id)));
  const takesOver = ({ id }: Revision) => overlaps(evidence.takenObjects(id), objects);
  const edited = now.revisions.filter(
    ({ id }) => history.states.get(id) === "edited" && !history.editedOnly.has(id),
  );
  const repeats = new Set(history.deleted.flatMap((each) => (each.isRepeated ? [each.renumbered] : [])));
  const added = now.revisions.filter(
    (revision) =>
      history.states.get(revision.id) === "new" && !repeats.has(revision.id) && takesOver(revision),
  );
  const isFewer = added.length < gone.length;
  if (!isFewer || !(added.length > 0 || edited.some(takesOver))) return [];
  const into = new Set([...edited, ...added]);
  return [
    squashOf(
      { history, landed },
      gone,
      now.revisions.filter((revision) => into.has(revision)),
      [],
    ),
  ];
}

interface Search {
  readonly history: RevisionHistory;
  readonly evidence: SquashEvidence;
  readonly landed: Graph;
  readonly now: Graph;
}

/**
 * Where files name their parents: one new revision stands where two or more were, or an edited one stands there as well
 * and does more than it did, or begins the history now.
 */
function inLinks({ history, evidence, landed, now }: Search, part: ReadonlySet<string>): Squash | undefined {
  const gone = landed.revisions.filter(({ id }) => part.has(id) && isGone(history, id));
  const objects = union(gone.map(({ id }) => evidence.landedObjects(id)));
  const standsFor = (ids: ReadonlySet<string>) => {
    const below = new Set([...ids].flatMap((id) => landed.parentsOf(id)).filter((id) => !ids.has(id)));
    return ({ parents }: Revision) => parents.length === below.size && parents.every((id) => below.has(id));
  };
  const mayDo = ({ id }: Revision) => {
    const own = evidence.addedObjects(id);
    return own.size === 0 || objects.size === 0 || overlaps(own, objects);
  };
  const goneIds = new Set(gone.map(({ id }) => id));
  const roots = now.revisions.filter(
    (revision) =>
      history.states.get(revision.id) === "new" && standsFor(goneIds)(revision) && mayDo(revision),
  );
  const byNew = gone.length > 1 && roots.length === 1;
  const rewritten = now.revisions.filter(({ id }) => part.has(id) && !goneIds.has(id));
  const [root] = byNew ? roots : rewritten.filter(standsFor(part));
  if (root === undefined) return undefined;
  // Where the work was parted among several that follow each other.
  const into = new Set([root.id]);
  for (const id of into)
    for (const next of [...now.parentsOf(id), ...now.childrenOf(id)])
      if (history.states.get(next) !== "unchanged" && overlaps(evidence.takenObjects(next), objects))
        into.add(next);
  if (!byNew) for (const { id } of rewritten) into.add(id);
  const squashed = new Set([...goneIds, ...into]);
  const followers = now.revisions
    .filter(({ id }) => history.states.get(id) === "edited" && !into.has(id) && evidence.doesTheSame(id))
    .filter(({ id, parents }) => {
      const before = landed.parentsOf(id).filter((parent) => !parents.includes(parent));
      const after = parents.filter((parent) => !landed.parentsOf(id).includes(parent));
      return before.every((parent) => squashed.has(parent)) && after.every((parent) => into.has(parent));
    });
  return squashOf(
    { history, landed },
    gone,
    now.revisions.filter(({ id }) => into.has(id)),
    followers.map(({ id }) => id),
  );
}

/** Revisions that are gone or do more than they did, as far as they hang together. */
function componentsOf({ history, evidence, landed, now }: Search): Set<string>[] {
  const bases = new Set(now.bases);
  // A history that starts anew at one that was in the middle, whatever that one does now.
  const isNewBase = (id: string): boolean => {
    const below = [...landed.ancestors(id)].filter((each) => each !== id);
    return bases.has(id) && below.length > 0 && below.every((each) => isGone(history, each));
  };
  const objects = union(history.deleted.map(({ revision }) => evidence.landedObjects(revision.id)));
  const isPart = (id: string): boolean =>
    isGone(history, id) ||
    (history.states.get(id) === "edited" && (isNewBase(id) || overlaps(evidence.takenObjects(id), objects)));
  const open = new Set(landed.revisions.map(({ id }) => id).filter(isPart));
  const parts: Set<string>[] = [];
  for (const start of open) {
    const part = new Set([start]);
    for (const id of part) {
      open.delete(id);
      for (const next of [...landed.parentsOf(id), ...landed.childrenOf(id)])
        if (open.has(next)) part.add(next);
    }
    parts.push(part);
  }
  return parts.filter((part) => [...part].some((id) => isGone(history, id)));
}

function squashOf(
  { history, landed }: Pick<Search, "history" | "landed">,
  gone: readonly Revision[],
  into: readonly Revision[],
  followers: readonly string[],
): Squash {
  const isNew = ({ id }: Revision) => history.states.get(id) === "new";
  const kept = new Set(into.filter((revision) => !isNew(revision)).map(({ id }) => id));
  const ids = new Set([...gone.map(({ id }) => id), ...kept]);
  const squashed = landed.revisions.filter(({ id }) => ids.has(id));
  const rewritten = squashed.filter(({ id }) => kept.has(id));
  const tops = squashed.filter(({ id }) => !landed.childrenOf(id).some((child) => ids.has(child)));
  return {
    squashed,
    gone,
    rewritten,
    into,
    added: into.filter(isNew),
    followers,
    tops: tops.map(({ id }) => id),
  };
}

function isGone({ deleted }: RevisionHistory, id: string): boolean {
  return deleted.some(({ revision, isRepeated }) => revision.id === id && !isRepeated);
}

function union(sets: readonly ReadonlySet<string>[]): Set<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

function overlaps(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return [...one].some((each) => other.has(each));
}
