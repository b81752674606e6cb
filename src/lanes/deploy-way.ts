import type { Graph } from "../revisions/graph";

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
}

/** `limit` is the setting floor, resolved: what is at or below it stays. */
export function deployWay(graph: Graph, heads: readonly string[], limit: string | undefined): DeployWay {
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
  const last = [...applied].filter((id) => !graph.childrenOf(id).some((child) => applied.has(child)));
  if (last.length <= 1) return { pending, top, floor: last[0] ?? "base", staying };
  // On one of several heads alone: that head names its own branch, and leaves the others.
  const roots = new Set(pending.flatMap((id) => [...graph.parentsOf(id), ...rootOf(graph, id)]));
  for (const id of pending) roots.delete(id);
  const [root, ...others] = roots;
  if (root !== undefined && others.length === 0 && last.includes(root))
    return { pending, top, floor: root, staying };
  // Several heads that the change joins: one step back is the only way that names none of them, and names nothing else.
  const [only, ...more] = pending;
  if (only !== undefined && more.length === 0 && graph.heads.length === 1)
    return { pending, top, floor: "-1", staying };
  for (const id of pending)
    staying.set(id, `the base has ${last.length} heads, and no one target below the change`);
  return { pending, top, floor: undefined, staying };
}

/** A new beginning has no parent by which it could be taken back alone. */
function rootOf(graph: Graph, id: string): string[] {
  return graph.parentsOf(id).length === 0 ? ["base"] : [];
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
