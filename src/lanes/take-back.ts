import { lostByUpgrade } from "../evidence/lane-losses";
import type { DeployFact, DeployStep } from "../model/deploy-lane";
import type { Graph } from "../revisions/graph";
import { settingsOf } from "./base-database";
import { failureOf } from "./blame";
import type { DeployLaneResult } from "./deploy-lane";
import { type BaseDatabase, type FilledDatabase, rowsOf } from "./lane-rows";
import { saysSo } from "./says-so";
import { type LaneContext, Stage } from "./stage";

/** What a change takes back: the newest revisions of the base, and where that leads. */
export interface TakenBack {
  /** In the order in which they were applied. */
  readonly revisions: readonly string[];
  /** What the tool is told to go down to. */
  readonly target: string;
}

/** Undefined where the change does anything else: something new, or something gone from below what stays. */
export function takenBack(base: Graph, change: Graph): TakenBack | undefined {
  const gone = base.revisions.filter(({ id }) => change.get(id) === undefined).map(({ id }) => id);
  const isOnlyThat =
    change.revisions.every(({ id }) => base.get(id) !== undefined) &&
    gone.every((id) => base.childrenOf(id).every((child) => gone.includes(child)));
  const [head, ...others] = change.heads;
  return !isOnlyThat || gone.length === 0 || others.length > 0
    ? undefined
    : { revisions: gone, target: head ?? "base" };
}

/** Goes down with the base's own files, which alone know how; what goes with the revisions' own tables and columns is no loss. NotBuilt where they go elsewhere. */
export async function goBack(
  context: LaneContext,
  base: BaseDatabase,
  copy: FilledDatabase,
  { revisions, target }: TakenBack,
): Promise<DeployLaneResult> {
  const { versionTable } = base;
  await using stage = await Stage.open(context, "taken_back", { template: copy.name, versionTable });
  // The fresh lane saw the change's files arrive; a base that was kept or loaded was not asked where its own files go.
  await settingsOf("environment", () => stage.arrive());
  const before = await stage.observe((client) => rowsOf(client, base));
  const leg = await stage.go("downgrade", target);
  const failure = failureOf(context, leg, false);
  const after = await stage.observe((client) => rowsOf(client, base));
  const facts: DeployFact[] = [];
  if (failure !== undefined) {
    facts.push({
      kind: "failure",
      revision: failure.revision,
      failure,
      level: "hostile",
      passesOnSeed: false,
      anyRow: true,
      words: undefined,
      queries: [],
    });
  }
  const losses = failure === undefined ? lostByUpgrade({ base: before, upgraded: after }) : [];
  for (const loss of losses) {
    if (loss.kind === "table gone" || loss.kind === "column gone") continue;
    const step = leg.steps.findLast((each) => saysSo(each, loss)) ?? leg.steps.at(-1);
    if (step !== undefined)
      facts.push({
        kind: "rows lost",
        revision: step.revision,
        direction: "downgrade",
        loss,
        said: saysSo(step, loss),
      });
  }
  const passed = new Map(leg.steps.map((step) => [step.revision, step]));
  const steps = [...revisions].reverse().map((revision): DeployStep => {
    const step = passed.get(revision);
    const isProved = step?.outcome === "committed" && step.doubts.length === 0;
    const isFailed = failure?.revision === revision;
    return {
      revision,
      direction: "downgrade",
      status: isFailed ? "failed" : isProved ? "proved" : "not proved",
      reason: isProved ? undefined : (failure?.summary ?? step?.doubts[0] ?? "no boundary was seen for it"),
      milliseconds: step?.milliseconds,
    };
  });
  return {
    facts,
    steps,
    level: "hostile",
    tables: copy.tables,
    catalog: leg.failure === undefined ? leg.catalog : undefined,
    trouble: failure === undefined ? (leg.failure?.summary ?? leg.bypassed) : undefined,
    changes: [],
    unused: [],
  };
}
