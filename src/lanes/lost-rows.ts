import { lostByRoundTrip, lostByUpgrade, lostOfTopUp } from "../evidence/lane-losses";
import type { DeployFact, RowLevel } from "../model/deploy-lane";
import type { Direction } from "../model/revision";
import type { RowLoss, RowSnapshot } from "../model/rows";
import type { DeployTry } from "./deploy-try";
import { type DeployWay, goBelow, targetBelow } from "./deploy-way";
import { type BaseDatabase, type FilledDatabase, type Filling, fill, rowsOf } from "./lane-rows";
import { saysSo } from "./says-so";
import { type LaneContext, type Leg, Stage } from "./stage";

export interface WalkContext {
  readonly context: LaneContext;
  readonly base: BaseDatabase;
  readonly way: DeployWay;
  /** As in the try. */
  readonly filling: Pick<Filling, "settings" | "hints">;
  copy(level: RowLevel): Promise<FilledDatabase>;
}

interface Loss {
  readonly direction: Direction;
  readonly loss: RowLoss;
}

/** To find the revision among more than this would take too many starts of the tool. */
const maximumWalk = 10;

/**
 * What users had at the base's head and do not have any more, each on the revision that lost it. Lost by the upgrade is
 * what its downgrade does not bring back either; where nothing can be taken back, all that is gone at the head.
 */
export async function lostRows(walk: WalkContext, last: DeployTry): Promise<readonly DeployFact[]> {
  return [...lostBelow(walk.way, last), ...(await lostAbove(walk, last))];
}

/** Which of several it was, no boundary tells. */
function lostBelow({ below }: DeployWay, { below: tried, rows }: DeployTry): DeployFact[] {
  const revision = below?.revisions.at(-1);
  if (revision === undefined || tried === undefined) return [];
  return lostByUpgrade({ base: tried.before, upgraded: rows.before }).map((loss) => ({
    kind: "rows lost",
    revision,
    direction: "upgrade",
    loss,
    said: saysSo(tried.leg.recording, loss),
  }));
}

async function lostAbove(walk: WalkContext, last: DeployTry): Promise<readonly DeployFact[]> {
  const losses = lossesOf(last.rows);
  const { pending } = walk.way;
  if (losses.length === 0) return [];
  const [only, ...more] = pending;
  if (only !== undefined && more.length === 0) {
    return losses.map((loss) => factOf(only, loss, legOf(last, loss.direction)));
  }
  if (pending.length > maximumWalk) {
    return losses.map((loss) => factOf(likely(last, loss), loss, legOf(last, loss.direction)));
  }
  return await walkStepByStep(walk, last, losses);
}

/** `up` and `down` are missing where the way ended before. */
function lossesOf({ before: base, up: upgraded, toppedUp, down: downgraded }: DeployTry["rows"]): Loss[] {
  if (upgraded === undefined) return [];
  const byUpgrade = lostByUpgrade({ base, upgraded });
  if (downgraded === undefined || toppedUp === undefined)
    return byUpgrade.map((loss) => ({ direction: "upgrade", loss }));
  const snapshots = { base, upgraded, toppedUp, downgraded };
  const roundTrip = lostByRoundTrip(snapshots).map((loss): Loss => {
    const earlier = byUpgrade.find((one) => isWithin(loss, new Set([keyOf(one)])));
    return earlier === undefined ? { direction: "downgrade", loss } : { direction: "upgrade", loss: earlier };
  });
  const onTop = lostOfTopUp(snapshots).map((loss): Loss => ({ direction: "downgrade", loss }));
  const all = [...roundTrip, ...onTop];
  // Several columns may be missing in what came back of one table.
  return all.filter(({ loss }, index) => all.findIndex((other) => other.loss === loss) === index);
}

function keyOf({ table, column }: RowLoss): string {
  return JSON.stringify([table, column ?? ""]);
}

/** Of a table that was gone at the head, what is missing in a column of the empty one that came back was lost with it. */
function isWithin(loss: RowLoss, already: ReadonlySet<string>): boolean {
  return already.has(keyOf(loss)) || already.has(keyOf({ ...loss, column: undefined }));
}

function legOf({ up, down }: DeployTry, direction: Direction): Leg | undefined {
  return direction === "upgrade" ? up : down;
}

function factOf(revision: string, { direction, loss }: Loss, leg: Leg | undefined): DeployFact {
  const step = leg?.steps.find((each) => each.revision === revision);
  return { kind: "rows lost", revision, direction, loss, said: step !== undefined && saysSo(step, loss) };
}

/** The last one whose statements name the table, else the last one. */
function likely(last: DeployTry, { direction, loss }: Loss): string {
  const steps = legOf(last, direction)?.steps ?? [];
  return (steps.findLast((step) => saysSo(step, loss)) ?? steps.at(-1))?.revision ?? "";
}

/** One start of the tool for every revision each way, on a new copy, until it is known which one lost what. */
async function walkStepByStep(
  walk: WalkContext,
  last: DeployTry,
  losses: readonly Loss[],
): Promise<readonly DeployFact[]> {
  const { context, base, way, filling } = walk;
  const copy = await walk.copy(last.level);
  await using stage = await Stage.open(context, "walk", {
    template: copy.name,
    versionTable: base.versionTable,
  });
  const look = (): Promise<RowSnapshot> => stage.observe((client) => rowsOf(client, base));
  const facts: DeployFact[] = [];
  let open = [...losses];
  await goBelow(stage, way, look);
  const before = await look();
  const settle = (revision: string, direction: Direction, leg: Leg, seen: readonly RowLoss[]) => {
    const keys = new Set(seen.map(keyOf));
    const found = open.filter((each) => each.direction === direction && isWithin(each.loss, keys));
    open = open.filter((each) => !found.includes(each));
    facts.push(...found.map((each) => factOf(revision, each, leg)));
  };
  let toppedUp: RowSnapshot | undefined;
  for (const revision of way.pending) {
    const leg = await stage.go("upgrade", revision);
    if (leg.failure !== undefined) break;
    settle(revision, "upgrade", leg, lostByUpgrade({ base: before, upgraded: await look() }));
  }
  const up = await look();
  if (open.some(({ direction }) => direction === "downgrade") && way.floor !== undefined) {
    await stage.observe((client) => fill(client, last.level, { ...filling, skip: base.skip, topUp: true }));
    toppedUp = await look();
    const applied = context.graph.applied(stage.heads);
    for (const revision of [...way.pending].reverse()) {
      if (way.staying.has(revision)) break;
      const leg = await stage.go("downgrade", targetBelow(context.graph, revision, applied));
      applied.delete(revision);
      if (leg.failure !== undefined) break;
      const down = await look();
      const gone = lossesOf({ before, up, toppedUp, down }).filter(
        ({ direction }) => direction === "downgrade",
      );
      settle(
        revision,
        "downgrade",
        leg,
        gone.map(({ loss }) => loss),
      );
    }
  }
  facts.push(...open.map((loss) => factOf(likely(last, loss), loss, legOf(last, loss.direction))));
  return facts;
}
