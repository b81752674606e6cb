import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@lezer/python";
import { loadModule } from "libpg-query";
import { compareWithBase, isFileJudged, staticGraphFindings } from "../src/commands/compare";
import { readFindings } from "../src/findings/graph";
import { lintFindings } from "../src/findings/lint";
import { judgedRevisions } from "../src/lanes/judged";
import { readSettings } from "../src/project/read-settings";
import { buildGraph } from "../src/revisions/graph";
import { findProject, sourceOf } from "../src/tools/find-project";
import { toolNamed } from "../src/tools/index";
import { between, readUsage, type Usage } from "./cpu";

export interface StaticSample {
  readonly usage: Usage;
  /** Revisions under judgement, or files that were parsed. */
  readonly count: number;
}

/** What check does before it needs a database; `base` is a commit, or undefined for the whole history. */
export async function staticSample(path: string, base: string | undefined): Promise<StaticSample> {
  const start = readUsage([]);
  const settings = readSettings(
    ["--working-directory", path, ...(base === undefined ? [] : ["--base", base])],
    {},
  );
  const sqlParser = loadModule();
  const project = findProject(path, settings);
  const read = toolNamed(project.tool).read(project);
  const graph = buildGraph(read.revisions);
  await sqlParser;
  const history = await compareWithBase({ settings, environment: {} }, sourceOf(project), read.revisions);
  const judged = judgedRevisions(read.revisions, history, settings.history);
  staticGraphFindings(
    graph,
    { judged, mergeLine: (heads) => toolNamed(project.tool).mergeLine?.(project, heads) ?? "" },
    history,
  );
  readFindings(read.problems, isFileJudged(history, settings));
  lintFindings({ graph, judged, floor: undefined, bodyOf: read.body });
  return { usage: between(start, readUsage([])), count: judged.size };
}

/** The same files through the parser alone. */
export function parserSample(path: string): StaticSample {
  const start = readUsage([]);
  const folder = join(path, "migrations", "versions");
  let count = 0;
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".py")) continue;
    parser.parse(readFileSync(join(folder, file), "utf8"));
    count += 1;
  }
  return { usage: between(start, readUsage([])), count };
}
