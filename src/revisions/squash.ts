import type { Revision } from "../model/revision";
import { landedGraph } from "./as-landed";
import type { Graph } from "./graph";
import type { RevisionHistory } from "./history";

/** Several landed revisions that became fewer. */
export interface Squash {
  /** Every landed revision whose work went into another text, parents first: gone ones and rewritten ones. */
  readonly squashed: readonly Revision[];
  /** Those of them that are not there any more. */
  readonly gone: readonly Revision[];
  /** Those of them whose id, or version, was kept for other content. */
  readonly rewritten: readonly Revision[];
  /** New revisions that took the place. */
  readonly added: readonly Revision[];
  /** Landed revisions of which nothing was edited but the parent, which the squash took away. */
  readonly followers: readonly string[];
  /** The newest of `squashed`: a database that has all of them, and nothing later, is at these. */
  readonly tops: readonly string[];
}

/** What is known of the content of revisions. */
export interface SquashEvidence {
  /** Tables that the upgrade of a landed revision named. */
  landedTables(id: string): ReadonlySet<string>;
  /** Tables of what the upgrade does now and did not do when it landed; of a new revision all. */
  addedTables(id: string): ReadonlySet<string>;
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
  return inOrder
    ? inVersions(history, revisions, evidence, landed)
    : componentsOf(history, evidence, landed).flatMap(
        (part) => inLinks({ history, revisions, evidence, landed }, part) ?? [],
      );
}

/** Where the order is that of the versions: fewer files, and some of them do what those did that are gone. */
function inVersions(
  history: RevisionHistory,
  revisions: readonly Revision[],
  evidence: SquashEvidence,
  landed: Graph,
): Squash[] {
  const gone = landed.revisions.filter(({ id }) => isGone(history, id));
  const tables = union(gone.map(({ id }) => evidence.landedTables(id)));
  const takesOver = ({ id }: Revision) => overlaps(evidence.addedTables(id), tables);
  const edited = revisions.filter(
    ({ id }) => history.states.get(id) === "edited" && !history.editedOnly.has(id),
  );
  const repeats = new Set(history.deleted.flatMap((each) => (each.isRepeated ? [each.renumbered] : [])));
  const added = revisions.filter(
    (revision) =>
      history.states.get(revision.id) === "new" && !repeats.has(revision.id) && takesOver(revision),
  );
  const isFewer = added.length < gone.length;
  if (!isFewer || !(added.length > 0 || edited.some(takesOver))) return [];
  return [squashOf(landed, gone, edited, added, [])];
}

interface Search {
  readonly history: RevisionHistory;
  readonly revisions: readonly Revision[];
  readonly evidence: SquashEvidence;
  readonly landed: Graph;
}

/**
 * Where files name their parents: one new revision stands where two or more were, or an edited one stands there as well
 * and does more than it did.
 */
function inLinks(
  { history, revisions, evidence, landed }: Search,
  part: ReadonlySet<string>,
): Squash | undefined {
  const gone = landed.revisions.filter(({ id }) => part.has(id) && isGone(history, id));
  const tables = union(gone.map(({ id }) => evidence.landedTables(id)));
  const standsFor = (ids: ReadonlySet<string>) => {
    const below = new Set([...ids].flatMap((id) => landed.parentsOf(id)).filter((id) => !ids.has(id)));
    return ({ parents }: Revision) => parents.length === below.size && parents.every((id) => below.has(id));
  };
  const mayDo = ({ id }: Revision) => {
    const own = evidence.addedTables(id);
    return own.size === 0 || tables.size === 0 || overlaps(own, tables);
  };
  const goneIds = new Set(gone.map(({ id }) => id));
  const added = revisions.filter(
    (revision) =>
      history.states.get(revision.id) === "new" && standsFor(goneIds)(revision) && mayDo(revision),
  );
  const rewritten = revisions.filter(({ id }) => part.has(id) && !goneIds.has(id));
  const byNew = gone.length > 1 && added.length === 1;
  if (!byNew && !rewritten.some(standsFor(part))) return undefined;
  const members = byNew ? [] : rewritten;
  const into = new Set([...(byNew ? added : []), ...members].map(({ id }) => id));
  const squashed = new Set([...goneIds, ...members.map(({ id }) => id)]);
  const followers = revisions
    .filter(({ id }) => history.states.get(id) === "edited" && !squashed.has(id) && evidence.doesTheSame(id))
    .filter(({ id, parents }) => {
      const before = landed.parentsOf(id).filter((parent) => !parents.includes(parent));
      const now = parents.filter((parent) => !landed.parentsOf(id).includes(parent));
      return before.every((parent) => squashed.has(parent)) && now.every((parent) => into.has(parent));
    });
  return squashOf(
    landed,
    gone,
    members,
    byNew ? added : [],
    followers.map(({ id }) => id),
  );
}

/** Revisions that are gone or do more than they did, as far as they hang together. */
function componentsOf(history: RevisionHistory, evidence: SquashEvidence, landed: Graph): Set<string>[] {
  const tables = union(history.deleted.map(({ revision }) => evidence.landedTables(revision.id)));
  const isPart = (id: string): boolean =>
    isGone(history, id) ||
    (history.states.get(id) === "edited" && overlaps(evidence.addedTables(id), tables));
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
  landed: Graph,
  gone: readonly Revision[],
  rewritten: readonly Revision[],
  added: readonly Revision[],
  followers: readonly string[],
): Squash {
  const ids = new Set([...gone, ...rewritten].map(({ id }) => id));
  const squashed = landed.revisions.filter(({ id }) => ids.has(id));
  const tops = squashed.filter(({ id }) => !landed.childrenOf(id).some((child) => ids.has(child)));
  return { squashed, gone, rewritten, added, followers, tops: tops.map(({ id }) => id) };
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
