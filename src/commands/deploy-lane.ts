import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { readCatalog } from "../databases/postgres/catalog/full-read";
import { catalogSession } from "../databases/postgres/catalog/session";
import { type Address, connect } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { isFatal } from "../findings/graph";
import { type BuildOptions, buildBase, fillBase, NotBuilt, obstacleOf } from "../lanes/base-database";
import { environmentOfBase } from "../lanes/base-environment";
import { type BaseTree, openBaseTree } from "../lanes/base-tree";
import { type DeployLaneResult, type FreshKnowledge, proveOnDeployed } from "../lanes/deploy-lane";
import { type KeptBase, KeptBases } from "../lanes/kept-base";
import type { BaseDatabase, FilledDatabase } from "../lanes/lane-rows";
import type { RowHints } from "../lanes/row-hints";
import type { LaneContext } from "../lanes/stage";
import { goBack, takenBack } from "../lanes/take-back";
import type { Catalog } from "../model/catalog";
import type { LaneObstacle, RowLevel } from "../model/deploy-lane";
import type { RowSettings } from "../model/row-settings";
import { GitError } from "../project/git";
import { buildGraph, type Graph } from "../revisions/graph";
import type { Settings } from "../settings";
import { databaseVariable } from "../settings/binds";
import { cacheKey } from "../shadow/cache";
import type { ShadowDatabase, ShadowServer } from "../shadow/server";
import type { ToolProject } from "../tools/contract";
import { findProject, sourceOf, withSettingsOf } from "../tools/find-project";
import { toolOf } from "../tools/index";
import { version } from "../version";
import type { LaneStart } from "./lane-start";
import { loadSeed } from "./seed-from";
import { verifyOn } from "./verify-on";

/** What the fresh lane shares with the lane beside it. */
export interface BesideFreshLane {
  /** The change's own lane, whose shadow is replaced. */
  readonly lane: LaneContext;
  readonly fresh: FreshKnowledge;
  /** A server for this lane: a private one of its own, started with a kept cluster where there is one, else the given one. */
  openServer(kept: KeptCluster, remove: RemoveKept): Promise<ShadowServer>;
}

/** What the deploy lane is run with. */
export interface DeployLaneContext extends BesideFreshLane {
  readonly settings: Settings;
  readonly start: LaneStart;
  readonly floor: string | undefined;
  /** What the project says of the rows. */
  readonly rows: RowSettings | undefined;
  /** The change has no revision that is new or edited. */
  readonly isNothingNew: boolean;
  /** Revisions of this project are in the start's commit, wherever its files lie there. */
  readonly hasLanded: boolean;
  /** Revisions that the start's commit cannot have: the change brings them. */
  readonly brought: ReadonlySet<string>;
  /** Whose rows settle what depends on rows. */
  readonly asked: Address | undefined;
}

export type KeptCluster = (server: Pick<ShadowServer, "kind" | "version">) => Promise<string | undefined>;

/** For a kept cluster that does not start. */
export type RemoveKept = (server: Pick<ShadowServer, "kind" | "version">) => Promise<void>;

/** How the lane ended. */
export type DeployLaneOutcome =
  | {
      readonly kind: "ran";
      readonly result: DeployLaneResult;
      readonly base: BaseDatabase;
      readonly kept: boolean;
      /** As in KeptBase. */
      readonly differs: readonly string[] | undefined;
      /** Of the base, where the change took revisions back that it does not have. */
      readonly graph?: Graph;
    }
  | { readonly kind: "not proved"; readonly obstacle: LaneObstacle }
  | { readonly kind: "skipped"; readonly reason: string };

/** Builds the base or takes the kept one, and proves the change on it. Never throws for what the base's files do. */
export async function runDeployLane(context: DeployLaneContext): Promise<DeployLaneOutcome> {
  const { lane, start } = context;
  if (start.nothing !== undefined) return { kind: "skipped", reason: start.nothing };
  try {
    await using tree = await openBaseTree(lane.project.root, start.commit);
    const opened = openBase(context, tree);
    return "kind" in opened ? opened : await onServer(context, tree, opened);
  } catch (error) {
    const obstacle = obstacleIn(error);
    if (obstacle === undefined) throw error;
    return { kind: "not proved", obstacle };
  }
}

/** What keeps this lane from running is no reason to lose what the fresh lane saw. Undefined for a bug. */
function obstacleIn(error: unknown): LaneObstacle | undefined {
  if (error instanceof NotBuilt) return error.obstacle;
  if (error instanceof GitError) {
    return {
      cause: "environment",
      reason: `git could not write the base's files: ${error.message}`,
      do: "Check out with the whole history (actions/checkout: fetch-depth: 0), and with what its filters need (lfs: true).",
    };
  }
  return error instanceof UserError ? obstacleOf(error, "environment") : undefined;
}

/** What is applied already would be judged by nobody. */
function leadsOut(id: string): LaneObstacle {
  return {
    cause: "settings",
    reason: `the base's files lead to revision "${id}", which the change brings`,
    do: "Let links and script_location name their places relative to the project, so that another checkout of it has its own revisions.",
  };
}

