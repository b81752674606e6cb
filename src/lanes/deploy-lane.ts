import type { Catalog, CatalogDelta } from "../model/catalog";
import { type DeployFact, type DeployStep, type RowLevel, rowLevels } from "../model/deploy-lane";
import type { StepFailure } from "../model/evidence";
import type { RowSettings, UnusedRowSetting } from "../model/row-settings";
import type { FilledTable } from "../model/rows";
import { type FailedTries, failureFacts } from "./deploy-failures";
import { residueFacts } from "./deploy-residue";
import { type DeployTry, tryOnDatabase } from "./deploy-try";
import { type DeployWay, deployWay } from "./deploy-way";
import { knownObjects } from "./known-objects";
import type { BaseDatabase, FilledDatabase, Filling } from "./lane-rows";
import { lostRows } from "./lost-rows";
import { hintsOfTries, type RowHints } from "./row-hints";
import { refusedValues, unusedRowSettings } from "./row-steering";
import type { LaneContext } from "./stage";

/** What the fresh lane knows that spares this lane a try: it runs beside this one, or did. */
export interface FreshKnowledge {
  /** Resolves once the tool was seen to arrive at its shadow; never rejects before the fresh lane does. */
  readonly arrived: Promise<void>;
  /** Whether the same step stops on an empty database as well. */
  failsToo(failure: StepFailure): Promise<boolean>;
}

export interface DeployLaneOptions {
  readonly base: BaseDatabase;
  /** The base with rows; each level is made when it is first asked for, with what is known of the change by then. */
  copy(level: RowLevel, hints?: RowHints): Promise<FilledDatabase>;
  /** What the project says of the rows. */
  readonly rows: RowSettings | undefined;
  readonly fresh: FreshKnowledge;
  /** Downgrades are supported down to this revision; undefined is base. */
  readonly floor: string | undefined;
  /** Whether the base's files have this revision. */
  hasLanded(id: string): boolean;
}

export interface DeployLaneResult {
  readonly facts: readonly DeployFact[];
  readonly steps: readonly DeployStep[];
  /** The rows on which the change was judged to its end, or as far as it came. */
  readonly level: RowLevel;
  /** What was put into each table, at the level that came first. */
  readonly tables: readonly FilledTable[];
  /** At the change's head; undefined where it was not reached. */
  readonly catalog: Catalog | undefined;
  /** What each revision changed on the way up, as far as it came. */
  readonly changes: readonly { readonly revision: string; readonly changes: CatalogDelta }[];
  /** Why this lane cannot tell more, where no revision is to blame. */
  readonly trouble: string | undefined;
  /** Of `rows`, what steers nothing; unknown names only where the change's head was reached. */
  readonly unused: readonly UnusedRowSetting[];
}

/**
 * The proof on a database that has the base's history and rows: up, down to where it was, up again. Where rows stop a
 * revision, tamer rows follow, so that the rest of the change is judged and the failure is graded.
 */
export async function proveOnDeployed(
  context: LaneContext,
  { base, copy, fresh, floor, rows, hasLanded }: DeployLaneOptions,
): Promise<DeployLaneResult> {
  const way = deployWay(context.graph, base.heads, floor, hasLanded);
  const tries: DeployTry[] = [];
  let tables: readonly FilledTable[] = [];
  let filling: Pick<Filling, "settings" | "hints"> = { settings: rows };
  await fresh.arrived;
  for (const level of rowLevels) {
    if (isGraded(tries, level)) continue;
    context.progress(`trying the change on ${level} rows`);
    const hints = hintsOfTries(tries, base.facts);
    const filled = await copy(level, hints);
    if (tries.length === 0) ({ tables } = filled);
    filling = { settings: rows, hints };
    const last = await tryOnDatabase(context, { base, level, copy: filled, way, filling });
    tries.push(last);
    if (last.failure === undefined || (await fresh.failsToo(last.failure))) break;
  }
  const last = tries.at(-1);
  if (last === undefined) throw new Error("no rows were tried");
  const lost = await lostRows({ context, base, way, copy, filling }, last);
  const facts: DeployFact[] = [
    ...failureFacts(tries, knownObjects(base.facts.tables), base.sown),
    ...lost,
    ...residueFacts(last),
  ];
  return {
    facts,
    steps: stepsOf(way, last, facts),
    level: last.level,
    tables,
    catalog: last.up.failure === undefined ? last.up.catalog : undefined,
    changes: last.up.steps.map(({ revision, changes }) => ({ revision, changes })),
    trouble: last.trouble ?? (last.up.failure === undefined ? unreadText(last.rows) : undefined),
    unused: [
      ...(last.tables === undefined ? [] : unusedRowSettings(rows, [...base.facts.tables, ...last.tables])),
      ...refusedValues(rows, base.facts.tables, tables),
    ],
  };
}

