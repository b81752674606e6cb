import { ToolError } from "../errors";
import type { ProofFact } from "../model/evidence";
import type { Direction } from "../model/revision";
import type { StepStatus } from "../model/verdict";
import { failureOf } from "./blame";
import { Ledger } from "./ledger";
import { runSegment } from "./segment";
import { type LaneContext, type Leg, Stage } from "./stage";

export interface FreshLaneOptions {
  /** Revisions whose every step must be settled. */
  readonly judged: ReadonlySet<string>;
  /** Downgrades are supported down to this revision; undefined is base. */
  readonly floor: string | undefined;
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
  /** The first way up and the first way down, for the replay. */
  readonly legs: readonly Leg[];
  readonly toolStarts: number;
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
  const kept = floor === undefined ? new Set<string>() : graph.ancestors(floor);
  for (const id of kept) ledger.settle(id, "downgrade", "skipped", `at or below the floor ${floor}`);
  for (const { id, downgrade } of graph.revisions) {
    const reason = downgrade?.irreversible;
    if (reason === undefined || reason === "") continue;
    ledger.settle(id, "downgrade", "skipped", `irreversible: ${reason}`);
    ledger.blockDowngrade(id);
  }

  await using stage = await Stage.open(context, "fresh");
  await stage.arrive();
  const head = graph.heads.length === 1 ? "head" : "heads";
  const top = graph.revisions.at(-1);
  const first = await runSegment(
    context,
    ledger,
    { tops: [head], floor: lowest(context, ledger, floor, top?.id, kept) },
    "fresh",
    stage,
  );
  requireSomething(context, first);
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
    let route = { tops: [id], floor: lowest(context, ledger, floor, id, kept) };
    // Each way may find a revision that the next one must stay above.
    for (let tried: string | undefined | null = null; !ledger.isSettled(id) && tried !== route.floor; ) {
      tried = route.floor;
      legs.push(...(await runSegment(context, ledger, route, "segment")));
      route = { tops: [id], floor: lowest(context, ledger, floor, id, kept) };
    }
    settleBoth(ledger, id, reasonOf(ledger, id, route.floor));
  }
  return { facts: ledger.facts(), steps: stepsOf(context, ledger, legs), legs, toolStarts: legs.length + 1 };
}

/** The higher of the user's floor and the last barrier below. */
function lowest(
  context: LaneContext,
  ledger: Ledger,
  floor: string | undefined,
  top: string | undefined,
  kept: ReadonlySet<string>,
): string | undefined {
  const barrier = top === undefined ? undefined : ledger.barrierBelow(top);
  if (barrier === undefined || kept.has(barrier)) return floor;
  return context.graph.get(barrier) === undefined ? floor : barrier;
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
