import { loadModule } from "libpg-query";
import type { Proved } from "../deploy/plan";
import { UserError } from "../errors";
import { terminateForGood } from "../executors/families";
import type { Isolation } from "../executors/isolation";
import { keyOfStep, knownSteps } from "../findings/known-steps";
import { type FreshLaneResult, proveOnEmptyDatabase } from "../lanes/fresh-lane";
import { replayLegs } from "../lanes/replay-lane";
import type { Revision } from "../model/revision";
import type { ShadowReport, Step } from "../model/verdict";
import type { Graph } from "../revisions/graph";
import type { Settings } from "../settings";
import { databaseVariable } from "../settings/binds";
import { registerCleanup } from "../shadow/cleanup";
import type { ShadowOptions, ShadowServer } from "../shadow/server";
import { startShadow } from "../shadow/start";
import type { MigrationTool, ToolProject } from "../tools/contract";
import type { BesideFreshLane, DeployLaneOutcome, KeptCluster, RemoveKept } from "./deploy-lane";
import { prepareStarts } from "./tool-starts";

export interface ProveContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  progress(text: string): void;
}

export interface ToProve {
  readonly tool: MigrationTool;
  readonly project: ToolProject;
  readonly graph: Graph;
  /** Revisions whose every step must be settled. */
  readonly judged: ReadonlySet<string>;
  /** Downgrades are supported down to this revision; undefined is base. */
  readonly floor: string | undefined;
  /** How far up it goes; undefined is every head. */
  readonly top?: string | undefined;
}

export interface Proof {
  readonly result: FreshLaneResult;
  readonly shadow: ShadowReport;
  /** With the statements of judged revisions, replayed for their locks. */
  readonly steps: readonly Step[];
  /** Undefined where the deploy lane was not asked for. */
  readonly deployed: DeployLaneOutcome | undefined;
}

/**
 * Upgrade, downgrade and upgrade on a shadow database, then every statement alone; beside it, where there is a base, the same
 * on a database as production has it. The shadows are gone afterwards.
 */
export async function prove(
  { settings, environment, progress }: ProveContext,
  { tool, project, graph, judged, floor, top }: ToProve,
  clock: Clock = new Clock(),
  beside?: (context: BesideFreshLane) => Promise<DeployLaneOutcome>,
): Promise<Proof> {
  progress("starting the shadow database");
  const options = shadowOptions(settings, progress);
  // What begins beside the server has to end with the gate as well.
  await using _beginning = commandsEndBySignal();
  const run = tool.runWords(project, settings.run, environment.PATH);
  const address = {
    databaseUrlEnv: databaseVariable(settings),
    databaseUrlFormat: settings["database-url-format"],
    env: settings.env,
  };
  const beginning = prepareStarts(settings, { tool, project, run, environment, address });
  // It may fail while the server starts.
  beginning.catch(() => undefined);
  await using shadow = await startShadow(options).catch(async (error: unknown) => {
    await (await beginning.catch(() => undefined))?.[Symbol.asyncDispose]();
    throw error;
  });
  // Registered after the server, so ended before it.
  await using _commands = commandsEndBySignal();
  await using starts = await beginning;
  const { isolation, forkServer } = starts;
  clock.stop("shadow start");
  const lane = {
    shadow,
    isolation,
    forkServer,
    tool,
    project,
    run,
    graph,
    address,
    versionTable: settings["version-table"],
    setup: settings.setup,
    toolTimeoutMs: settings["tool-timeout"] * 1000,
    environment,
    progress,
  };
  let onArrival = (): void => undefined;
  const arrival = new Promise<void>((resolve) => {
    onArrival = resolve;
  });
  const freshLane = clock.measure("fresh lane", () =>
    proveOnEmptyDatabase(lane, { judged, floor, top, onArrival }),
  );
  const arrived = Promise.race([arrival, freshLane.then(() => undefined)]);
  // The other lane may have ended, or not have come to it: a rejection that nobody awaits ends the process.
  arrived.catch(() => undefined);
  const replayed = freshLane.then(async (result) => {
    progress("replaying statements for their locks");
    return { result, statements: await clock.measure("replay", () => replayLegs(lane, result.legs, judged)) };
  });
  const deployLane =
    beside === undefined
      ? undefined
      : clock.measure("deploy lane", () =>
          beside({
            lane: { ...lane, progress: (text) => progress(`deploy lane: ${text}`) },
            fresh: {
              arrived,
              failsToo: async (failure) => knownSteps((await freshLane).facts).failed.has(keyOfStep(failure)),
            },
            openServer: (kept, remove) => serverForDeployLane(shadow, options, replayed, kept, remove),
          }),
        );
  // Both have to end before their servers do, whatever the other one met.
  const [fresh, deployed] = await Promise.allSettled([replayed, deployLane]);
  if (fresh.status === "rejected") throw fresh.reason;
  if (deployed.status === "rejected") throw deployed.reason;
  const { result, statements } = fresh.value;
  const report = describeShadow(shadow, settings["postgres-version"], isolation);
  return { result, shadow: report, steps: stepsWith(result, statements, judged), deployed: deployed.value };
}

