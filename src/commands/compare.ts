import { type GraphJudgement, graphFindings } from "../findings/graph";
import type { Finding } from "../model/finding";
import type { Revision } from "../model/revision";
import { resolveBase } from "../project/base";
import { buildGraph, type Graph } from "../revisions/graph";
import { afterMerge, type RevisionHistory, type RevisionSource, readHistory } from "../revisions/history";
import type { Settings } from "../settings";

/** The revisions against those of the base; undefined without a base. */
export async function compareWithBase(
  { settings, environment }: { readonly settings: Settings; readonly environment: NodeJS.ProcessEnv },
  source: RevisionSource,
  revisions: readonly Revision[],
): Promise<RevisionHistory | undefined> {
  const base = await resolveBase(source.root, settings.base, environment);
  return base === undefined ? undefined : await readHistory(source, revisions, base);
}

/** Problems of the graph as it is, and as it will be once it is merged into a target that has gone on. */
export function staticGraphFindings(
  graph: Graph,
  known: Pick<GraphJudgement, "judged" | "mergeLine">,
  history: RevisionHistory | undefined,
): Finding[] {
  if (history === undefined) return graphFindings(graph, known);
  const { target, states } = history;
  const theirs = new Set(target?.revisions.map(({ id }) => id));
  return graphFindings(graph, {
    ...known,
    isTargets: (id) => states.get(id) === "unchanged" || theirs.has(id),
    ...(target === undefined
      ? {}
      : { merged: { tip: target.tip, graph: buildGraph(afterMerge(graph.revisions, target)) } }),
  });
}

/** Whether what is wrong with a file decides the verdict. */
export function isFileJudged(
  history: RevisionHistory | undefined,
  settings: Settings,
): (file: string) => boolean {
  return history === undefined || settings.history === "all" ? () => true : history.isChanged;
}
