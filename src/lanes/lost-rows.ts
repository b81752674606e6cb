import { rowCount, rowLosses } from "../evidence/row-losses";
import type { DeployFact, RowLevel } from "../model/deploy-lane";
import type { Direction } from "../model/revision";
import type { RowLoss, RowSnapshot } from "../model/rows";
import { type BaseDatabase, type FilledDatabase, fill, rowsOf } from "./base-database";
import type { DeployTry } from "./deploy-try";
import type { DeployWay } from "./deploy-way";
import { saysSo } from "./says-so";
import { type LaneContext, type Leg, Stage } from "./stage";

export interface WalkContext {
  readonly context: LaneContext;
  readonly base: BaseDatabase;
  readonly way: DeployWay;
  copy(level: RowLevel): Promise<FilledDatabase>;
}

interface Loss {
  readonly direction: Direction;
  readonly loss: RowLoss;
}

export interface LostRows {
  readonly facts: readonly DeployFact[];
  readonly toolStarts: number;
}

/** To find the revision among more than this would take too many starts of the tool. */
const maximumWalk = 10;

/**
 * What users had at the base's head and do not have any more, each on the revision that lost it. Lost by the upgrade is
 * what its downgrade does not bring back either; where nothing can be taken back, all that is gone at the head.
 */
export async function lostRows(walk: WalkContext, last: DeployTry): Promise<LostRows> {
  const losses = lossesOf(last.rows);
  const { pending } = walk.way;
  if (losses.length === 0) return { facts: [], toolStarts: 0 };
  const [only, ...more] = pending;
  if (only !== undefined && more.length === 0) {
    return { facts: losses.map((loss) => factOf(only, loss, legOf(last, loss.direction))), toolStarts: 0 };
  }
  if (pending.length > maximumWalk) {
    return {
      facts: losses.map((loss) => factOf(likely(last, loss), loss, legOf(last, loss.direction))),
      toolStarts: 0,
    };
  }
  return await walkStepByStep(walk, last, losses);
}

/** `up` and `down` are missing where the way ended before. */
function lossesOf({ before, up, toppedUp, down }: DeployTry["rows"]): Loss[] {
  if (up === undefined) return [];
  const byUpgrade = rowLosses(before, up);
  if (down === undefined || toppedUp === undefined)
    return byUpgrade.map((loss) => ({ direction: "upgrade", loss }));
  const already = new Set(byUpgrade.map(keyOf));
  const roundTrip = rowLosses(before, down).map(
    (loss): Loss => ({ direction: isWithin(loss, already) ? "upgrade" : "downgrade", loss }),
  );
  const told = new Set(roundTrip.map(({ loss }) => loss.table));
  return [...roundTrip, ...deletedOnTop({ before, up, toppedUp, down }, told)];
}

/** Rows put on top at the new head that the downgrade deleted; what the upgrade itself had put in may go. */
function deletedOnTop(
  {
    before,
    up,
    toppedUp,
    down,
  }: { before: RowSnapshot; up: RowSnapshot; toppedUp: RowSnapshot; down: RowSnapshot },
  told: ReadonlySet<string>,
): Loss[] {
  return [...before.keys()].flatMap((table): Loss[] => {
    if (told.has(table)) return [];
    const counts = [before, up, toppedUp, down].map((snapshot) => {
      const rows = snapshot.get(table);
      return rows === undefined ? undefined : rowCount(rows);
    });
    const [was, afterUp, top, after] = counts;
    if (was === undefined || afterUp === undefined || top === undefined || after === undefined) return [];
    const expected = top - Math.max(0, afterUp - was);
    if (after >= expected) return [];
    return [
      {
        direction: "downgrade",
        loss: {
          table,
          kind: "rows gone",
          column: undefined,
          before: expected,
          after,
          lost: expected - after,
          examples: [],
          onlyNulls: false,
        },
      },
    ];
  });
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
): Promise<LostRows> {
  const { context, base, way } = walk;
  const copy = await walk.copy(last.level);
  await using stage = await Stage.open(context, "walk", {
    template: copy.name,
    versionTable: base.versionTable,
  });
  const look = (): Promise<RowSnapshot> => stage.observe((client) => rowsOf(client, base));
  const facts: DeployFact[] = [];
  let open = [...losses];
  let toolStarts = 0;
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
    toolStarts++;
    if (leg.failure !== undefined) break;
    settle(revision, "upgrade", leg, rowLosses(before, await look()));
  }
  const up = await look();
  if (open.some(({ direction }) => direction === "downgrade") && way.floor !== undefined) {
    await stage.observe((client) => fill(client, last.level, base.skip, true));
    toppedUp = await look();
    for (const revision of [...way.pending].reverse()) {
      if (way.staying.has(revision)) break;
      const [parent, ...others] = context.graph.parentsOf(revision);
      if (others.length > 0) break;
      const leg = await stage.go("downgrade", parent ?? "base");
      toolStarts++;
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
  return { facts, toolStarts };
}
