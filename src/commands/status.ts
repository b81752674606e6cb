import { halfWay } from "../deploy/half-way";
import { openTarget } from "../deploy/target";
import type { StatusReport } from "../model/status";
import type { Settings } from "../settings";

export interface StatusContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Which revisions a database has, by its version table and the revision files alone: the tool is not started, because
 * an env.py may write on any command, and nothing is written. A UserError where it cannot be told.
 */
export async function status({ settings, environment }: StatusContext): Promise<StatusReport> {
  await using target = await openTarget(settings, environment, "migration-gate status");
  const seen = await target.seen();
  const report = await target.status(seen);
  // A tool with a row for each revision writes it after the revision's own COMMITs.
  if (target.tool.rows === undefined || report.state !== "pending") return report;
  const next = target.graph.get(report.revisions.find(({ status: word }) => word === "pending")?.id ?? "");
  const half = next === undefined ? undefined : await halfWay(target, seen, next);
  if (half === undefined) return report;
  const present = half.present.map(({ kind, name }) => `${kind} ${name}`);
  return {
    ...report,
    revisions: report.revisions.map((each) => (each.id === next?.id ? { ...each, present } : each)),
  };
}
