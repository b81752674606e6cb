import { readFileSync } from "node:fs";
import type { Goal } from "../deploy/goal";
import { type Proved, planDifferences, planOf } from "../deploy/plan";
import type { SeenDatabase } from "../deploy/status";
import type { Target } from "../deploy/target";
import { UserError } from "../errors";
import type { DeployPlan, DeployReport } from "../model/deployment";
import { environmentHash } from "../tools/environment-hash";
import { revisionSource } from "../tools/revision-source";

/** What an apply would do, with each revision's statements and way back, by their proof on a shadow. */
export function makePlan(
  target: Target,
  { seen, goal }: { readonly seen: SeenDatabase; readonly goal: Goal },
  proved: Proved,
): DeployPlan {
  const sha256 = (revision: Goal["pending"][number]) => revisionSource(target.project, revision).sha256;
  const environment = environmentHash(target.project, target.graph.revisions);
  return planOf(
    { command: "apply", seen, goal: goal.heads, revisions: goal.pending, sha256, environment },
    proved,
  );
}

/** The plan of a file. A UserError where it is none. */
export function readPlan(file: string): DeployPlan {
  let seen: string;
  try {
    const plan: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (isPlan(plan)) return plan;
    if (isNothing(plan)) return planOfNothing(plan);
    seen = "It is JSON, and no plan of this version.";
  } catch (error) {
    seen = error instanceof Error ? error.message : String(error);
  }
  throw new UserError({
    what: `${file} is not a plan.`,
    seen,
    do: "Make one: migration-gate apply --dry-run --format json > plan.json",
  });
}

/** A UserError with every difference where what would run now is not what was reviewed. */
export function requireSame(file: string, reviewed: DeployPlan, now: DeployPlan): void {
  refuseFor(file, planDifferences(reviewed, now));
}

/** Where nothing is pending: a plan of another database or another goal has not been applied by that. */
export function requireSameGoal(
  file: string,
  reviewed: DeployPlan,
  { seen, goal }: { readonly seen: SeenDatabase; readonly goal: Goal },
): void {
  const differences: string[] = [];
  if (reviewed.database.name !== seen.database.name)
    differences.push(`the database: reviewed ${reviewed.database.name}; now ${seen.database.name}`);
  const [one, other] = [reviewed.heads.goal, goal.heads].map((heads) => [...heads].sort().join(", "));
  if (one !== other) differences.push(`the goal: reviewed ${one}; now ${other}`);
  refuseFor(file, differences);
}

function refuseFor(file: string, differences: readonly string[]): void {
  if (differences.length === 0) return;
  throw new UserError({
    what: `What would be applied is not what was reviewed in ${file}.`,
    seen: differences.join("\n"),
    why: "A plan is applied as it was reviewed or not at all.",
    do: "Make a new plan with apply --dry-run --format json, and review it.",
  });
}

/** What a dry run says of a database at which nothing is pending. */
function isNothing(value: unknown): value is DeployReport {
  if (value === null || typeof value !== "object") return false;
  const { version, command, outcome, heads, database } = value as Partial<DeployReport>;
  return (
    version === 1 &&
    command === "apply" &&
    outcome === "nothing to do" &&
    Array.isArray(heads?.before) &&
    Array.isArray(heads.goal) &&
    typeof database?.name === "string"
  );
}

function planOfNothing({ database, heads: { before, goal } }: DeployReport): DeployPlan {
  const shadow = { version: "", major: 0 };
  return {
    version: 1,
    kind: "plan",
    command: "apply",
    database,
    heads: { before, goal },
    environment: "",
    revisions: [],
    shadow,
  };
}

function isPlan(value: unknown): value is DeployPlan {
  if (value === null || typeof value !== "object") return false;
  const { version, kind, command, heads, revisions, database } = value as Partial<DeployPlan>;
  return (
    version === 1 &&
    kind === "plan" &&
    command === "apply" &&
    Array.isArray(heads?.before) &&
    Array.isArray(heads.goal) &&
    typeof database?.name === "string" &&
    Array.isArray(revisions) &&
    revisions.every((each) => typeof each?.id === "string" && Array.isArray(each.statements))
  );
}