function shadowOptions(settings: Settings, progress: (text: string) => void): ShadowOptions {
  return {
    ...(settings["shadow-url"] === undefined ? {} : { shadowUrl: settings["shadow-url"] }),
    ...(settings["postgres-version"] === undefined ? {} : { production: settings["postgres-version"] }),
    ...(settings.shadow === "auto" ? {} : { only: settings.shadow }),
    onProgress: progress,
  };
}

/**
 * Roles belong to a whole server, and both lanes run revisions that make them: a private server of its own, or the given one
 * when the fresh lane has ended.
 */
async function serverForDeployLane(
  shadow: ShadowServer,
  options: ShadowOptions,
  freshLane: Promise<unknown>,
  kept: KeptCluster,
  remove: RemoveKept,
): Promise<ShadowServer> {
  if (shadow.kind === "given") {
    await freshLane;
    return { ...shadow, [Symbol.asyncDispose]: async () => undefined };
  }
  try {
    return await startShadow({ ...options, keptCluster: kept });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await remove(shadow);
    return await startShadow(options);
  }
}

/** Proves a few revisions, for what a plan or a rollback wants to know of them; what is above `top` is left out. */
export async function proveRevisions(
  context: ProveContext,
  { tool, project, graph }: Pick<ToProve, "tool" | "project" | "graph">,
  revisions: readonly Revision[],
  top?: string,
): Promise<Proved> {
  await loadModule();
  const judged = new Set(revisions.map(({ id }) => id));
  context.progress(`proving ${revisions.map(({ id }) => id).join(", ")} on a shadow database`);
  const proof = await prove(
    { ...context, progress: () => undefined },
    { tool, project, graph, judged, floor: undefined, top },
  );
  return {
    ...proof,
    isBookkeeping: (sql) => tool.versionWrites(sql).length > 0 || tool.readsVersions(sql),
  };
}

/** Ends the tool when a signal ends the gate. */
function commandsEndBySignal(): AsyncDisposable {
  const unregister = registerCleanup({ run: terminateForGood, runNow: () => undefined });
  return { [Symbol.asyncDispose]: async () => unregister() };
}

function stepsWith(
  result: FreshLaneResult,
  statements: ReadonlyMap<string, Step["statements"]>,
  judged: ReadonlySet<string>,
): Step[] {
  return result.steps.map((step) => ({
    ...step,
    judged: judged.has(step.revision),
    statements: statements.get(`${step.direction} ${step.revision}`) ?? [],
  }));
}

function describeShadow(
  shadow: ShadowServer,
  production: number | undefined,
  isolation: Isolation,
): ShadowReport {
  return {
    kind: shadow.kind,
    version: shadow.version,
    major: shadow.major,
    production,
    matchesProduction: production === undefined ? undefined : production === shadow.major,
    isolation:
      isolation.kind === "none"
        ? `the seen arrival of its status command only (no network namespace: ${isolation.reason})`
        : "a network namespace, and the seen arrival of its status command",
  };
}

/** Milliseconds from one stop to the next. */
export class Clock {
  readonly timings: Record<string, number> = {};
  private last = performance.now();

  stop(name: string): void {
    const now = performance.now();
    this.timings[name] = Math.round(now - this.last);
    this.last = now;
  }

  /** Of work that other work may run beside. */
  async measure<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.last = performance.now();
      this.timings[name] = Math.round(this.last - started);
    }
  }
}
