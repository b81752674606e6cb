import { deployedFindings } from "../findings/deployed";
import { knownSteps } from "../findings/known-steps";
import { laneNotProved, refusedOnDeployed } from "../findings/lane-obstacles";
import { otherSchemaFindings } from "../findings/other-schema";
import type { FreshLaneResult } from "../lanes/fresh-lane";
import type { DeployLaneReport } from "../model/deploy-lane";
import type { Finding } from "../model/finding";
import type { Graph } from "../revisions/graph";
import type { Settings } from "../settings";
import type { DeployLaneOutcome } from "./deploy-lane";
import type { LaneStart } from "./lane-start";

export interface DeployReportContext {
  readonly settings: Pick<Settings, "require">;
  readonly graph: Graph;
  readonly judged: ReadonlySet<string>;
  readonly start: LaneStart;
  readonly fresh: FreshLaneResult;
  /** Of the shadow, e.g. "17.2". */
  readonly version: string;
  readonly config: string;
}

export interface DeployedPart {
  readonly report: DeployLaneReport;
  readonly findings: readonly Finding[];
}

/** What the lane saw, as findings and as a part of the report. */
export function deployedPart(outcome: DeployLaneOutcome, context: DeployReportContext): DeployedPart {
  const told = { ...context, required: context.settings.require === "deploy-lane" };
  if (outcome.kind === "skipped") {
    return { report: { ...nothing, status: "skipped", reason: outcome.reason }, findings: [] };
  }
  if (outcome.kind === "not proved") {
    const { reason, cause, do: advice } = outcome.obstacle;
    return {
      report: { ...nothing, status: "not proved", reason, cause },
      findings: [laneNotProved(reason, advice, told)],
    };
  }
  const { result, base, kept, differs } = outcome;
  const { fresh, version, start } = context;
  const graph = outcome.graph ?? context.graph;
  const judged = new Set([...context.judged, ...result.steps.map(({ revision }) => revision)]);
  const seenBy = `PostgreSQL ${version}, deploy lane`;
  const [first] = fresh.legs;
  const isWhole = first !== undefined && first.failure === undefined && first.direction === "upgrade";
  const schema =
    isWhole && result.catalog !== undefined && differs !== undefined
      ? otherSchemaFindings({
          fresh: first.catalog,
          deployed: result.catalog,
          before: new Set(differs),
          steps: first.steps,
          judged: context.judged,
          graph,
          seenBy,
        })
      : [];
  const isRefused = isWhole && result.trouble !== undefined && result.catalog === undefined;
  const trouble =
    result.trouble === undefined
      ? []
      : isRefused
        ? [refusedOnDeployed(result.trouble, told)]
        : [laneNotProved(result.trouble, "Run the tool on a copy of production to see what it does.", told)];
  const own = deployedFindings(result.facts, { graph, judged, seenBy }, knownSteps(fresh.facts));
  const findings = [...own, ...schema, ...trouble];
  const failed = findings.some(
    ({ severity, rule }) => severity === "error" && rule !== "deploy-lane-not-proved",
  );
  // None was wanted where the seed had put in enough.
  const empty = result.tables.filter(({ rows, wanted }) => rows === 0 && wanted > 0);
  const open = result.steps.find(({ status }) => status === "not proved");
  const unproved = (isRefused ? undefined : result.trouble) ?? (failed ? undefined : open?.reason);
  return {
    report: {
      status: failed ? "failed" : unproved === undefined ? "proved" : "not proved",
      reason: unproved,
      cause: undefined,
      start: { from: start.from, heads: base.heads },
      kept,
      rows: result.level,
      tables: {
        all: result.tables.length,
        filled: result.tables.length - empty.length,
        unfilled: empty.map(({ table, reason }) => ({ table, reason: reason ?? "no row was taken" })),
      },
      steps: result.steps,
    },
    findings,
  };
}

const nothing = {
  reason: undefined,
  cause: undefined,
  start: undefined,
  kept: false,
  rows: undefined,
  tables: { filled: 0, all: 0, unfilled: [] },
  steps: [],
} as const satisfies Omit<DeployLaneReport, "status">;
