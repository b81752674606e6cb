import { ToolError } from "../errors";
import type { CatalogDelta } from "../model/catalog";
import type { ProofFact } from "../model/evidence";
import type { Direction } from "../model/revision";
import type { StepStatus } from "../model/verdict";
import { upgradeWords } from "../tools/own-words";
import { failureOf } from "./blame";
import { Ledger } from "./ledger";
import { type Route, runSegment } from "./segment";
import { type LaneContext, type Leg, Stage } from "./stage";

export interface FreshLaneOptions {
  /** Revisions whose every step must be settled. */
  readonly judged: ReadonlySet<string>;
  /** Downgrades are supported down to this revision; undefined is base. */
  readonly floor: string | undefined;
  /** How far up it goes; undefined is every head. */
  readonly top?: string | undefined;
  /** Called once the tool was seen to arrive at the shadow database. */
  readonly onArrival?: () => void;
}

export interface LaneStep {
  readonly revision: string;
  readonly direction: Direction;
  readonly status: StepStatus;
  readonly reason: string | undefined;
  readonly milliseconds: number | undefined;
}

export interface FreshLaneResult {
  readonly facts: readonly ProofFact[];
  readonly steps: readonly LaneStep[];
  /** Contents of the version table that no revision explains: something ran that nobody judged. */
  readonly unexplained: readonly string[];
  /** What happened on one way and not on the next, on the same empty database. */
  readonly unsteady: readonly string[];
  /** The first way up and the first way down, for the replay. */
  readonly legs: readonly Leg[];
  /** The catalog on which the first way up began: an empty database, and what the setup made. */
  readonly start: CatalogDelta;
}

/**
 * The proof on an empty database: upgrade head, downgrade to the floor, upgrade head. What one way cannot tell
 * because a revision stopped it, or worked on what another had left, is tried on a way of its own, from the top
 * down, until every revision under judgement is settled.
 */
export async function proveOnEmptyDatabase(
  context: LaneContext,
  options: FreshLaneOptions,
): Promise<FreshLaneResult> {
  const { graph } = context;
  const ledger = new Ledger(graph);
  const floor = options.floor;
  const floors = floor === undefined ? new Set<string>() : graph.ancestors(floor);
  for (const id of floors) ledger.settle(id, "downgrade", "skipped", `at or below the floor ${floor}`);
  for (const id of floors) ledger.blockDowngrade(id);
  for (const { id, downgrade, sql } of graph.revisions) {
    if (sql !== undefined && downgrade === undefined) {
      ledger.settle(id, "downgrade", "skipped", "it has no file that takes it back");
      ledger.blockDowngrade(id);
    }
    const reason = downgrade?.irreversible;
    if (reason === "" && sql !== undefined) {
      // The tool would pass it over, and take back what lies below.
      ledger.settle(id, "downgrade", "skipped", "it says that it is irreversible, and not why");
      ledger.blockDowngrade(id);
    }
    if (reason === undefined || reason === "") continue;
    ledger.settle(id, "downgrade", "skipped", `irreversible: ${reason}`);
    ledger.blockDowngrade(id);
  }

  const { legs: first, start } = await wholeWay(context, ledger, { ...options, floors });
  requireSomething(context, first);
  let trouble = troubleOf(context, first);
  const legs = [...first];
  for (const { id } of [...graph.revisions].reverse()) {
    if (!options.judged.has(id) || ledger.isSettled(id)) continue;
    const stopped = [...graph.ancestors(id)].find(
      (other) => other !== id && ledger.mark(other, "upgrade")?.status === "failed",
    );
    if (stopped !== undefined) {
      const reason = `it needs ${stopped}, whose upgrade fails`;
      // A finding on the culprit that counts is enough; one a waiting revision would bury it.
      if (options.judged.has(stopped)) ledger.wait(id, reason);
      else settleBoth(ledger, id, reason);
      continue;
    }
    if (trouble !== undefined) {
      settleBoth(ledger, id, trouble);
      continue;
    }
    if (upgradeWords(context, id) === undefined) {
      settleBoth(
        ledger,
        id,
        `it needs a way of its own that ends there, and run-apply goes to the newest revision only; check with ${context.tool.name} itself, without run-apply`,
      );
      continue;
    }
    let route = routeTo(context, ledger, id);
    // Each way may find a revision that the next one must stay above.
    for (let tried: string | undefined | null = null; !ledger.isSettled(id) && tried !== route.floor; ) {
      tried = route.floor;
      const own = await runSegment(context, ledger, route, "segment");
      legs.push(...own);
      // A start in which nothing was begun would end the same way for the next revision.
      trouble ??= troubleOf(
        context,
        own.filter(({ steps }) => steps.length === 0),
      );
      route = routeTo(context, ledger, id);
    }
    settleBoth(ledger, id, trouble ?? reasonOf(ledger, id, route.floor));
  }
  return {
    facts: ledger.facts(),
    steps: stepsOf(context, ledger, legs),
    unexplained: [...new Set(legs.flatMap((leg) => leg.unexplained))],
    unsteady: ledger.unsteady,
    legs,
    start,
  };
}

