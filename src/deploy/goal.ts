import { UserError } from "../errors";
import type { Revision } from "../model/revision";
import { suggestion } from "../nearest";
import type { Graph } from "../revisions/graph";

/** Where an upgrade is to end. */
export interface Goal {
  /** The tool's argument. */
  readonly target: string;
  /** Every revision that is to be applied in the end. */
  readonly applied: ReadonlySet<string>;
  /** Those that are not yet, parents first. */
  readonly pending: readonly Revision[];
  /** What the version table is to hold, as far as links of parents tell. */
  readonly heads: readonly string[];
}

/** The goal `to` of a database at `heads`, all of which the graph has. A UserError where it is none, or lies behind. */
export function goalOf(graph: Graph, heads: readonly string[], to: string | undefined): Goal {
  const target = targetOf(graph, to);
  const before = graph.applied(heads);
  const wanted = graph.applied(target.ids);
  const pending = graph.revisions.filter(({ id }) => wanted.has(id) && !before.has(id));
  const [only] = target.ids;
  if (to !== undefined && pending.length === 0 && only !== undefined && !isGoalOf(graph, heads, target.ids))
    throw behind(graph, heads, only);
  const applied = new Set([...before, ...wanted]);
  return { target: target.word, applied, pending, heads: headsOf(graph, applied) };
}

/** True where the version table's content stands for exactly these revisions. */
export function isAt(graph: Graph, heads: readonly string[], applied: ReadonlySet<string>): boolean {
  const found = graph.applied(heads);
  return found.size === applied.size && [...found].every((id) => applied.has(id));
}

function isGoalOf(graph: Graph, heads: readonly string[], ids: readonly string[]): boolean {
  const tips = headsOf(graph, graph.applied(heads));
  return ids.every((id) => tips.includes(id) || heads.includes(id));
}

function targetOf(graph: Graph, to: string | undefined): { word: string; ids: readonly string[] } {
  const { heads } = graph;
  if (to === "heads") return { word: "heads", ids: heads };
  if (to === undefined || to === "head") {
    if (heads.length === 1) return { word: "head", ids: heads };
    throw new UserError({
      what: `The source has ${heads.length} heads, and nothing says to which one to go.`,
      seen: heads.join(", "),
      why: "Two changes each added a revision after the same one; which of them comes first was never decided.",
      do: "Merge them and deploy that commit (migration-gate check has the line), or set to: one of them, or heads for all.",
    });
  }
  // Alembic's `label@head`, and the same by a revision of the branch.
  const branch = /^(.+)@heads?$/.exec(to)?.[1];
  const root = branch === undefined ? undefined : graph.resolve(branch);
  const tips = root === undefined ? [] : heads.filter((id) => graph.ancestors(id).has(root.id));
  const revision = tips.length === 1 ? graph.get(tips[0] ?? "") : graph.resolve(to);
  if (revision !== undefined) return { word: revision.id, ids: [revision.id] };
  const ids = graph.revisions.map(({ id }) => id);
  throw new UserError({
    what: `"${to}" is no revision of this project.`,
    do: `${suggestion(to, ids)}Set to to the id of a revision, the start of one, a label, label@head, or to head.`,
  });
}

function behind(graph: Graph, heads: readonly string[], id: string): UserError {
  const later = [...graph.applied(heads)].filter((each) => each !== id && graph.ancestors(each).has(id));
  return new UserError({
    what: `The database is past ${id} already; apply only goes forward.`,
    seen: `It is at ${heads.join(", ")}, ${later.length} ${later.length === 1 ? "revision" : "revisions"} further.`,
    do: "Deploy a release that has these revisions; to take the newest one back: migration-gate rollback",
  });
}

/** Ids that no applied revision names as its parent, sorted. */
export function headsOf(graph: Graph, applied: ReadonlySet<string>): string[] {
  const parents = new Set(graph.revisions.flatMap((each) => (applied.has(each.id) ? each.parents : [])));
  return [...applied].filter((id) => !parents.has(id)).sort();
}
