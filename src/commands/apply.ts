import { carryOut } from "../deploy/carry-out";
import { type Goal, goalOf } from "../deploy/goal";
import { requireEarlier } from "../deploy/promotion";
import { requireRecordDirectory } from "../deploy/record";
import type { SeenDatabase } from "../deploy/status";
import { openTarget, type Target } from "../deploy/target";
import { UserError } from "../errors";
import { findExecutable } from "../executors/executable";
import type { DeployPlan, DeployReport } from "../model/deployment";
import type { Settings } from "../settings";
import { bindLabel } from "../settings/binds";
import { upgradeWords } from "../tools/own-words";
import {
  backupFor,
  comparedWithProof,
  leftBefore,
  recorded,
  requireReady,
  seenByKnownSource,
  type WriteContext,
} from "./before-write";
import { confirm } from "./confirm";
import { OtherDatabases, plannedElsewhere, requireNothingElsewhere } from "./other-databases";
import { makePlan, readPlan, requireSame, requireSameGoal } from "./plan";
import { proveRevisions } from "./prove";

/**
 * Status, preflight, backup, upgrade, verify; with the setting dry-run a plan. A UserError before anything was written;
 * from the tool's start on a report, whatever happens, and a record of it.
 */
export function apply(context: WriteContext): Promise<DeployReport | DeployPlan> {
  return recorded(context, "apply", () => unrecorded(context));
}

async function unrecorded(context: WriteContext): Promise<DeployReport | DeployPlan> {
  const started = performance.now();
  const { settings, environment, listener } = context;
  const planFile = settings.plan;
  if (planFile !== undefined && settings["dry-run"]) {
    throw new UserError({
      what: "dry-run makes a plan, and plan applies one: both at once is neither.",
      do: "Leave one of them out.",
    });
  }
  const reviewed = planFile === undefined ? undefined : readPlan(planFile);
  if (!settings["dry-run"]) requireRecordDirectory(settings["record-directory"]);
  const open = (of: Settings) => openTarget(of, environment, "migration-gate apply");
  await using target = await open(settings);
  await using others = await OtherDatabases.open(context, target, open);
  const first = await look(target, settings.to);
  const goalFor = ({ heads }: SeenDatabase) => goalOf(target.graph, heads, settings.to);
  const firstElsewhere = await others.look(goalFor);
  if (first.goal.pending.length === 0) {
    if (planFile !== undefined && reviewed !== undefined) requireSameGoal(planFile, reviewed, first);
    return await nothingToDo(target, first, settings, started, firstElsewhere);
  }
  const words = wordsUp(target, first.goal);
  const [program = ""] = target.run;
  findExecutable(program, target.project.root, environment, target.tool.installedBy);
  const proving = { settings, environment, progress: listener.say };
  const plan = async (): Promise<DeployPlan> => ({
    ...makePlan(target, first, await proveRevisions(proving, target, first.goal.pending)),
    ...(target.project.bind === undefined
      ? {}
      : { bind: bindLabel(target.project.bind.name), others: plannedElsewhere(firstElsewhere) }),
  });
  if (settings["dry-run"]) return await plan();
  if (planFile !== undefined && reviewed !== undefined) requireSame(planFile, reviewed, await plan());

  await using locks = await others.lock(target, "apply");
  const lock = locks.own;
  // Another apply may have been at work until now.
  const now = await look(target, settings.to);
  const { seen, goal } = now;
  const elsewhere = await others.look(goalFor);
  if (goal.pending.length === 0) return await nothingToDo(target, now, settings, started, elsewhere);
  if (idsOf(now) !== idsOf(first)) throw changedMeanwhile(target, first, now);
  await requireEarlier(target, goal.pending, settings, environment);
  const ready = { settings, writes: "apply", revisions: goal.pending } as const;
  const warnings = await requireReady(target, seen, lock, ready);
  const compared = await comparedWithProof(target, seen, settings.proof, goal.pending);
  const prepared = await backupFor(context, target, seen, goal.pending);
  const preparedElsewhere = await others.prepare(elsewhere, locks, "apply");
  for (const { id, message } of goal.pending) listener.say(`pending  ${id}  ${message}`);
  listener.say(`backup   ${prepared.description}`);
  for (const line of preparedElsewhere.lines) listener.say(line);
  const places = [target.where, ...preparedElsewhere.places].join(" and ");
  await confirm(`Apply ${countOf(goal.pending.length)} to ${places}?`, settings);
  const backup = await prepared.take();
  const jobsElsewhere = await preparedElsewhere.take();
  return await carryOut({
    command: "apply",
    target,
    settings,
    environment,
    seen,
    applied: goal.applied,
    goalHeads: goal.heads,
    revisions: goal.pending,
    words,
    ...compared,
    backup,
    others: jobsElsewhere,
    warnings: [...warnings, ...preparedElsewhere.warnings],
    lock,
    listener,
    started,
  });
}

interface Look {
  readonly seen: SeenDatabase;
  readonly goal: Goal;
}

/** Where the database is and what is missing. */
async function look(target: Target, to: string | undefined): Promise<Look> {
  const seen = await seenByKnownSource(target);
  return { seen, goal: goalOf(target.graph, seen.heads, to) };
}

/** A UserError where the program cannot stop where it is to. */
function wordsUp(target: Target, { target: goal, pending }: Goal): readonly string[] {
  const words = upgradeWords(target, goal);
  if (words !== undefined) return words;
  const program = [...target.run, ...(target.project.words?.apply ?? [])].join(" ");
  const later = target.graph.revisions.filter(({ id }) => !target.graph.ancestors(goal).has(id));
  throw new UserError({
    what: `"${program}" applies all that is pending; it cannot stop at ${goal}.`,
    where: "run-apply",
    seen: `Pending up to there: ${pending.map(({ id }) => id).join(", ")}. After it: ${later.map(({ id }) => id).join(", ")}.`,
    do: `Leave to out, or deploy the release whose newest revision is ${goal}.`,
  });
}

function idsOf({ goal }: Look): string {
  return goal.pending.map(({ id }) => id).join(" ");
}

function changedMeanwhile({ where }: Target, before: Look, now: Look): UserError {
  return new UserError({
    what: "Another apply changed the database while this one waited for it.",
    where,
    seen: `Pending were ${idsOf(before)}; now ${idsOf(now)}.`,
    do: "Run the same job again.",
  });
}

/** Nothing is pending; what an earlier apply left unfinished is still told. */
async function nothingToDo(
  target: Target,
  { seen, goal }: Look,
  settings: Settings,
  started: number,
  elsewhere: Awaited<ReturnType<OtherDatabases["look"]>>,
): Promise<DeployReport> {
  const { bind } = target.project;
  requireNothingElsewhere(elsewhere);
  return {
    version: 1,
    command: "apply",
    outcome: "nothing to do",
    state: "at target",
    database: seen.database,
    heads: { before: seen.heads, goal: goal.heads, after: seen.heads },
    revisions: [],
    backup: undefined,
    tries: 0,
    waits: [],
    leftovers: [],
    problems: [],
    warnings: await leftBefore(target, seen, settings.proof),
    next: [],
    milliseconds: Math.round(performance.now() - started),
    record: undefined,
    ...(bind === undefined ? {} : { bind: bindLabel(bind.name) }),
  };
}

function countOf(revisions: number): string {
  return `${revisions} ${revisions === 1 ? "revision" : "revisions"}`;
}
