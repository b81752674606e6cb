import { UserError } from "../errors";
import { suggestion } from "../nearest";
import { commitOf } from "../project/commits";
import type { Graph } from "../revisions/graph";
import type { RevisionHistory } from "../revisions/history";

/** Where the deploy lane begins. */
export interface LaneStart {
  /** In words of the report. */
  readonly from: string;
  /** The commit whose files build the database. */
  readonly commit: string;
  /** The revisions to which they go; empty is that commit's head. */
  readonly targets: readonly string[];
  /** Why there is nothing to begin with. */
  readonly nothing?: string;
}

export interface StartWish {
  /** The project's root. */
  readonly root: string;
  /** The setting of that name. */
  readonly from: string | undefined;
  /** Applied heads, as the database that from-env names has them, and where they were read. */
  readonly read: { readonly heads: readonly string[]; readonly where: string } | undefined;
  readonly graph: Graph;
  readonly history: RevisionHistory | undefined;
}

/** By what was read, the setting `from` (a revision, else a commit or tag), else the merge base's head. Undefined where there is no base. */
export async function laneStart({
  root,
  from,
  read,
  graph,
  history,
}: StartWish): Promise<LaneStart | undefined> {
  if (read !== undefined) {
    const commit = history?.base.commit ?? (await commitOf(root, "HEAD"));
    if (commit === undefined) return undefined;
    const { heads, where } = read;
    const nothing =
      heads.length === 0 ? { nothing: `${where} has no revision applied: nothing is deployed yet` } : {};
    return { from: `${heads.join(", ") || "nothing"}, read at ${where}`, commit, targets: heads, ...nothing };
  }
  if (from === undefined) {
    if (history === undefined) return undefined;
    const { commit, source } = history.base;
    return { from: `${commit.slice(0, 10)}, the base commit (${source})`, commit, targets: [] };
  }
  const revision = graph.resolve(from);
  if (revision !== undefined) {
    const commit = history?.base.commit ?? (await commitOf(root, "HEAD"));
    if (commit !== undefined) return { from: `revision ${revision.id}`, commit, targets: [revision.id] };
  }
  const commit = await commitOf(root, from);
  if (commit !== undefined) return { from: `${from} (${commit.slice(0, 10)})`, commit, targets: [] };
  throw new UserError({
    what: `The setting from names "${from}", which is neither a revision of this project nor a commit or tag.`,
    where: root,
    do: `${suggestion(
      from,
      graph.revisions.map(({ id }) => id),
    )}Set it to what production has: a revision's id, or the tag that is deployed (fetch tags: actions/checkout with fetch-depth: 0).`,
  });
}
