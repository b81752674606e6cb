import type { Revision } from "../model/revision";
import { buildGraph, type Graph } from "./graph";
import type { RevisionHistory } from "./history";
import { linkInOrder } from "./in-order";

/** The graph of the base: every revision that has landed, as it was, and what the target has got since. */
export function landedGraph(
  { states, landed, deleted, target }: Pick<RevisionHistory, "states" | "landed" | "deleted" | "target">,
  revisions: readonly Revision[],
): Graph {
  const still = revisions
    .filter(({ id }) => states.get(id) !== "new")
    .map((revision) => landed.get(revision.id)?.revision ?? revision);
  const gone = deleted.map(({ revision }) => revision);
  const known = new Set([...still, ...gone].map(({ id }) => id));
  const theirs = target?.revisions.filter(({ id }) => !known.has(id)) ?? [];
  return buildGraph(linkInOrder([...still, ...gone, ...theirs]));
}
