import { deployedFindings } from "../findings/deployed";
import { knownSteps } from "../findings/known-steps";
import { laneNotProved, refusedOnDeployed } from "../findings/lane-obstacles";
import { otherSchemaFindings } from "../findings/other-schema";
import { rowSettingFindings } from "../findings/row-settings";
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
  /** Those of them that had landed. */
  readonly edited: ReadonlySet<string>;
  readonly start: LaneStart;
  readonly fresh: FreshLaneResult;
  /** Of the shadow, e.g. "17.2". */
  readonly version: string;
  readonly config: string;
  /** migration-gate.yml, as messages name it. */
  readonly settingsFile: string | undefined;
}

export interface DeployedPart {
  readonly report: DeployLaneReport;
  readonly findings: readonly Finding[];
  /** The schemas at the head were compared, of an empty database and of one with the base's history. */
  readonly bothRan: boolean;
}

/** What the lane saw, as findings and as a part of the report. */
export function deployedPart(outcome: DeployLaneOutcome, context: DeployReportContext): DeployedPart {
  const told = { ...context, required: context.settings.require === "deploy-lane" };
  if (outcome.kind === "skipped") {
    return {
      report: { ...nothing, status: "skipped", reason: outcome.reason },
      findings: [],
      bothRan: false,
    };
  }
  if (outcome.kind === "not proved") {
    const { reason, cause, do: advice } = outcome.obstacle;
    return {
      report: { ...nothing, status: "not proved", reason, cause },
      findings: [laneNotProved(reason, advice, told)],
      bothRan: false,
    };
  }
  const { result, base, kept, differs } = outcome;
  const { fresh, version, start } = context;
  const graph = outcome.graph ?? context.graph;
  const judged = new Set([...context.judged, ...result.steps.map(({ revision }) => revision)]);
  const seenBy = `PostgreSQL ${version}, deploy lane`;
  const [first] = fresh.legs;
  // A tool that ends well may have swallowed an error, and stand somewhere below.
  const isWhole =
    first !== undefined &&
    first.failure === undefined &&
    first.direction === "upgrade" &&
    context.graph.heads.every((head) => first.heads.includes(head));
  const bothRan = isWhole && result.catalog !== undefined && differs !== undefined;
  const schema =
    bothRan && result.catalog !== undefined
      ? otherSchemaFindings({
          fresh: first.catalog,
          deployed: result.catalog,
          before: new Set(differs),
          steps: [...first.steps, ...result.changes],
          judged: context.judged,
          edited: context.edited,
          graph,
          seenBy,
        })
      : [];
  const isRefused = isWhole && result.trouble !== undefined && result.catalog === undefined;
  const own = deployedFindings(result.facts, { graph, judged, seenBy }, knownSteps(fresh.facts));
  const rows = rowSettingFindings(result.unused, { file: context.settingsFile, seenBy });
  const seen = [...own, ...schema, ...rows, ...(isRefused ? [refusedOnDeployed(result.trouble, told)] : [])];
  const failed =
    seen.some(({ severity }) => severity === "error") ||
    result.steps.some(({ status }) => status === "failed");
  const open = failed ? undefined : result.steps.find(({ status }) => status === "not proved");
  const unproved = isRefused
    ? undefined
    : (result.trouble ??
      (open === undefined ? undefined : `${open.direction} of revision ${open.revision}: ${open.reason}`));
  const findings =
    unproved === undefined
      ? seen
      : [
          ...seen,
          laneNotProved(
            unproved,
            result.trouble === undefined
              ? "See the other findings, and run the check again when they are mended."
              : "Run the tool on a copy of production to see what it does.",
            told,
          ),
        ];
  // None was wanted where the seed had put in enough.
  const empty = result.tables.filter(({ rows: put, wanted }) => put === 0 && wanted > 0);
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
    bothRan,
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