interface Opened {
  readonly project: ToolProject;
  readonly graph: Graph;
}

function openBase(context: DeployLaneContext, tree: BaseTree): Opened | DeployLaneOutcome {
  const { lane } = context;
  const project = sourceOf(lane.project).openCopy(tree.root) ?? elsewhere(tree, lane.project);
  if (project === undefined && context.hasLanded) {
    const reason =
      "the base has landed revisions, and no one project where they are: the change moves its folder";
    const advice =
      "Merge the move by itself, before the revisions: then the base has the project where it is.";
    return { kind: "not proved", obstacle: { cause: "settings", reason, do: advice } };
  }
  if (project === undefined)
    return { kind: "skipped", reason: "the base has no migrations: nothing is deployed yet" };
  const bind = lane.project.bind?.name;
  if (bind !== undefined && bind !== "" && project.bind === undefined && project.unprovable === undefined)
    return {
      kind: "skipped",
      reason: `the base has no database "${bind}": nothing is deployed there yet`,
    };
  const { revisions } = toolOf(project).read(project);
  if (revisions.length === 0)
    return { kind: "skipped", reason: "the base has no revisions: nothing is deployed yet" };
  const strange = revisions.find(({ id }) => context.brought.has(id));
  if (strange !== undefined) return { kind: "not proved", obstacle: leadsOut(strange.id) };
  const graph = buildGraph(revisions);
  const problem = graph.problems.find(isFatal);
  if (problem === undefined && project.unprovable === undefined) return { project, graph };
  return {
    kind: "not proved",
    obstacle: {
      cause: "migration",
      reason: project.unprovable?.reason ?? "the base's history cannot be loaded",
      do: project.unprovable?.do ?? "Mend the base's branch; until then the fresh lane's verdict stands.",
    },
  };
}

