import type { RowSnapshot } from "../model/rows";
import type { Graph } from "../revisions/graph";
import type { Leg, Stage } from "./stage";

/** From the database that is there to the change's head, and back as far as it goes. */
export interface DeployWay {
  /** What the database does not have yet, in the order in which it is applied. */
  readonly pending: readonly string[];
  /** What the tool is told to go up to. */
  readonly top: string;
  /** What it is told to go down to; undefined where not even the last revision can be taken back. */
  readonly floor: string | undefined;
  /** Pending revisions that are not taken back, and why. */
  readonly staying: ReadonlyMap<string, string>;
  /** What the change brings below the database's head, where the tool goes by versions: it comes first, and stays. */
  readonly below: Below | undefined;
}

export interface Below {
  readonly revisions: readonly string[];
  /** The database's head: going up to it applies them and nothing else. */
  readonly target: string;
}

/** `limit` is the setting floor, resolved: what is at or below it stays. `hasLanded` tells what the base's files have. */
export function deployWay(
  graph: Graph,
  heads: readonly string[],
  limit: string | undefined,
  hasLanded: (id: string) => boolean,
): DeployWay {
  return { ...wayAbove(graph, heads, limit), below: broughtBelow(graph, heads, hasLanded) };
}

/** Alembic would take them for applied: there only its version table can tell. */
function broughtBelow(
  graph: Graph,
  heads: readonly string[],
  hasLanded: (id: string) => boolean,
): Below | undefined {
  const [target] = heads;
  const applied = graph.applied(heads);
  const revisions = graph.revisions
    .filter(({ id, sql }) => sql !== undefined && applied.has(id) && !hasLanded(id))
    .map(({ id }) => id);
  return target === undefined || revisions.length === 0 ? undefined : { revisions, target };
}

function wayAbove(
  graph: Graph,
  heads: readonly string[],
  limit: string | undefined,
): Omit<DeployWay, "below"> {
  const applied = graph.applied(heads);
  const pending = graph.revisions.filter(({ id }) => !applied.has(id)).map(({ id }) => id);
  const top = graph.heads.length === 1 ? "head" : "heads";
  const barrier = pending.findLast((id) => barrierOf(graph, id, limit) !== undefined);
  const staying = new Map<string, string>();
  if (barrier !== undefined) {
    const below = graph.ancestors(barrier);
    for (const id of pending.filter((each) => below.has(each)))
      staying.set(id, barrierOf(graph, id, limit) ?? `it is below ${barrier}, which stays`);
    return { pending, top, floor: graph.heads.includes(barrier) ? undefined : barrier, staying };
  }
  const roots = pending.filter((id) => graph.parentsOf(id).every((parent) => applied.has(parent)));
  const [floor, ...others] = new Set(roots.map((id) => targetBelow(graph, id, applied)));
  if (others.length === 0) return { pending, top, floor, staying };
  for (const id of pending)
    staying.set(id, `the change begins at ${roots.length} places, and no one target is below all of them`);
  return { pending, top, floor: undefined, staying };
}

/**
 * What the tool is told in order to take back this revision and what needs it, and nothing else of what is applied. Alembic
 * takes every child of a target back, so that a parent with another child is named with the branch: `<revision>@<parent>`.
 */
export function targetBelow(graph: Graph, revision: string, applied: ReadonlySet<string>): string {
  const parents = graph.get(revision)?.parents ?? [];
  const isOnly = (siblings: readonly string[]) => siblings.every((id) => id === revision || !applied.has(id));
  const alone = parents.find((parent) => isOnly(graph.childrenOf(parent)));
  if (alone !== undefined) return alone;
  const [parent] = parents;
  if (parent !== undefined) return `${revision}@${parent}`;
  const bases = graph.revisions.filter(({ parents: own }) => own.length === 0).map(({ id }) => id);
  return isOnly(bases) ? "base" : `${revision}@base`;
}

/** Why a revision cannot be taken back; undefined where it can. */
function barrierOf(graph: Graph, id: string, limit: string | undefined): string | undefined {
  const revision = graph.get(id);
  if (limit !== undefined && graph.ancestors(limit).has(id)) return `at or below the floor ${limit}`;
  if (revision?.downgrade?.irreversible !== undefined)
    return `irreversible: ${revision.downgrade.irreversible || "without a reason"}`;
  if (revision?.sql !== undefined && revision.downgrade === undefined)
    return "it has no file that takes it back";
  return undefined;
}

/** The way over what is below, with the rows before it. */
export interface WentBelow {
  readonly leg: Leg;
  readonly before: RowSnapshot;
}

/** Goes over what the change brings below the database's head, which the version table's head does not tell. */
export async function goBelow(
  stage: Stage,
  { below }: DeployWay,
  look: () => Promise<RowSnapshot>,
): Promise<WentBelow | undefined> {
  if (below === undefined) return undefined;
  const before = await look();
  return { leg: await stage.go("upgrade", below.target), before };
}
