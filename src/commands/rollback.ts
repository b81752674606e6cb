import { byHand } from "../deploy/by-hand";
import { carryOut } from "../deploy/carry-out";
import { type Newest, newestOf } from "../deploy/newest";
import { nameOfLoss, planOf, recordedOf } from "../deploy/plan";
import { requireRecordDirectory } from "../deploy/record";
import { rollbackOrder } from "../deploy/rollback-order";
import type { SeenDatabase } from "../deploy/status";
import { openTarget, type Target } from "../deploy/target";
import { UserError } from "../errors";
import { ownReverse } from "../lanes/own-way-back";
import type { DeployPlan, DeployReport, PlannedRevision } from "../model/deployment";
import { majorOf } from "../model/status";
import { orderLines } from "../reports/plan-text";
import type { Settings } from "../settings";
import { environmentHash } from "../tools/environment-hash";
import { revisionSource } from "../tools/revision-source";
import {
  backupFor,
  comparedWithProof,
  lockDatabase,
  recorded,
  requireReady,
  seenByKnownSource,
  type WriteContext,
} from "./before-write";
import { confirm } from "./confirm";
import { proveRevisions } from "./prove";

/**
 * Takes the newest revision back: its downgrade is proved on a shadow first, what it loses must be accepted by name, a
 * backup is taken. A UserError before anything was written; from the tool's start on a report and a record.
 */
export function rollback(context: WriteContext): Promise<DeployReport | DeployPlan> {
  return recorded(context, "rollback", () => unrecorded(context));
}

async function unrecorded(context: WriteContext): Promise<DeployReport | DeployPlan> {
  const started = performance.now();
  const { settings, environment, listener } = context;
  if (!settings["dry-run"]) requireRecordDirectory(settings["record-directory"]);
  await using target = await openTarget(settings, environment, "migration-gate rollback");
  const first = await seenByKnownSource(target);
  const newest = newestOf(target.graph, first.heads);
  const plan = await planFor(context, target, first, newest);
  if (settings["dry-run"]) return plan;
  const major = majorOf(first.database);
  if (plan.shadow.major !== major)
    listener.say(
      `Proved on PostgreSQL ${plan.shadow.major}; the database is ${major}: --postgres-version ${major} proves it on the same.`,
    );
  const [planned] = plan.revisions;
  if (planned !== undefined) requireWayBack(planned, settings, () => byHand(target, first, newest, planned));
  const { revision } = newest;
  const reverse = ownReverse(revision);
  await using lock = await lockDatabase(target, settings, "rollback", listener.say);
  const seen = await seenByKnownSource(target);
  if (newestOf(target.graph, seen.heads).revision.id !== revision.id) {
    throw new UserError({
      what: "Another apply or rollback changed the database while this one waited for it.",
      where: target.where,
      seen: `The newest revision was ${revision.id}; now the version table holds ${seen.heads.join(", ") || "nothing"}.`,
      do: "Look at migration-gate status, and run it again if it is still wanted.",
    });
  }
  const ready = { settings, writes: "rollback", revisions: [revision] } as const;
  const warnings = await requireReady(target, seen, lock, ready);
  const compared = await comparedWithProof(target, seen, settings.proof, [revision]);
  const prepared = await backupFor(context, target, seen, []);
  for (const line of orderLines(plan.order)) listener.say(line);
  listener.say(`back to  ${newest.heads.join(", ") || "base"}`);
  if (reverse !== undefined) listener.say(`by       ${reverse}, and the row of ${revision.id} with it`);
  listener.say(`backup   ${prepared.description}`);
  await confirm(`Take ${revision.id} (${revision.message}) back on ${target.where}?`, settings);
  const backup = await prepared.take();
  return await carryOut({
    command: "rollback",
    target,
    settings,
    environment,
    seen,
    applied: newest.applied,
    goalHeads: newest.heads,
    revisions: [revision],
    words: target.tool.commands(target.project).downgrade(oneBack(revision)),
    reverse,
    afterwards: plan.order?.first === "code" ? [] : (plan.order?.steps.slice(-1) ?? []),
    ...compared,
    backup,
    warnings,
    lock,
    listener,
    started,
  });
}

/** From a merge there are several ways one back: Alembic wants to be told one, and leaves the others applied. */
function oneBack({ parents }: Newest["revision"]): string {
  const [first] = parents;
  return first !== undefined && parents.length > 1 ? first : "-1";
}

async function planFor(
  { settings, environment, listener }: WriteContext,
  target: Target,
  seen: SeenDatabase,
  { revision, heads }: Newest,
): Promise<DeployPlan> {
  const context = { settings, environment, progress: listener.say };
  // What is pending, or on another branch, is no matter of this one.
  const proved = await proveRevisions(context, target, [revision], revision.id);
  const sha256 = () => revisionSource(target.project, revision).sha256;
  const planned = { command: "rollback", seen, goal: heads, revisions: [revision], sha256 } as const;
  const plan = planOf(
    { ...planned, environment: environmentHash(target.project, target.graph.revisions) },
    proved,
  );
  const recorded = recordedOf(proved, revision.id, "downgrade");
  return recorded === undefined
    ? plan
    : { ...plan, order: await rollbackOrder(target, revision.id, recorded.changes) };
}

/** A UserError where the downgrade is not proved, or loses what nobody accepted. */
function requireWayBack(
  { id, wayBack }: PlannedRevision,
  settings: Settings,
  byHandInstead: () => string,
): void {
  const { kind, reason, loses } = wayBack;
  if (kind === "irreversible" || kind === "restore only") {
    throw new UserError({
      what:
        kind === "irreversible"
          ? `Revision ${id} is irreversible: ${reason}.`
          : `The downgrade of revision ${id} was not proved: ${reason}.`,
      why: "A downgrade that was not seen to work on a shadow is not tried on this database.",
      do: byHandInstead(),
    });
  }
  const open = loses.filter((loss) => !settings["accept-loss"].includes(nameOfLoss(loss)));
  if (open.length > 0) {
    throw new UserError({
      what: `Taking revision ${id} back loses what is in ${open.length} ${open.length === 1 ? "place" : "places"}.`,
      seen: open.join("\n"),
      why: "What was written there since the upgrade is gone afterwards; the backup has it, and nothing else.",
      do: `Go forward with a new revision instead, or accept each by its name: ${open.map((loss) => `--accept-loss '${nameOfLoss(loss)}'`).join(" ")}`,
    });
  }
  const strange = settings["accept-loss"].filter((name) => !loses.map(nameOfLoss).includes(name));
  if (strange.length === 0) return;
  throw new UserError({
    what: `accept-loss names what revision ${id} does not lose: ${strange.join(", ")}.`,
    seen: loses.length === 0 ? "It loses nothing." : `It loses ${loses.join(", ")}.`,
    do: "Take it out: it may stand there for another revision.",
  });
}
