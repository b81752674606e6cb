import type { Client } from "pg";
import { connect } from "../databases/postgres/connection";
import { serverLacks } from "../databases/postgres/server-lacks";
import { readDatabaseFacts } from "../databases/postgres/table-facts";
import { findVersionTables } from "../databases/postgres/version-tables";
import { UserError } from "../errors";
import { rowCount } from "../evidence/row-losses";
import type { LaneObstacle, RowLevel } from "../model/deploy-lane";
import type { ShadowDatabase, ShadowServer } from "../shadow/server";
import { runSetup } from "../shadow/setup";
import type { VersionTable } from "../tools/contract";
import { upgradeWords } from "../tools/own-words";
import { failureOf } from "./blame";
import { type BaseDatabase, type FilledDatabase, type Filling, fill, rowsOf } from "./lane-rows";
import { type LaneContext, Stage } from "./stage";

export interface BuildOptions {
  /** The base's files; its shadow is the one that the change will be tried on. */
  readonly context: LaneContext;
  /** The revisions to which the base goes; all heads where there is none. */
  readonly targets: readonly string[];
  /** SQL that makes the schema instead of the migrations, with the rows of the version table. */
  readonly load: ((database: ShadowDatabase) => Promise<void>) | undefined;
  /** A SQL file or a command of the project's that puts rows in. */
  readonly seed: string | undefined;
}

/** The base cannot be had; the fresh lane's verdict stands. */
export class NotBuilt extends Error {
  override readonly name = "NotBuilt";

  constructor(readonly obstacle: LaneObstacle) {
    super(obstacle.reason);
  }
}

/** Builds the database with the base's own files. NotBuilt where they do not lead there. */
export async function buildBase(options: BuildOptions): Promise<BaseDatabase> {
  const { context, load, seed } = options;
  await using stage = await opened(options);
  if (load === undefined) await goToBase(stage, options);
  else {
    if (stage.heads.length === 0) throw noVersion();
    // A command of the project's may take its address from where the tool does.
    if (seed !== undefined && !seed.endsWith(".sql")) await settingsOf("environment", () => stage.arrive());
  }
  const found = await stage.observe((client) => findVersionTables(client, context.tool.versionTable));
  const versionTable = stage.versionTable ?? found[0];
  const versionTables = await stage.observe((client) => quotedNames(client, found));
  const rows = await stage.observe((client) => rowsOf(client, { versionTables }));
  const seeded = [...rows.values()].filter((table) => table.rows.length > 0).map(({ table }) => table);
  let sown: string[] = [];
  if (seed !== undefined) {
    await settingsOf("seed", () => sow(stage, seed, context));
    const after = await stage.observe((client) => rowsOf(client, { versionTables }));
    sown = [...after.values()]
      .filter((table) => (rowCount(table) ?? 0) - (rows.get(table.table)?.rows.length ?? 0) >= tellingRows)
      .map(({ table }) => table);
  }
  const facts = await stage.observe(readDatabaseFacts);
  const { heads } = stage;
  const { name } = await stage.handOver();
  return { name, heads, versionTable, versionTables, skip: [...versionTables, ...seeded], sown, facts };
}

/** So many rows of the project's own say more of a table than rows that were made up. */
const tellingRows = 100;

/** The stage with what is there before the first migration, or with all of it. */
async function opened({ context, load }: BuildOptions): Promise<Stage> {
  if (load === undefined) return await settingsOf("setup", () => Stage.open(context, "base"));
  // Roles are not in a dump: a setup of SQL makes them, and what else it makes stays in a database of its own.
  const prepare = async (database: ShadowDatabase): Promise<void> => {
    const { setup, project, shadow } = context;
    if (setup?.endsWith(".sql")) {
      await using beside = await shadow.createDatabase("roles");
      await runSetup(setup, beside, async () => undefined, project.root);
    }
    await load(database);
  };
  return await settingsOf("seed-from", () => Stage.open(context, "base", { prepare }));
}

