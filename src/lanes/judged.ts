import type { Revision } from "../model/revision";
import { changedFiles } from "../project/changes";

/**
 * The revisions that decide the verdict: those whose file is new or edited since the merge base with `base`, and
 * without a base all of them.
 */
export async function judgedRevisions(
  root: string,
  revisions: readonly Revision[],
  base: string | undefined,
): Promise<ReadonlySet<string>> {
  if (base === undefined) return new Set(revisions.map(({ id }) => id));
  const changes = await changedFiles(root, base);
  const moved = changes.renamed.filter(({ exact }) => !exact).map(({ to }) => to);
  const files = new Set([...changes.added, ...changes.modified, ...moved]);
  return new Set(revisions.filter(({ location }) => files.has(location.file)).map(({ id }) => id));
}
