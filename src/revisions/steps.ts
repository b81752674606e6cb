import type { Direction } from "../model/revision";
import type { Graph } from "./graph";

/**
 * What a change of the version table's content means.
 * - step: exactly this revision was applied or undone.
 * - intermediate: one write of several that make a step. Keep the heads from before it for the next call;
 *   one that is never completed is no step.
 * - same: the content did not change.
 * - several: more than one revision changed at once, or the content moved against the direction.
 * - unknown: ids that no revision file has.
 */
export type StepBetween =
  | { readonly kind: "step"; readonly revision: string }
  | { readonly kind: "intermediate" }
  | { readonly kind: "same" }
  | { readonly kind: "several"; readonly revisions: readonly string[] }
  | { readonly kind: "unknown"; readonly ids: readonly string[] };

/**
 * Tells which revision lies between two contents of the version table.
 *
 * Alembic (HeadMaintainer, 1.20.1) writes a merge as DELETEs, then one UPDATE, and undoes it with INSERTs, then one
 * UPDATE. A head that another head's depends_on implies is not in the table. So contents are compared by what they
 * imply as applied; on the way up a state that only lost heads, on the way down one that implies the same, or that
 * lacks only parents of the merge that is being undone, is a state between two writes.
 */
export function stepBetween(
  graph: Graph,
  lastHeads: readonly string[],
  newHeads: readonly string[],
  direction: Direction,
): StepBetween {
  const last = new Set(lastHeads);
  const now = new Set(newHeads);
  const unknown = [...new Set([...last, ...now])].filter((id) => graph.get(id) === undefined);
  if (unknown.length > 0) return { kind: "unknown", ids: unknown };
  if (last.size === now.size && isSubset(now, last)) return { kind: "same" };
  const plain = plainStep(graph, direction === "upgrade" ? last : now, direction === "upgrade" ? now : last);
  if (plain !== undefined) return { kind: "step", revision: plain };

  const before = graph.mark(lastHeads);
  const after = graph.mark(newHeads);
  const added: string[] = [];
  const removed: string[] = [];
  for (const [index, { id }] of graph.revisions.entries()) {
    if (before[index] === after[index]) continue;
    (after[index] === 1 ? added : removed).push(id);
  }
  const [wanted, unwanted] = direction === "upgrade" ? [added, removed] : [removed, added];
  const [first, ...others] = wanted;
  if (unwanted.length === 0 && first !== undefined && others.length === 0)
    return { kind: "step", revision: first };
  if (isIntermediate()) return { kind: "intermediate" };
  return { kind: "several", revisions: [...added, ...removed] };

  function isIntermediate(): boolean {
    if (added.length === 0 && removed.length === 0) return true;
    if (direction === "upgrade") return isSubset(now, last) && now.size > 0;
    if (added.length > 0 || now.size === 0) return false;
    return lastHeads.some((head) => {
      const rest = [...last].filter((id) => id !== head);
      const parents = graph.parentsOf(head);
      const isBegun = parents.length > 1 && parents.some((id) => now.has(id));
      return isBegun && isSubset(now, new Set([...rest, ...parents]));
    });
  }
}

/** The usual step, without a look at the whole graph: one head, and below it exactly what it needs. */
function plainStep(graph: Graph, below: ReadonlySet<string>, above: ReadonlySet<string>): string | undefined {
  const [head] = above;
  if (head === undefined || above.size > 1) return undefined;
  const parents = graph.parentsOf(head);
  return parents.length === below.size && isSubset(below, new Set(parents)) ? head : undefined;
}

function isSubset(part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean {
  return [...part].every((id) => whole.has(id));
}
