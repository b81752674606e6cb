import { readFileSync } from "node:fs";
import path from "node:path";
import { type GraphJudgement, graphFindings } from "../findings/graph";
import { historyFindings } from "../findings/history";
import { nameFindings } from "../findings/revision-names";
import type { Finding } from "../model/finding";
import type { Revision } from "../model/revision";
import type { RevisionText } from "../operations/difference";
import { resolveBase } from "../project/base";
import { buildGraph, type Graph } from "../revisions/graph";
import { afterMerge, type RevisionHistory, type RevisionSource, readHistory } from "../revisions/history";
import type { Settings } from "../settings";
import { databaseVariable } from "../settings/binds";
import type { ReadRevisions, ToolProject } from "../tools/contract";
import { toolOf } from "../tools/index";
import { namedTable } from "../tools/named-table";
import { shellWord } from "../tools/shell-words";
import { environmentsOf } from "./taken-back";

/** The revisions against those of the base; undefined without a base. */
export async function compareWithBase(
  { settings, environment }: { readonly settings: Settings; readonly environment: NodeJS.ProcessEnv },
  source: RevisionSource,
  revisions: readonly Revision[],
): Promise<RevisionHistory | undefined> {
  const base = await resolveBase(source.root, settings.base, environment);
  return base === undefined ? undefined : await readHistory(source, revisions, base);
}

/** What the change did to landed revisions; where it takes some away, by what the listed environments hold. */
export async function findingsOnHistory(
  context: { readonly settings: Settings; readonly environment: NodeJS.ProcessEnv },
  project: ToolProject,
  read: Pick<ReadRevisions, "revisions" | "body">,
  history: RevisionHistory,
): Promise<Finding[]> {
  const { settings, environment } = context;
  const tool = toolOf(project);
  const bytesOf = ({ location }: Revision) => readFileSync(path.resolve(project.root, location.file));
  const landedTexts = new Map<string, RevisionText>();
  const table = namedTable(tool);
  const found = historyFindings({
    history,
    revisions: read.revisions,
    textOf: (revision) => ({
      text: bytesOf(revision).toString("utf8"),
      operations: read.body(revision).operations,
    }),
    landedTextOf({ revision, bytes }) {
      const known = landedTexts.get(revision.id) ?? {
        text: Buffer.from(bytes).toString("utf8"),
        operations: tool.readBody(revision.location.file, bytes, project.bind?.name).operations,
      };
      landedTexts.set(revision.id, known);
      return known;
    },
    stampLine(id) {
      const words = tool.commands(project).stamp;
      const run = tool.runWords(project, settings.run, environment.PATH);
      return words && [...run, ...words, "--purge", id].map(shellWord).join(" ");
    },
    rowStatements: (gone, there) => [
      ...gone.flatMap((id) => tool.rows?.deletion(table, id) ?? []),
      ...there.flatMap((revision) => tool.rows?.insertion(table, revision, bytesOf(revision)) ?? []),
    ],
    isApplied: (revision, checksum) => tool.rows?.compare(bytesOf(revision), checksum) === "same",
    databaseUrlEnv: databaseVariable(settings),
    environments: await environmentsOf(context, project, read.revisions, history),
  });
  return [...found, ...nameFindings(history, read.revisions, tool.fileTemplate?.(project))];
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
