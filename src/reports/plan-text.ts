import type { DeployPlan, PlannedRevision, RollbackOrder, WayBack } from "../model/deployment";
import { majorOf } from "../model/status";
import { harmless, type Paint } from "./terminal";

/** A plan for a terminal: what would run, revision by revision, and how each is taken back. */
export function planText(plan: DeployPlan, paint: Paint): string {
  const { command, database, heads, revisions, shadow } = plan;
  const lines = [
    `${harmless(database.name)}, PostgreSQL ${harmless(database.server)}: from ${list(heads.before)} to ${list(heads.goal)}, ${revisions.length} ${revisions.length === 1 ? "revision" : "revisions"}.`,
    `Recorded on an empty PostgreSQL ${harmless(shadow.version)}: statements that depend on rows may differ.`,
    ...majorLine(plan, paint),
    ...otherLines(plan, paint),
    ...revisions.flatMap((revision) => ["", ...revisionLines(revision, paint)]),
    ...(plan.order === undefined ? [] : ["", ...orderLines(plan.order)]),
    "",
    command === "apply"
      ? "Nothing was changed. To apply exactly this: apply --dry-run --format json > plan.json, and after the review apply --plan plan.json"
      : "Nothing was changed.",
  ];
  return `${lines.join("\n")}\n`;
}

const firstOf = {
  code: "code first",
  database: "database first",
  neither: "neither first",
  either: "either first",
} as const;

/** In which order a release and its database go back, and why. */
export function orderLines(order: RollbackOrder | undefined): string[] {
  if (order === undefined) return [];
  const steps = order.steps.map((step, index) => `         ${index + 1}. ${harmless(step)}`);
  return [`order    ${firstOf[order.first]}: ${harmless(order.why)}`, ...steps];
}

/** Another major version may take other locks, and refuse other statements. */
function majorLine({ database, shadow, revisions }: DeployPlan, paint: Paint): string[] {
  const major = majorOf(database);
  if (revisions.length === 0 || Number.isNaN(major) || major === shadow.major) return [];
  return [
    paint.yellow(
      `The database is PostgreSQL ${major}: with --postgres-version ${major} it is recorded on the same.`,
    ),
  ];
}

/** What the same start of the tool does elsewhere is no part of this plan. */
function otherLines({ others = [] }: DeployPlan, paint: Paint): string[] {
  return others
    .filter(({ pending }) => pending.length > 0)
    .map(({ bind, pending }) =>
      paint.yellow(
        `The same start of the tool migrates the database "${harmless(bind)}": ${list(pending)} (its plan: --bind ${harmless(bind)}).`,
      ),
    );
}

function revisionLines(revision: PlannedRevision, paint: Paint): string[] {
  const { id, message, file, notProved, statements, wayBack } = revision;
  return [
    `${paint.bold(harmless(id))}  ${harmless(message)}  ${paint.dim(harmless(file))}`,
    ...(notProved === undefined ? [] : [paint.red(`  not proved: ${harmless(notProved)}`)]),
    ...statements.flatMap(({ sql, locks, rewrites }) => [
      ...harmless(sql)
        .trim()
        .split("\n")
        .map((line, index) => `${index === 0 ? "  > " : "    "}${line}`),
      ...(locks === undefined || locks.length === 0 ? [] : [paint.dim(`      locks ${list(locks)}`)]),
      ...(rewrites.length === 0 ? [] : [paint.yellow(`      rewrites ${list(rewrites)}`)]),
    ]),
    `  back: ${wayBackText(wayBack, paint)}`,
  ];
}

function wayBackText({ kind, reason, loses }: WayBack, paint: Paint): string {
  switch (kind) {
    case "proved downgrade":
      return paint.green("its downgrade was proved and loses nothing");
    case "loses data":
      return paint.yellow(
        `its downgrade was proved and loses what was written since:\n        ${loses.map(harmless).join("\n        ")}`,
      );
    case "irreversible":
      return paint.yellow(`irreversible, because ${harmless(reason ?? "")}; only the backup leads back`);
    case "restore only":
      return paint.red(`only the backup leads back: ${harmless(reason ?? "")}`);
  }
}

function list(names: readonly string[]): string {
  return names.map(harmless).join(", ") || "base";
}
