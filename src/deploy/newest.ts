import { UserError } from "../errors";
import type { Revision } from "../model/revision";
import type { Graph } from "../revisions/graph";
import { headsOf } from "./goal";

/** What taking back the newest revision leads to. */
export interface Newest {
  readonly revision: Revision;
  /** Every revision that stays applied. */
  readonly applied: ReadonlySet<string>;
  readonly heads: readonly string[];
}

/** The one revision of a database that can be taken back next. A UserError where it has none, or more than one. */
export function newestOf(graph: Graph, heads: readonly string[]): Newest {
  const applied = graph.applied(heads);
  const tips = [...applied].filter((id) => !graph.childrenOf(id).some((child) => applied.has(child)));
  const [id, ...others] = tips;
  const revision = id === undefined ? undefined : graph.get(id);
  if (revision === undefined) {
    throw new UserError({
      what: "The database has no revision that could be taken back.",
      do: "migration-gate status shows what it has.",
    });
  }
  if (others.length > 0) {
    throw new UserError({
      what: `The database has ${tips.length} heads, and nothing says which of them is to be taken back.`,
      seen: tips.join(", "),
      do: "Merge them and apply the merge; a rollback then takes the merge back, and its branches one by one by the tool itself.",
    });
  }
  applied.delete(revision.id);
  return { revision, applied, heads: headsOf(graph, applied) };
}
