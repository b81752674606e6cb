import { byHand } from "../deploy/by-hand";
import { carryOut } from "../deploy/carry-out";
import type { Goal } from "../deploy/goal";
import { type Newest, newestOf } from "../deploy/newest";
import { nameOfLoss, planOf, recordedOf } from "../deploy/plan";
import { requireRecordDirectory } from "../deploy/record";
import { orderOfAll, rollbackOrder } from "../deploy/rollback-order";
import type { SeenDatabase } from "../deploy/status";
import { openTarget, type Target } from "../deploy/target";
import { UserError } from "../errors";
import { ownReverse } from "../lanes/own-way-back";
import type { DeployPlan, DeployReport, PlannedRevision } from "../model/deployment";
import { majorOf } from "../model/status";
import { orderLines } from "../reports/plan-text";
import type { Settings } from "../settings";
import { bindLabel } from "../settings/binds";
import { environmentHash } from "../tools/environment-hash";
import { revisionSource } from "../tools/revision-source";
import {
  backupFor,
  comparedWithProof,
  recorded,
  requireReady,
  seenByKnownSource,
  type WriteContext,
} from "./before-write";
import { confirm } from "./confirm";
import { OtherDatabases, plannedElsewhere, type SeenOther } from "./other-databases";
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
  const open = (of: Settings) => openTarget(of, environment, "migration-gate rollback");
  await using target = await open(settings);
  await using others = await OtherDatabases.open(context, target, open);
  const first = await seenByKnownSource(target);
  const newest = newestOf(target.graph, first.heads);
  const firstElsewhere = await others.look(goalBack(target));
  requireSameRevision(newest.revision.id, firstElsewhere);
  const plan = await planFor(context, target, first, newest, firstElsewhere);
  if (settings["dry-run"]) return plan;
  const major = majorOf(first.database);
  if (plan.shadow.major !== major)
    listener.say(
      `Proved on PostgreSQL ${plan.shadow.major}; the database is ${major}: --postgres-version ${major} proves it on the same.`,
    );
  const { revision } = newest;
  const ways = [wayDown(target, first, newest, plan)];
  const orders = [plan.order];
  for (const { target: other, seen: theirs, settings: itsOwn } of firstElsewhere) {
    const itsPlan = await planFor({ ...context, settings: itsOwn }, other, theirs, newest);
    ways.push(wayDown(other, theirs, newest, itsPlan));
    orders.push(itsPlan.order);
  }
  const order = orderOfAll(orders);
  requireWaysBack(revision.id, ways, settings);
  const reverse = ownReverse(revision);
  await using locks = await others.lock(target, "rollback");
  const lock = locks.own;
  const seen = await seenByKnownSource(target);
  if (newestOf(target.graph, seen.heads).revision.id !== revision.id) {
    throw new UserError({
      what: "Another apply or rollback changed the database while this one waited for it.",
      where: target.where,
      seen: `The newest revision was ${revision.id}; now the version table holds ${seen.heads.join(", ") || "nothing"}.`,
      do: "Look at migration-gate status, and run it again if it is still wanted.",
    });
  }
  const elsewhere = await others.look(goalBack(target));
  requireSameRevision(revision.id, elsewhere);
  const ready = { settings, writes: "rollback", revisions: [revision] } as const;
  const warnings = await requireReady(target, seen, lock, ready);
  const compared = await comparedWithProof(target, seen, settings.proof, [revision]);
  const prepared = await backupFor(context, target, seen, []);
  const preparedElsewhere = await others.prepare(elsewhere, locks, "rollback");
  for (const line of orderLines(order)) listener.say(line);
  listener.say(`back to  ${newest.heads.join(", ") || "base"}`);
  if (reverse !== undefined) listener.say(`by       ${reverse}, and the row of ${revision.id} with it`);
  listener.say(`backup   ${prepared.description}`);
  for (const line of preparedElsewhere.lines) listener.say(line);
  const places = [target.where, ...preparedElsewhere.places].join(" and ");
  await confirm(`Take ${revision.id} (${revision.message}) back on ${places}?`, settings);
  const backup = await prepared.take();
  const jobsElsewhere = await preparedElsewhere.take();
  return await carryOut({
    command: "rollback",
    target,
    settings,
    environment,
    seen,
    applied: newest.applied,
    goalHeads: newest.heads,
    revisions: [revision],
    words: target.tool.commands(target.project).downgrade(oneBack(revision)) ?? [],
    reverse,
    afterwards: order?.first === "code" ? [] : (order?.steps.slice(-1) ?? []),
    ...compared,
    backup,
    others: jobsElsewhere,
    warnings: [...warnings, ...preparedElsewhere.warnings],
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
  elsewhere: readonly SeenOther[] = [],
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
  const { bind } = target.project;
  const recorded = recordedOf(proved, revision.id, "downgrade");
  return {
    ...plan,
    ...(bind === undefined ? {} : { bind: bindLabel(bind.name), others: plannedElsewhere(elsewhere) }),
    ...(recorded === undefined ? {} : { order: await rollbackOrder(target, revision.id, recorded.changes) }),
  };
}

function wayDown(
  target: Target,
  seen: SeenDatabase,
  newest: Newest,
  { revisions: [planned] }: DeployPlan,
): WayDown {
  const { bind } = target.project;
  return {
    planned,
    of: bind === undefined ? "" : bindLabel(bind.name),
    byHandInstead: () => (planned === undefined ? "" : byHand(target, seen, newest, planned)),
  };
}

/** How the revision is taken back in one database. */
interface WayDown {
  readonly planned: PlannedRevision | undefined;
  /** The database's name, where the project has several; "" where it has one. */
  readonly of: string;
  byHandInstead(): string;
}

/** A UserError where a downgrade is not proved, or loses what nobody accepted. */
function requireWaysBack(id: string, ways: readonly WayDown[], settings: Settings): void {
  for (const { planned, of, byHandInstead } of ways) {
    const { kind, reason } = planned?.wayBack ?? {};
    if (kind !== "irreversible" && kind !== "restore only") continue;
    const where = of === "" ? "" : ` in the database "${of}"`;
    throw new UserError({
      what:
        kind === "irreversible"
          ? `Revision ${id} is irreversible${where}: ${reason}.`
          : `The downgrade of revision ${id} was not proved${where}: ${reason}.`,
      why: "A downgrade that was not seen to work on a shadow is not tried on this database.",
      do: byHandInstead(),
    });
  }
  const losses = ways.flatMap(({ planned, of }) =>
    (planned?.wayBack.loses ?? []).map((loss) => {
      const database = of === "" ? "" : `${of}: `;
      return { text: database + loss, name: database + nameOfLoss(loss) };
    }),
  );
  const open = losses.filter(({ name }) => !settings["accept-loss"].includes(name));
  if (open.length > 0) {
    throw new UserError({
      what: `Taking revision ${id} back loses what is in ${open.length} ${open.length === 1 ? "place" : "places"}.`,
      seen: open.map(({ text }) => text).join("\n"),
      why: "What was written there since the upgrade is gone afterwards; the backup has it, and nothing else.",
      do: `Go forward with a new revision instead, or accept each by its name: ${open.map(({ name }) => `--accept-loss '${name}'`).join(" ")}`,
    });
  }
  const strange = settings["accept-loss"].filter((name) => losses.every((loss) => loss.name !== name));
  if (strange.length === 0) return;
  throw new UserError({
    what: `accept-loss names what revision ${id} does not lose: ${strange.join(", ")}.`,
    seen:
      losses.length === 0 ? "It loses nothing." : `It loses ${losses.map(({ text }) => text).join(", ")}.`,
    do: "Take it out: it may stand there for another revision.",
  });
}

/** One back means another revision where a database is elsewhere. */
function requireSameRevision(id: string, elsewhere: readonly SeenOther[]): void {
  const strange = elsewhere.find(({ goal }) => goal.pending.every((revision) => revision.id !== id));
  if (strange === undefined) return;
  throw new UserError({
    what: `The newest revision is ${id} here, and another one in the database "${bindLabel(strange.name)}".`,
    where: strange.target.where,
    seen: `It is at ${strange.seen.heads.join(", ")}.`,
    why: "The tool takes back one revision in every database of the project at once.",
    do: `Bring them to the same revision first: migration-gate apply --bind ${bindLabel(strange.name)}, or restore the one that is ahead.`,
  });
}

/** One revision down. */
function goalBack({ graph }: Target): (seen: SeenDatabase) => Goal {
  return ({ heads }) => {
    const { revision, applied, heads: after } = newestOf(graph, heads);
    return { target: oneBack(revision), applied, heads: after, pending: [revision] };
  };
}