/** The only project of this tool in the base, where the change moved its folder. */
function elsewhere({ top }: BaseTree, project: ToolProject): ToolProject | undefined {
  const { tool, section } = project;
  try {
    return withSettingsOf(findProject(top, { tool, section }), project);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function onServer(
  context: DeployLaneContext,
  tree: BaseTree,
  opened: Opened,
): Promise<DeployLaneOutcome> {
  const { lane } = context;
  const { project } = opened;
  const bases = await keptBases(context);
  const fixed = [
    version,
    programHash(),
    process.arch,
    tree.id,
    path.relative(tree.root, project.root),
    ...dependsOn(context, tree),
  ];
  const keyFor = ({ kind, version: server }: Pick<ShadowServer, "kind" | "version">): string =>
    cacheKey([kind, server, ...fixed]);
  // Of the cluster that the server was started with: by then another check may have kept another one.
  let found: KeptBase | undefined;
  await using server = await context.openServer(
    async (wanted) => {
      const last = await bases?.find(keyFor(wanted));
      found = last;
      return last?.cluster;
    },
    async (wanted) => {
      found = undefined;
      await bases?.remove(keyFor(wanted));
    },
  );
  const isKept = found !== undefined;
  const kept = found ?? (await makeBase(context, tree, opened, server));
  if (!isKept)
    await bases?.keep(keyFor(server), server, kept).catch((error: unknown) => lane.progress(notKept(error)));
  const { base, hostile } = kept;
  const copies = new Map<RowLevel, Promise<FilledDatabase>>([["hostile", Promise.resolve(hostile)]]);
  const { rows } = context;
  const copy = (level: RowLevel, hints?: RowHints): Promise<FilledDatabase> => {
    const filling = { settings: rows, beside: isSown(context), ...(hints === undefined ? {} : { hints }) };
    const made = copies.get(level) ?? fillBase(server, base, level, filling);
    copies.set(level, made);
    return made;
  };
  // What else is gone from the change, the tool itself will say.
  const back = context.isNothingNew ? takenBack(opened.graph, lane.graph) : undefined;
  if (back !== undefined) {
    await context.fresh.arrived;
    const result = await goBack(baseContext(context, tree, opened, server), base, hostile, back);
    return { kind: "ran", result, base, kept: isKept, differs: kept.differs, graph: opened.graph };
  }
  const result = await proveOnDeployed(
    { ...lane, shadow: server },
    {
      base,
      copy,
      fresh: context.fresh,
      floor: context.floor,
      rows,
      hasLanded: (id) => opened.graph.get(id) !== undefined,
    },
  );
  const { asked } = context;
  const facts = asked === undefined ? result.facts : await verifyOn(asked, result.facts);
  return { kind: "ran", result: { ...result, facts }, base, kept: isKept, differs: kept.differs };
}

/** The project puts rows of its own in. */
function isSown({ settings }: DeployLaneContext): boolean {
  return settings.seed !== undefined;
}

/** It only saves time: undefined where there is no place for it. What came from production stays nowhere. */
async function keptBases({ lane, settings }: DeployLaneContext): Promise<KeptBases | undefined> {
  if (settings["seed-from"] !== undefined) return undefined;
  try {
    return await KeptBases.open();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    lane.progress(notKept(error));
    return undefined;
  }
}

function notKept(error: unknown): string {
  return `the base is not kept for the next run: ${error instanceof Error ? error.message : error}`;
}

/** The base at its head, with and without rows, on this server. */
async function makeBase(
  context: DeployLaneContext,
  tree: BaseTree,
  opened: Opened,
  server: ShadowServer,
): Promise<KeptBase> {
  const { lane, settings, start } = context;
  const options: BuildOptions = {
    context: baseContext(context, tree, opened, server),
    targets: start.targets,
    load: seedLoader(context, server),
    seed: besideBase(settings.seed, opened.project.root, lane.project.root),
  };
  const base = await buildBase(options);
  lane.progress("filling the base's tables");
  const hostile = await fillBase(server, base, "hostile", {
    settings: context.rows,
    beside: isSown(context),
  });
  return { base, hostile, differs: options.load === undefined ? [] : await differences(options, base) };
}

/** The tool on the base's files. */
function baseContext(
  { lane, settings }: DeployLaneContext,
  tree: BaseTree,
  { project, graph }: Opened,
  server: ShadowServer,
): LaneContext {
  const tool = toolOf(project);
  const environment = tree.environment(lane.environment);
  return {
    ...lane,
    shadow: server,
    tool,
    project,
    graph,
    environment,
    setup: besideBase(lane.setup, project.root, lane.project.root),
    run: tool.runWords(project, settings.run, environment.PATH),
    progress: (text) => lane.progress(`on the base's files: ${text}`),
  };
}

/** What production has otherwise than its own revisions make is not the change's doing. */
async function differences(options: BuildOptions, base: BaseDatabase): Promise<string[] | undefined> {
  const { shadow } = options.context;
  try {
    const plain = await buildBase({ ...options, load: undefined, seed: undefined, targets: base.heads });
    const [theirs, own] = await Promise.all([catalogOf(shadow, base), catalogOf(shadow, plain)]);
    return [...new Set([...theirs.keys(), ...own.keys()])].filter((key) => theirs.get(key) !== own.get(key));
  } catch (error) {
    if (error instanceof NotBuilt) return undefined;
    throw error;
  }
}

async function catalogOf(shadow: ShadowServer, { name, versionTable }: BaseDatabase): Promise<Catalog> {
  const client = await connect({ ...shadow.address, database: name }, { applicationName: "migration-gate" });
  try {
    const { schema, table } = versionTable ?? {};
    return await readCatalog(
      catalogSession(client),
      schema === undefined || table === undefined ? undefined : { schema, table },
    );
  } finally {
    await client.end();
  }
}

/** What decides, beside the base's files and the server, what its database holds. */
function dependsOn({ settings, start, lane, rows }: DeployLaneContext, tree: BaseTree): unknown[] {
  const { setup, seed, env } = settings;
  return [
    start.targets,
    lane.run,
    [lane.project.words?.apply, lane.project.otherSources],
    [databaseVariable(settings), settings["database-url-format"], env, lane.project.bind],
    [setup, seed].map((name) => [name, fileOf(name, [tree.root, lane.project.root])]),
    settings.section ?? "",
    [settings["run-apply"], settings["other-sources"]],
    environmentOfBase(lane.project.root, lane.run, lane.environment),
    [rows?.default, rows?.tables.map(({ line: _, ...table }) => table)],
  ];
}

/** What loads production's schema; undefined where the base's revisions make it. */
function seedLoader(
  { settings, lane }: DeployLaneContext,
  server: ShadowServer,
): ((database: ShadowDatabase) => Promise<void>) | undefined {
  const file = settings["seed-from"];
  if (file === undefined) return undefined;
  return ({ address }) => loadSeed(file, lane.project.root, address, server.major, lane);
}

/** Of the gate itself: another release may fill otherwise, also one that has no version of its own. */
function programHash(): string {
  const [, program = ""] = process.argv;
  return hashOf(program, ".") ?? "";
}

function hashOf(name: string | undefined, folder: string): string | undefined {
  if (name === undefined) return undefined;
  const file = path.resolve(folder, name);
  const isThere = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  return isThere ? createHash("sha256").update(readFileSync(file)).digest("hex") : undefined;
}

/** A SQL file that the base does not have is the change's: who adds one wants it to be used. */
function besideBase(name: string | undefined, base: string, change: string): string | undefined {
  if (name === undefined || !name.endsWith(".sql") || existsSync(path.resolve(base, name))) return name;
  const own = path.resolve(change, name);
  return existsSync(own) ? own : name;
}

/** The text of a setting that names a SQL file. */
function fileOf(name: string | undefined, folders: readonly string[]): string | undefined {
  if (name === undefined || !name.endsWith(".sql")) return undefined;
  const found = folders
    .map((folder) => path.resolve(folder, name))
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  return found === undefined ? undefined : readFileSync(found, "utf8");
}
