import type { Graph } from "./graph";
import type { RevisionHistory } from "./history";

/**
 * The revisions that a change takes back, newest first: it removes them, nothing that stays needs them, and it adds and
 * edits no other. Undefined for any other change. `landed` is the graph of the base.
 */
export function takenBack(
  { states, deleted }: Pick<RevisionHistory, "states" | "deleted">,
  landed: Graph,
): readonly string[] | undefined {
  const gone = new Set(deleted.map(({ revision }) => revision.id));
  const isPlain = gone.size > 0 && [...states.values()].every((state) => state === "unchanged");
  const isClosed = [...gone].every((id) => landed.childrenOf(id).every((child) => gone.has(child)));
  if (!isPlain || !isClosed) return undefined;
  return landed.revisions
    .map(({ id }) => id)
    .filter((id) => gone.has(id))
    .reverse();
}
