import { identityOf, kindOf } from "../model/catalog";
import type { Difference, StepFailure } from "../model/evidence";
import type { RecordedStatement } from "../model/statement";
import type { ToolFailure } from "../tools/contract";
import { hasWord, lastPart } from "./names";
import type { LaneContext, Leg } from "./stage";

/** In a failed transaction every statement gets this; what matters is the error before it. */
const inFailedTransaction = "25P02";

/** Which revision stopped a leg, and how. Undefined when nothing points to a revision: the tool itself failed. */
export function failureOf(context: LaneContext, leg: Leg, again: boolean): StepFailure | undefined {
  const { failure } = leg;
  if (failure === undefined) return undefined;
  const failed = leg.rest.filter(({ error }) => error !== undefined);
  const statement = firstCause(failed);
  const revision = stoppedCommit(leg, statement) ?? revisionOf(context, leg, failure);
  if (revision === undefined) return undefined;
  // A file that is no revision's: env.py's own statement or code, unless a deferred constraint stopped its COMMIT.
  const isOwn = statement === undefined || (failure.file !== undefined && !isCommit(statement));
  if (isOwn && failure.kind === "environment" && !leg.result.timedOut) return undefined;
  return {
    revision,
    direction: leg.direction,
    again,
    statement,
    summary: leg.result.timedOut
      ? `The tool did not end within ${Math.round(context.toolTimeoutMs / 1000)} s.`
      : failure.summary,
    file: failure.file,
    line: failure.line,
    timedOut: leg.result.timedOut,
    madeOnArrival: leg.madeOnArrival.find((key) => isThereAlready(statement, key)),
    swallowed:
      statement !== undefined &&
      failed.at(-1)?.error?.sqlstate === inFailedTransaction &&
      statement !== failed.at(-1),
  };
}

/** duplicate_table and its like: what the revision makes, the project had made as the tool started. */
function isThereAlready(statement: RecordedStatement | undefined, key: string): boolean {
  const { sqlstate, message } = statement?.error ?? {};
  return (
    !/^(?:column|constraint)/.test(kindOf(key)) &&
    /^(?:42P07|42P06|42710|42723)$/.test(sqlstate ?? "") &&
    hasWord(message ?? "", lastPart(identityOf(key)))
  );
}

function firstCause(failed: readonly RecordedStatement[]): RecordedStatement | undefined {
  return failed.findLast(({ error }) => error?.sqlstate !== inFailedTransaction) ?? failed.at(-1);
}

function isCommit({ sql }: RecordedStatement): boolean {
  return /^\s*commit\b/i.test(sql);
}

/** The one revision whose COMMIT was refused; of several in one transaction nobody knows which it was. */
function stoppedCommit(leg: Leg, statement: RecordedStatement | undefined): string | undefined {
  if (statement === undefined || !isCommit(statement)) return undefined;
  const [only, ...others] = leg.steps.filter(({ outcome }) => outcome === "rolled back");
  return others.length === 0 ? only?.revision : undefined;
}

/** The revisions of one transaction whose COMMIT was refused, where there are several of them; in their order. */
export function refusedTogether(leg: Leg): string[] {
  const statement = firstCause(leg.rest.filter(({ error }) => error !== undefined));
  if (leg.direction !== "upgrade" || statement === undefined || !isCommit(statement)) return [];
  const revisions = leg.steps
    .filter(({ outcome }) => outcome === "rolled back")
    .map(({ revision }) => revision);
  return revisions.length > 1 ? revisions : [];
}

/** By the file in the traceback, else the next revision in line, as far as the version table was seen to come, else by the tool's own word. */
function revisionOf(
  context: LaneContext,
  leg: Leg,
  { revision: stopped, file }: ToolFailure,
): string | undefined {
  const { graph } = context;
  if (file !== undefined) {
    const named = graph.revisions.find(
      ({ location }) => location.file === file || file.endsWith(`/${location.file}`),
    );
    if (named !== undefined) return named.id;
  }
  const last = leg.steps.at(-1);
  const applied = graph.applied(leg.headsBefore);
  for (const step of leg.steps) {
    if (leg.direction === "upgrade") applied.add(step.revision);
    else applied.delete(step.revision);
  }
  const inReach = reachOf(context, leg);
  const candidates = graph.revisions.filter(({ id }) => {
    if (!inReach(id)) return false;
    return leg.direction === "upgrade"
      ? !applied.has(id) && graph.parentsOf(id).every((parent) => applied.has(parent))
      : applied.has(id) && !graph.childrenOf(id).some((child) => applied.has(child));
  });
  // Where several branches could be next, the tool goes on with the one it is on.
  const neighbours = last === undefined ? [] : related(context, leg, last.revision);
  const next = candidates.find(({ id }) => neighbours.includes(id)) ?? candidates[0];
  return next?.id ?? (stopped === undefined ? undefined : graph.get(stopped)?.id);
}

/** What lies on the way to the target: after the last one, what fails is no revision's. */
function reachOf({ graph }: LaneContext, leg: Leg): (id: string) => boolean {
  if (graph.get(leg.target) === undefined) return () => true;
  const target = graph.ancestors(leg.target);
  return (id) => (leg.direction === "upgrade") === target.has(id);
}

function related(context: LaneContext, leg: Leg, revision: string): readonly string[] {
  return leg.direction === "upgrade" ? context.graph.childrenOf(revision) : context.graph.parentsOf(revision);
}

/** The owners of the differences that the server's error names. */
export function culpritsOf(failure: StepFailure, standing: readonly Difference[]): string[] {
  const error = failure.statement?.error;
  const text = [error?.message, error?.detail].join("\n");
  const named = standing.filter(({ key }) => hasWord(text, lastPart(identityOf(key))));
  return ownersOf(named);
}

export function ownersOf(differences: readonly Difference[]): string[] {
  return [...new Set(differences.map(({ owner }) => owner))].filter((owner) => owner !== "");
}
