import type { CatalogDelta } from "../model/catalog";
import type { Direction } from "../model/revision";
import type { RecordedStatement } from "../model/statement";
import type { Boundary, Recording } from "../recorder/recording";
import type { Graph } from "../revisions/graph";
import { stepBetween } from "../revisions/steps";
import { mergeDeltas } from "./deltas";

/** One revision that the tool went over in one direction, as the version table told it. */
export interface RecordedStep {
  readonly revision: string;
  readonly direction: Direction;
  readonly changes: CatalogDelta;
  readonly statements: readonly RecordedStatement[];
  readonly outcome: "committed" | "rolled back";
  /** Why this step cannot count as observed. */
  readonly doubts: readonly string[];
  readonly milliseconds: number;
}

/** One start of the tool, told in steps. */
export interface RecordedLeg {
  readonly direction: Direction;
  readonly headsBefore: readonly string[];
  readonly steps: readonly RecordedStep[];
  /** Changes before the first revision: what the project's env.py did itself, until the version table was made. */
  readonly preamble: CatalogDelta;
  /** Changes seen at writes of the version table that left its content as it was, after the last revision. */
  readonly trailing: CatalogDelta;
  /** Statements after the last boundary: of the revision that failed, or nobody's. */
  readonly rest: readonly RecordedStatement[];
  /** Applied heads after the last boundary that was committed. */
  readonly heads: readonly string[];
  /** Version-table contents that no step of the graph explains. */
  readonly unexplained: readonly string[];
}

/**
 * Groups a recording into steps. A boundary whose content is between two steps (a merge point takes two or
 * three writes) is joined with what follows.
 */
export function stepsOf(
  recording: Recording,
  direction: Direction,
  headsBefore: readonly string[],
  graph: Graph,
): RecordedLeg {
  const steps: RecordedStep[] = [];
  const unexplained: string[] = [];
  let preamble: CatalogDelta = [];
  let heads = headsBefore;
  let committed = headsBefore;
  let open: Boundary[] = [];
  let from = 0;
  for (const boundary of recording.boundaries) {
    if (
      boundary.failure === undefined &&
      boundary.created &&
      boundary.heads.length === 0 &&
      steps.length === 0
    ) {
      preamble = mergeDeltas([preamble, boundary.changes]);
      from = boundary.sequence;
      continue;
    }
    open.push(boundary);
    if (boundary.failure !== undefined) continue;
    const between = stepBetween(graph, heads, boundary.heads, direction);
    if (between.kind === "intermediate" || between.kind === "same") continue;
    const revisions =
      between.kind === "step" ? [between.revision] : between.kind === "several" ? between.revisions : [];
    if (between.kind === "unknown") {
      unexplained.push(`the version table held ${list(between.ids)}, which no revision file has`);
    }
    const statements = statementsBetween(recording.statements, from, boundary.sequence);
    const doubts = doubtsOf(open, revisions, between.kind === "several");
    const again = revisions.filter((revision) => steps.some((step) => step.revision === revision));
    if (again.length > 0) doubts.push(`the version table went over ${list(again)} more than once`);
    for (const revision of revisions) {
      steps.push({
        revision,
        direction,
        changes: mergeDeltas(open.map((part) => part.changes)),
        statements,
        outcome: open.every((part) => part.outcome === "committed") ? "committed" : "rolled back",
        doubts,
        milliseconds: statements.reduce((sum, statement) => sum + statement.milliseconds, 0),
      });
    }
    heads = boundary.heads;
    if (boundary.outcome === "committed") committed = boundary.heads;
    open = [];
    from = boundary.sequence;
  }
  for (const boundary of open) {
    if (boundary.failure !== undefined) unexplained.push(boundary.failure);
    else if (stepBetween(graph, heads, boundary.heads, direction).kind === "intermediate") {
      unexplained.push(`the version table ended at ${list(boundary.heads)}, which is between two revisions`);
    }
  }
  const kept = open.filter(({ failure, outcome }) => failure === undefined && outcome === "committed");
  const trailing = kept.length === 0 ? [] : mergeDeltas(kept.map(({ changes }) => changes));
  const rest = statementsBetween(recording.statements, from, Number.POSITIVE_INFINITY);
  return { direction, headsBefore, steps, preamble, trailing, rest, heads: committed, unexplained };
}

/** Those after `from` up to `to`; statements are recorded in the order of their numbers. */
function statementsBetween(
  statements: readonly RecordedStatement[],
  from: number,
  to: number,
): readonly RecordedStatement[] {
  return statements.slice(firstAfter(statements, from), firstAfter(statements, to));
}

function firstAfter(statements: readonly RecordedStatement[], sequence: number): number {
  let low = 0;
  let high = statements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((statements[middle]?.sequence ?? 0) > sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}

function doubtsOf(boundaries: readonly Boundary[], revisions: readonly string[], several: boolean): string[] {
  const doubts: string[] = [];
  if (several) {
    doubts.push(
      revisions.length > 1
        ? `the version table went over ${list(revisions)} at once, so that no boundary lay between them`
        : `the version table went over ${list(revisions)} against the direction`,
    );
  }
  for (const boundary of boundaries) {
    if (boundary.failure !== undefined)
      doubts.push(`the state at its boundary could not be read: ${boundary.failure}`);
    if (boundary.writes > 1) {
      doubts.push(
        `${boundary.writes} writes to the version table came in one message, so that no boundary lay between them`,
      );
    }
  }
  return doubts;
}

function list(ids: readonly string[]): string {
  return ids.length === 0 ? "nothing" : ids.join(", ");
}