const appliedBySetup =
  "the setup had applied it already; let the setup stop below it, or set floor to it where the history starts there";

/** Head, down to the last revision that cannot be passed, and head again, on a database that the tool was seen to reach. */
async function wholeWay(
  context: LaneContext,
  ledger: Ledger,
  { judged, floors, top, onArrival }: FreshLaneOptions & { readonly floors: ReadonlySet<string> },
): Promise<{ legs: Leg[]; start: CatalogDelta }> {
  const { graph } = context;
  await using stage = await Stage.open(context, "fresh");
  for (const id of graph.applied(stage.heads)) {
    // A history that starts from create_all has its floor there; what is above it the setup must leave to the tool.
    const isMissed = judged.has(id) && !floors.has(id);
    for (const direction of ["upgrade", "downgrade"] as const) {
      if (isMissed) ledger.settle(id, direction, "not proved", appliedBySetup);
      else ledger.settle(id, direction, "skipped", "applied by the setup");
    }
    ledger.blockDowngrade(id);
  }
  await stage.arrive();
  onArrival?.();
  const head = graph.heads.length === 1 ? "head" : "heads";
  const below = top === undefined ? graph.applied(graph.heads) : graph.ancestors(top);
  // By the tool's own word where it means the same: not every tool goes to one that it counts as older than another's.
  const isNewest = top === undefined || graph.heads.join() === top;
  const route = { tops: [isNewest ? head : top], floor: ledger.lastBarrier(below) };
  // Awaited here: the stage is gone when this function returns.
  return { legs: await runSegment(context, ledger, route, "fresh", stage), start: stage.start };
}

/**
 * A way of its own for one revision. It stays above what cannot be passed; where everything below is settled it goes
 * down this one step only.
 */
function routeTo({ graph }: LaneContext, ledger: Ledger, id: string): Route {
  const below = graph.ancestors(id);
  below.delete(id);
  const [parent, ...others] = graph.parentsOf(id);
  const isLast = others.length === 0 && [...below].every((other) => ledger.isSettled(other));
  return { tops: [id], floor: parent !== undefined && isLast ? parent : ledger.lastBarrier(below) };
}

/** What no revision is to blame for: the tool went past the recorder, or failed by itself. More ways would only meet it again. */
function troubleOf(context: LaneContext, legs: readonly Leg[]): string | undefined {
  const [first] = legs;
  if (first?.bypassed !== undefined && first.steps.length === 0) return first.bypassed;
  const leg = legs.find(
    (each) => each.failure !== undefined && failureOf(context, each, false) === undefined,
  );
  if (leg?.failure === undefined) return undefined;
  return `the tool failed outside of any revision: ${[leg.failure.summary, ...leg.failure.lastLines.slice(-3)].join("; ")}`;
}

function settleBoth(ledger: Ledger, revision: string, reason: string): void {
  for (const direction of ["upgrade", "downgrade"] as const) {
    ledger.settle(revision, direction, "not proved", reason);
  }
}

function reasonOf(ledger: Ledger, revision: string, floor: string | undefined): string {
  const way = `on a way of its own ${floor === undefined ? "" : `above ${floor} `}`;
  return ledger.mark(revision, "upgrade") === undefined
    ? `no boundary was seen for its upgrade ${way}`.trimEnd()
    : `its downgrade and second upgrade were not seen to be committed ${way}`.trimEnd();
}

/** When the first start of the tool failed and no revision made it fail, the tool itself did not work. */
function requireSomething(context: LaneContext, legs: readonly Leg[]): void {
  const [first] = legs;
  if (first?.failure === undefined || failureOf(context, first, false) !== undefined) return;
  const { file, line } = first.failure;
  throw new ToolError({
    what: first.failure.summary,
    where: [file ?? context.project.config, line].filter((part) => part !== undefined).join(":"),
    seen: first.failure.lastLines.join("\n"),
    do: first.failure.do,
  });
}

function stepsOf(context: LaneContext, ledger: Ledger, legs: readonly Leg[]): LaneStep[] {
  const milliseconds = new Map<string, number>();
  for (const leg of legs) {
    for (const step of leg.steps) {
      const key = `${step.direction} ${step.revision}`;
      if (!milliseconds.has(key)) milliseconds.set(key, step.milliseconds);
    }
  }
  return context.graph.revisions.flatMap(({ id }) =>
    (["upgrade", "downgrade"] as const).map((direction) => ({
      revision: id,
      direction,
      ...(ledger.mark(id, direction) ?? {
        status: "not proved" as const,
        reason: "the way did not lead over it",
      }),
      milliseconds: milliseconds.get(`${direction} ${id}`),
    })),
  );
}
