import { prepareBackup } from "../backup/prepare";
import type { BackupRequest } from "../backup/request";
import { carryOut, type Listener, sourceOf } from "../deploy/carry-out";
import { takeGateLock } from "../deploy/gate-lock";
import { type Goal, goalOf } from "../deploy/goal";
import { preflight } from "../deploy/preflight";
import { requireRecordDirectory } from "../deploy/record";
import { extensionsIn } from "../deploy/repeatable";
import type { SeenDatabase } from "../deploy/status";
import { openTarget, type Target } from "../deploy/target";
import { endToolSessions, orphans, toolSessionName } from "../deploy/tool-sessions";
import { UserError } from "../errors";
import type { DeployPlan, DeployReport, Problem } from "../model/deployment";
import type { Settings } from "../settings";
import { confirm } from "./confirm";
import { makePlan, readPlan, requireSame } from "./plan";

export interface ApplyContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly listener: Listener;
  readonly uploadArtifact?: BackupRequest["uploadArtifact"];
}

/**
 * Status, preflight, backup, upgrade, verify. A UserError before anything was written; from the first write on a report,
 * whatever happens, and a record of it.
 */
export async function apply(context: ApplyContext): Promise<DeployReport | DeployPlan> {
  const started = performance.now();
  const { settings, environment, listener } = context;
  const planFile = settings.plan;
  const reviewed = planFile === undefined ? undefined : readPlan(planFile);
  if (!settings["dry-run"]) requireRecordDirectory(settings["record-directory"]);
  await using target = await openTarget(settings, environment, "migration-gate apply");
  const first = await look(target, settings.to);
  if (first.goal.pending.length === 0) return nothingToDo(first, started);
  const proving = { settings, environment, progress: listener.say };
  if (settings["dry-run"]) return await makePlan(proving, target, first);
  if (planFile !== undefined && reviewed !== undefined)
    requireSame(planFile, reviewed, await makePlan(proving, target, first));
  const warnings = await requireReady(target, first, settings);
  await using lock = await takeGateLock(target.address, {
    waitMs: settings["apply-wait"] * 1000,
    onWait: listener.say,
    applicationName: "migration-gate apply",
  });
  await endOrphans(target, listener.say);
  // Another apply may have been at work until now.
  const now = await look(target, settings.to);
  const { seen, goal } = now;
  if (goal.pending.length === 0) return nothingToDo(now, started);
  if (idsOf(now) !== idsOf(first)) throw changedMeanwhile(target, first, now);
  const prepared = await prepareBackup({
    settings,
    environment,
    address: target.address,
    client: await target.client(),
    heads: seen.heads,
    pending: goal.pending.map(({ id }) => id),
    progress: listener.say,
    ...(context.uploadArtifact === undefined ? {} : { uploadArtifact: context.uploadArtifact }),
  });
  for (const { id, message } of goal.pending) listener.say(`pending ${id}  ${message}`);
  listener.say(`backup  ${prepared.description}`);
  await confirm(`Apply ${countOf(goal.pending.length)} to ${target.where}?`, settings);
  const backup = await prepared.take();
  return await carryOut({
    command: "apply",
    target,
    settings,
    environment,
    seen,
    applied: goal.applied,
    goalHeads: goal.heads,
    revisions: goal.pending,
    words: target.tool.commands(target.project).upgrade(goal.target),
    backup,
    warnings,
    lock,
    listener,
    started,
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

interface Look {
  readonly seen: SeenDatabase;
  readonly goal: Goal;
}

/** Where the database is and what is missing. A UserError where the source does not know what it has. */
async function look(target: Target, to: string | undefined): Promise<Look> {
  const seen = await target.seen();
  const { unknown } = await target.status(seen);
  if (unknown.length === 0) return { seen, goal: goalOf(target.graph, seen.heads, to) };
  throw new UserError({
    what: `The database has ${unknown.length === 1 ? "a revision" : "revisions"} that this source does not have: ${unknown.map(({ id }) => id).join(", ")}.`,
    where: target.where,
    seen: unknown
      .map(({ id, lastCommit }) =>
        lastCommit === undefined
          ? `${id}: no commit that git knows here has its file.`
          : `${id}: last in ${lastCommit.hash.slice(0, 12)} (${lastCommit.date.slice(0, 10)}) ${lastCommit.subject}`,
      )
      .join("\n"),
    why: "This release is older than the database, or on another branch; what is applied cannot be told.",
    do: "Deploy a release that has them.",
  });
}

/** A UserError with every reason not to migrate now; the warnings where there is none. */
async function requireReady(target: Target, { seen, goal }: Look, settings: Settings): Promise<Problem[]> {
  const { refusals, warnings } = await preflight(await target.client(), {
    address: target.address,
    settings,
    versionTable: seen.versionTable,
    extensions: goal.pending.flatMap((revision) => extensionsIn(sourceOf(target, revision).text)),
    where: target.where,
    writes: "apply",
  });
  const [first, ...others] = refusals;
  if (first === undefined) return warnings.map(({ parts }) => parts);
  throw new UserError({
    ...first.parts,
    seen: [first.parts.seen, ...others.map(({ parts }) => `also: ${parts.what} ${parts.do}`)]
      .filter((text) => text !== undefined)
      .join("\n"),
  });
}

/** The gate's lock is held: whatever session of a gate's tool is still there, no gate watches over it. */
async function endOrphans(target: Target, say: Listener["say"]): Promise<void> {
  const client = await target.client();
  const left = await orphans(client);
  for (const { pid, name } of left)
    say(`A gate that is gone left a session at work (pid ${pid}, ${name}); it is ended.`);
  const sessions = { name: toolSessionName, pids: [], since: "infinity" };
  if (left.length === 0 || (await endToolSessions(client, sessions, 0))) return;
  throw new UserError({
    what: "A migration that an ended gate had started is still at work, and the server could not be brought to end it.",
    where: target.where,
    seen: left.map(({ pid, name }) => `pid ${pid}, ${name}`).join("\n"),
    do: `Wait for its end, or end it: ${left.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`).join(" ")}`,
  });
}

function nothingToDo({ seen, goal }: Look, started: number): DeployReport {
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
    warnings: [],
    next: [],
    milliseconds: Math.round(performance.now() - started),
    record: undefined,
  };
}

function countOf(revisions: number): string {
  return `${revisions} ${revisions === 1 ? "revision" : "revisions"}`;
}
