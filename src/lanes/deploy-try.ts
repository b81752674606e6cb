import { readTableFacts, type TableFacts } from "../databases/postgres/table-facts";
import type { RowLevel } from "../model/deploy-lane";
import type { StepFailure } from "../model/evidence";
import type { RowSnapshot } from "../model/rows";
import { failureOf } from "./blame";
import { type DeployWay, goBelow, type WentBelow } from "./deploy-way";
import { failingRow } from "./failing-row";
import { knownObjects } from "./known-objects";
import { type BaseDatabase, type FilledDatabase, type Filling, fill, rowsOf } from "./lane-rows";
import { type LaneContext, type Leg, Stage } from "./stage";

/** One way up, down and up again on a copy of the base with rows. */
export interface DeployTry {
  readonly level: RowLevel;
  readonly below: WentBelow | undefined;
  /** Of what is above the database's head; that of `below` where the way ended there. */
  readonly up: Leg;
  /** Undefined where the way ended before, or nothing can be taken back. */
  readonly down: Leg | undefined;
  readonly again: Leg | undefined;
  /** The revision that stopped it. */
  readonly failure: StepFailure | undefined;
  /** What made it fail, as failingRow tells; of the first upgrade only. */
  readonly failingRow?: string | undefined;
  /** Set where the tool failed and no revision is to blame. */
  readonly trouble: string | undefined;
  /** Those of the new head; undefined where it was not reached. */
  readonly tables: readonly TableFacts[] | undefined;
  readonly rows: {
    readonly before: RowSnapshot;
    /** After the way up. */
    readonly up: RowSnapshot | undefined;
    /** The same with rows on top, as production will have them by the time of a rollback. */
    readonly toppedUp: RowSnapshot | undefined;
    readonly down: RowSnapshot | undefined;
  };
}

export interface TryOptions {
  readonly base: BaseDatabase;
  readonly level: RowLevel;
  /** The base with rows of that level. */
  readonly copy: FilledDatabase;
  readonly way: DeployWay;
  /** Of the rows at the new head. */
  readonly filling: Pick<Filling, "settings" | "hints">;
}

/** Rows are put in at the base's head by who made the copy, and at the new head here. */
export async function tryOnDatabase(
  context: LaneContext,
  { base, level, copy, way, filling }: TryOptions,
): Promise<DeployTry> {
  await using stage = await Stage.open(context, `deploy_${level}`, {
    template: copy.name,
    versionTable: base.versionTable,
  });
  const look = () => stage.observe((client) => rowsOf(client, base));
  const below = await goBelow(stage, way, look);
  const before = await look();
  let tables: DeployTry["tables"];
  const stopped = below !== undefined && !isWell(below.leg);
  const up = stopped ? below.leg : await stage.go("upgrade", way.top);
  const result = (rest: Partial<Omit<DeployTry, "rows">>, rows: Partial<DeployTry["rows"]>): DeployTry => {
    const legs = [up, rest.down, rest.again];
    const failed = legs.findLast((leg) => leg?.failure !== undefined);
    const failure = failed === undefined ? undefined : failureOf(context, failed, failed === rest.again);
    return {
      level,
      below,
      up,
      down: undefined,
      again: undefined,
      failure,
      trouble: failed === undefined || failure !== undefined ? bypassedIn(legs) : failed.failure?.summary,
      tables,
      ...rest,
      rows: { before, up: undefined, toppedUp: undefined, down: undefined, ...rows },
    };
  };
  if (!isWell(up)) {
    const { statement } = failureOf(context, up, false) ?? {};
    const known = knownObjects(base.facts.tables);
    return result({ failingRow: await stage.observe((client) => failingRow(client, statement, known)) }, {});
  }
  tables = await stage.observe(readTableFacts);
  const upRows = await look();
  if (way.floor === undefined || way.pending.length === 0) return result({}, { up: upRows });
  const skip = [...base.skip, ...filledByChange(before, upRows)];
  await stage.observe((client) => fill(client, level, { ...filling, skip, topUp: true }));
  const toppedUp = await look();
  const down = await stage.go("downgrade", way.floor);
  const seen = { up: upRows, toppedUp };
  if (!isWell(down)) return result({ down }, seen);
  const downRows = await look();
  const again = await stage.go("upgrade", way.top);
  return result({ down, again }, { ...seen, down: downRows });
}

function isWell({ failure, bypassed }: Leg): boolean {
  return failure === undefined && bypassed === undefined;
}

function bypassedIn(legs: readonly (Leg | undefined)[]): string | undefined {
  return legs.find((leg) => leg?.bypassed !== undefined)?.bypassed;
}

/** New tables that the change itself put rows into: lookup tables, whose rows are no user's. */
function filledByChange(before: RowSnapshot, after: RowSnapshot): string[] {
  return [...after.values()]
    .filter(({ table, rows }) => !before.has(table) && rows.length > 0)
    .map(({ table }) => table);
}
