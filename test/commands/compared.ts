import { loadModule } from "libpg-query";
import {
  compareWithBase,
  findingsOnHistory,
  isFileJudged,
  staticGraphFindings,
} from "../../src/commands/compare";
import { readFindings } from "../../src/findings/graph";
import { judgedRevisions } from "../../src/lanes/judged";
import { readSettings } from "../../src/project/read-settings";
import { buildGraph } from "../../src/revisions/graph";
import { findProject, sourceOf } from "../../src/tools/find-project";
import { toolNamed } from "../../src/tools/index";

/** What check knows of a project before any database: its history against main, and the findings on it. */
export async function compare(root: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  await loadModule();
  const settings = readSettings(["--working-directory", root, "--base", "main", ...args], {});
  const project = findProject(root, settings);
  const read = toolNamed(project.tool).read(project);
  const history = await compareWithBase({ settings, environment }, sourceOf(project), read.revisions);
  if (history === undefined) throw new Error("no base");
  const graph = buildGraph(read.revisions);
  const judged = judgedRevisions(read.revisions, history, settings.history);
  const findings = [
    ...staticGraphFindings(
      graph,
      { judged, mergeLine: (heads) => toolNamed(project.tool).mergeLine?.(project, heads) ?? "" },
      history,
    ),
    ...readFindings(read.problems, isFileJudged(history, settings)),
    ...(await findingsOnHistory({ settings, environment }, project, read, history)),
  ];
  return { history, judged, findings };
}