async function goToBase(stage: Stage, { context, targets }: BuildOptions): Promise<void> {
  const { graph } = context;
  const unknown = targets.filter((id) => graph.get(id) === undefined);
  if (unknown.length > 0) {
    throw new NotBuilt({
      cause: "settings",
      reason: `the base's files do not have ${unknown.join(", ")}, at which the lane is to begin`,
      do: "Set from to a revision that the base has, or to the commit or tag that is deployed.",
    });
  }
  await settingsOf("environment", () => stage.arrive());
  const words = targets.length > 0 ? targets : [graph.heads.length === 1 ? "head" : "heads"];
  const beyond = words.find((word) => upgradeWords(context, word) === undefined);
  if (beyond !== undefined) {
    throw new NotBuilt({
      cause: "settings",
      reason: `the lane is to begin at ${beyond}, and run-apply goes to the newest revision only`,
      do: "Set from to a commit or tag whose newest revision that is, or check with the tool itself: without run, run-apply and run-status.",
    });
  }
  for (const word of words) await goUp(stage, context, word);
  const wanted = targets.length > 0 ? targets : graph.heads;
  const missing = wanted.filter((id) => !graph.applied(stage.heads).has(id));
  if (missing.length === 0) return;
  const stands = stage.heads.join(", ") || "nothing";
  throw new NotBuilt(
    context.project.words?.apply === undefined
      ? seenOtherwise(`the tool ended well, and ${missing.join(", ")} is not in the version table`)
      : {
          cause: "settings",
          reason: `"${context.run.join(" ")}" ended well, and the version table holds ${stands} instead of ${missing.join(", ")}: a program brings its own migrations, not the base's`,
          do: "Check with the tool itself, which reads the base's files: without run, run-apply and run-status.",
        },
  );
}

async function goUp(stage: Stage, context: LaneContext, word: string): Promise<void> {
  const leg = await stage.go("upgrade", word);
  if (leg.failure !== undefined) {
    const failed = failureOf(context, leg, false);
    const lacks = serverLacks(failed?.statement?.error?.sqlstate);
    const isTool = failed === undefined || leg.failure.kind === "environment";
    throw new NotBuilt({
      cause: isTool ? "environment" : "migration",
      reason:
        failed === undefined
          ? `the tool failed on the base's own files: ${leg.failure.summary.replace(/\.$/, "")}`
          : `revision "${failed.revision}" of the base's own files cannot be applied to an empty database: ${failed.summary.replace(/\.$/, "")}`,
      do: isTool
        ? "Where the base needs other packages than the change, merge the change of packages first; until then the fresh lane's verdict stands."
        : (lacks?.replace(/^./, (letter) => letter.toUpperCase()) ??
          "Set seed-from to a dump of production's schema, or setup to what must be there before the first revision."),
    });
  }
  if (leg.bypassed !== undefined) throw new NotBuilt(seenOtherwise(leg.bypassed));
}

function seenOtherwise(reason: string): LaneObstacle {
  return {
    cause: "settings",
    reason,
    do: "Run the tool on the base's commit in a terminal to see what it does.",
  };
}

function noVersion(): NotBuilt {
  return new NotBuilt({
    cause: "settings",
    reason: "what seed-from names has no row in the tool's version table",
    do: "Dump the rows of the version table with the schema: pg_dump --schema-only, and pg_dump --data-only --table of that table after it.",
  });
}

/** What a UserError says, as an obstacle. A signal or a bug stays what it is. */
export async function settingsOf<Result>(
  setting: "setup" | "seed" | "seed-from" | "environment",
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const cause = setting === "environment" ? "environment" : "settings";
    const obstacle = obstacleOf(error, cause);
    throw new NotBuilt({ ...obstacle, reason: `on the base's files: ${obstacle.reason}` });
  }
}

/** What a message says, in one sentence without its end. */
export function obstacleOf({ parts }: UserError, cause: LaneObstacle["cause"]): LaneObstacle {
  const [first = ""] = (parts.seen ?? "").split("\n");
  const what = parts.what.replace(/\.$/, "");
  return { cause, reason: first === "" ? what : `${what}: ${first.replace(/\.$/, "")}`, do: parts.do };
}

async function sow(stage: Stage, seed: string, { project }: LaneContext): Promise<void> {
  await runSetup(seed, stage.database, (command) => stage.runOnce(command, "seed"), project.root, "seed");
}

async function quotedNames(client: Client, tables: readonly VersionTable[]): Promise<string[]> {
  const names = tables.map(({ schema, table }) => [schema ?? "public", table]);
  const { rows } = await client.query<{ name: string }>(
    "select pg_catalog.format('%I.%I', one ->> 0, one ->> 1) as name from pg_catalog.json_array_elements($1::json) one",
    [JSON.stringify(names)],
  );
  return rows.map(({ name }) => name);
}

/**
 * A copy of the base with rows in every table, as that level has them; `beside` a seed's own, which alone are too well-behaved
 * to show what a statement does with others.
 */
export async function fillBase(
  shadow: ShadowServer,
  base: BaseDatabase,
  level: RowLevel,
  filling: Pick<Filling, "settings" | "hints"> & { readonly beside: boolean },
): Promise<FilledDatabase> {
  const database = await shadow.createDatabase(`base_${level}`, base.name);
  const client = await connect(database.address, { applicationName: "migration-gate rows" });
  try {
    return {
      name: database.name,
      tables: await fill(client, level, { ...filling, skip: base.skip, topUp: filling.beside }),
    };
  } finally {
    await client.end();
  }
}
