import type { DeployLaneReport } from "../model/deploy-lane";
import { isLintRule } from "./rule-ids";

export interface Asked {
  /** False where no lane has run: then what proof would show is not known. */
  readonly proofRan: boolean;
  /** Absent where that lane was not to run. */
  readonly deployLane?: DeployLaneReport | undefined;
}

/** What rows show. */
const rowRules = ["fails-on-rows", "may-fail-on-rows", "downgrade-loses-data", "upgrade-loses-data"];

/** Whether this check would have found it of this revision, if it were there; what was not asked may yet be found. */
export function wasAsked(
  rule: string,
  revision: string | undefined,
  { proofRan, deployLane }: Asked,
): boolean {
  if (isLintRule(rule)) return true;
  const steps = deployLane?.steps ?? [];
  if (rowRules.includes(rule)) {
    const own = steps.filter((step) => revision === undefined || step.revision === revision);
    return own.length > 0 && own.every(({ status }) => status !== "not proved");
  }
  if (rule === "schema-depends-on-history") {
    const ups = steps.filter(({ direction }) => direction === "upgrade");
    return deployLane?.start !== undefined && ups.every(({ status }) => status === "proved");
  }
  if (rule === "unused-row-setting" || rule === "deploy-lane-not-proved")
    return deployLane?.start !== undefined;
  return proofRan;
}
