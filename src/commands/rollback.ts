import { byHand } from "../deploy/by-hand";
import { carryOut } from "../deploy/carry-out";
import { type Newest, newestOf } from "../deploy/newest";
import { nameOfLoss, planOf } from "../deploy/plan";
import { requireRecordDirectory } from "../deploy/record";
import type { SeenDatabase } from "../deploy/status";
import { openTarget, type Target } from "../deploy/target";
import { UserError } from "../errors";
import { ownReverse } from "../lanes/own-way-back";
import type { DeployPlan, DeployReport, PlannedRevision } from "../model/deployment";
import { majorOf } from "../model/status";
import { addedBy } from "../project/added-by";
import type { Settings } from "../settings";
import { bindLabel } from "../settings/binds";
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
  requireOneDatabase(target);
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
  listener.say(await codeFirst(target, newest));
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
    words: target.tool.commands(target.project).downgrade(oneBack(revision)) ?? [],
    reverse,
    ...compared,
    backup,
    warnings,
    lock,
    listener,
    started,
  });
}

/** What a downgrade loses is accepted for one database, and the tool takes it back in all of them. */
function requireOneDatabase({ project }: Target): void {
  const { bind, config } = project;
  if (bind === undefined || bind.others.length === 0) return;
  const others = bind.others.map(({ name }) => `"${bindLabel(name)}"`).join(" and ");
  throw new UserError({
    what: "The tool takes a revision back in all databases of the project at once, and a rollback judges one.",
    where: config,
    seen: `Beside "${bindLabel(bind.name)}" it would go down in ${others}.`,
    why: "What the others would lose was neither looked at nor accepted.",
    do: "Look at what migration-gate check says of each database's downgrade (bind), take a backup of each (migration-gate backup --bind …), and run the tool's downgrade by hand; or go forward with a new revision.",
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
  return planOf({ ...planned, environment: environmentHash(target.project, target.graph.revisions) }, proved);
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

/** The running release must not need what the downgrade takes away. */
async function codeFirst({ project }: Target, { revision }: Newest): Promise<string> {
  const added = await addedBy(project.root, revision.location.file);
  const release =
    added?.before === undefined
      ? "a release from before it"
      : `a release from before it (${added.before.slice(0, 12)} or older; ${added.commit.slice(0, 12)} "${added.subject}" brought it)`;
  return `Code that needs ${revision.id} fails once it is taken back: deploy ${release} first.`;
}
