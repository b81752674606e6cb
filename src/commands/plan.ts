import { readFileSync } from "node:fs";
import { loadModule } from "libpg-query";
import { sourceOf } from "../deploy/carry-out";
import type { Goal } from "../deploy/goal";
import { type Proved, planDifferences, planOf } from "../deploy/plan";
import type { SeenDatabase } from "../deploy/status";
import type { Target } from "../deploy/target";
import { UserError } from "../errors";
import type { DeployPlan } from "../model/deployment";
import { type ProveContext, prove } from "./prove";

/** Proves revisions on a shadow for what a plan or a rollback wants to know of them. */
export async function proveRevisions(
  context: ProveContext,
  { tool, project, graph }: Pick<Target, "tool" | "project" | "graph">,
  ids: readonly string[],
): Promise<Proved> {
  await loadModule();
  const proof = await prove(context, { tool, project, graph, judged: new Set(ids), floor: undefined });
  return { ...proof, isVersionWrite: (sql) => tool.versionWrites(sql).length > 0 };
}

/** What an apply would do, with each revision's statements and way back, by a proof on a shadow. */
export async function makePlan(
  context: ProveContext,
  target: Target,
  { seen, goal }: { readonly seen: SeenDatabase; readonly goal: Goal },
): Promise<DeployPlan> {
  const ids = goal.pending.map(({ id }) => id);
  const proved = await proveRevisions(context, target, ids);
  const sha256 = (revision: Goal["pending"][number]) => sourceOf(target, revision).sha256;
  return planOf({ seen, goal: goal.heads, pending: goal.pending, sha256 }, proved);
}

/** The plan of a file. A UserError where it is none. */
export function readPlan(file: string): DeployPlan {
  let seen: string;
  try {
    const plan: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (isPlan(plan)) return plan;
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
  const differences = planDifferences(reviewed, now);
  if (differences.length === 0) return;
  throw new UserError({
    what: `What would be applied is not what was reviewed in ${file}.`,
    seen: differences.join("\n"),
    why: "A plan is applied as it was reviewed or not at all.",
    do: "Make a new plan with apply --dry-run --format json, and review it.",
  });
}

function isPlan(value: unknown): value is DeployPlan {
  if (value === null || typeof value !== "object") return false;
  const { version, kind, heads, revisions, database } = value as Partial<DeployPlan>;
  return (
    version === 1 &&
    kind === "plan" &&
    Array.isArray(heads?.before) &&
    Array.isArray(heads.goal) &&
    typeof database?.name === "string" &&
    Array.isArray(revisions) &&
    revisions.every((each) => typeof each?.id === "string" && Array.isArray(each.statements))
  );
}
