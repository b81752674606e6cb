import { loadModule } from "libpg-query";
import { createIsolation } from "../src/executors/isolation";
import { lintFindings } from "../src/findings/lint";
import { proofFindings } from "../src/findings/proof";
import { beginForkServer } from "../src/lanes/fork-server";
import { proveOnEmptyDatabase } from "../src/lanes/fresh-lane";
import { judgedRevisions } from "../src/lanes/judged";
import { replayLegs } from "../src/lanes/replay-lane";
import { readSettings } from "../src/project/read-settings";
import { buildGraph } from "../src/revisions/graph";
import { startShadow } from "../src/shadow/start";
import { findProject } from "../src/tools/find-project";
import { toolNamed } from "../src/tools/index";
import { withPython } from "../test/support/project";
import { between, peakMemory, readUsage, sum, type Usage } from "./cpu";

export interface LaneSample {
  readonly static: Usage;
  readonly shadowStart: Usage;
  /** The harmless status command that must be seen arriving. */
  readonly current: Usage;
  /** The three ways of the tool with recorder and snapshots, the databases made for them included. */
  readonly lane: Usage;
  readonly replay: Usage;
  readonly memory: number;
  /** Steps that were proved; fewer than two a revision means that something else was measured. */
  readonly proved: number;
  readonly statements: number;
  readonly boundaries: number;
  /** Milliseconds while the tool waited for snapshots. */
  readonly injection: number;
}

/** What the command check does, with a reading of the clocks between its parts. */
export async function laneSample(path: string): Promise<LaneSample> {
  const start = readUsage([]);
  const environment = withPython();
  const settings = readSettings(["--working-directory", path], {});
  await loadModule();
  const project = findProject(path, settings);
  const tool = toolNamed(project.tool);
  const { revisions, body: bodyOf } = tool.read(project);
  const graph = buildGraph(revisions);
  const judged = judgedRevisions(revisions, undefined);
  // Before the lane every file under judgement was read whole, for its rules.
  lintFindings({ graph, judged, floor: undefined, bodyOf });
  const read = readUsage([]);
  await using shadow = await startShadow({});
  await using isolation = await createIsolation();
  const run = tool.runWords(project, undefined, environment.PATH);
  const address = { databaseUrlEnv: "DATABASE_URL", databaseUrlFormat: "postgresql", env: [] };
  await using forkServer = await beginForkServer(
    { tool, project, run, isolation, environment, address },
    false,
  );
  const now = () => readUsage(shadow.processes(), forkServer?.pid);
  const started = now();

  // The tool's commands are asked for right before each start: first `current`, then the first upgrade.
  const asked: Usage[] = [];
  const commands: typeof tool.commands = (of) => {
    if (asked.length < 2) asked.push(now());
    return tool.commands(of);
  };
  const lane = {
    shadow,
    isolation,
    forkServer,
    tool: { ...tool, commands },
    project,
    run,
    graph,
    address,
    setup: undefined,
    toolTimeoutMs: 600_000,
    environment,
    progress: () => undefined,
  };
  const result = await proveOnEmptyDatabase(lane, { judged, floor: undefined });
  proofFindings(result.facts, { graph, judged, seenBy: "bench" });
  const proved = now();
  await replayLegs(lane, result.legs, judged);
  const replayed = now();
  const [beforeCurrent = started, afterCurrent = started] = asked;
  const boundaries = result.legs.flatMap((leg) => leg.recording.boundaries);
  return {
    static: between(start, read),
    shadowStart: between(read, started),
    current: between(beforeCurrent, afterCurrent),
    lane: sum([between(started, beforeCurrent), between(afterCurrent, proved)]),
    replay: between(proved, replayed),
    memory: peakMemory(),
    proved: result.steps.filter(({ status }) => status === "proved").length,
    statements: result.legs.reduce((count, leg) => count + leg.recording.statements.length, 0),
    boundaries: boundaries.length,
    injection: boundaries.reduce((total, { milliseconds }) => total + milliseconds, 0),
  };
}