/** What cannot be compared may have been lost. */
function unreadText({ before, up, down }: DeployTry["rows"]): string | undefined {
  const tables = [before, up, down].flatMap((rows) => [...(rows?.values() ?? [])]);
  const reasons = new Map(tables.flatMap(({ table, unread }) => (unread ? [[table, unread.reason]] : [])));
  const [first, ...more] = reasons;
  if (first === undefined) return undefined;
  const [table, reason] = first;
  const others = more.length === 0 ? "" : ` and of ${more.length} more`;
  return `the values of ${table}${others} were not compared: ${reason}`;
}

/** Where any row is enough, tamer rows would say the same: the next question is whether it takes rows at all. */
function isGraded(tries: FailedTries, level: RowLevel): boolean {
  if (level === "hostile" || level === "landed") return false;
  const last = tries.at(-1);
  return (
    last?.failure !== undefined && failureFacts([last]).some((fact) => fact.kind === "failure" && fact.anyRow)
  );
}

function stepsOf(way: DeployWay, last: DeployTry, facts: readonly DeployFact[]): DeployStep[] {
  const { failure, up, down, again } = last;
  const above = way.pending.flatMap((revision): DeployStep[] => {
    const upStep = up.steps.find((step) => step.revision === revision);
    const downStep = down?.steps.find((step) => step.revision === revision);
    const failedUp = failure?.revision === revision && failure.direction === "upgrade" && !failure.again;
    const isUp = upStep?.outcome === "committed" && upStep.doubts.length === 0;
    const stays = way.staying.get(revision);
    const isDown =
      downStep?.outcome === "committed" &&
      downStep.doubts.length === 0 &&
      again?.steps.some((step) => step.revision === revision && step.outcome === "committed") === true;
    // As on the way up: what fails on hostile rows alone is a finding, and no failed step.
    const failedDown =
      (failure?.revision === revision && (failure.direction === "downgrade" || failure.again)) ||
      facts.some(
        (fact) =>
          fact.revision === revision && (fact.kind === "residue" || fact.kind === "second upgrade differs"),
      );
    const stopped = failure === undefined ? last.trouble : `${failure.revision} stopped the way`;
    const reason = upStep?.doubts[0] ?? stopped ?? "no boundary was seen for it";
    return [
      {
        revision,
        direction: "upgrade",
        status: failedUp ? "failed" : isUp ? "proved" : "not proved",
        reason: failedUp ? failure.summary : isUp ? undefined : reason,
        milliseconds: upStep?.milliseconds,
      },
      {
        revision,
        direction: "downgrade",
        status: stays !== undefined ? "skipped" : failedDown ? "failed" : isDown ? "proved" : "not proved",
        reason:
          stays ?? (failedDown ? "see the findings" : isDown ? undefined : (downStep?.doubts[0] ?? reason)),
        milliseconds: downStep?.milliseconds,
      },
    ];
  });
  return [...stepsBelow(way, last), ...above];
}

/** They have no boundary of their own: the tool ended well, or it named the one that stopped it. */
function stepsBelow({ below }: DeployWay, { failure, below: tried, trouble }: DeployTry): DeployStep[] {
  if (below === undefined) return [];
  return below.revisions.flatMap((revision): DeployStep[] => {
    const failed = failure?.revision === revision && failure.direction === "upgrade";
    const isWell = tried?.leg.failure === undefined && tried?.leg.bypassed === undefined;
    const stopped = failure === undefined ? trouble : `${failure.revision} stopped the way`;
    return [
      {
        revision,
        direction: "upgrade",
        status: failed ? "failed" : isWell ? "proved" : "not proved",
        reason: failed ? failure.summary : isWell ? undefined : stopped,
        milliseconds: undefined,
      },
      {
        revision,
        direction: "downgrade",
        status: "skipped",
        reason: `its version is below ${below.target}, which has landed and would have to be taken back first`,
        milliseconds: undefined,
      },
    ];
  });
}
