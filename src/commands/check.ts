import { loadModule } from "libpg-query";
import { proofOf, writeProof } from "../deploy/proof";
import { UserError } from "../errors";
import {
  isFatal,
  readFindings,
  unexplainedFindings,
  unprovableFinding,
  unsteadyFindings,
} from "../findings/graph";
import { besideFindings, environmentFindings } from "../findings/history";
import { laneNotProved } from "../findings/lane-obstacles";
import { lintFindings } from "../findings/lint";
import { withBothSchemas } from "../findings/other-schema";
import { proofFindings } from "../findings/proof";
import { rewriteFindings } from "../findings/rewrites";
import { asNotes, oneErrorForNoDowngrade, sortFindings, verdictOf } from "../findings/verdict";
import { judgedRevisions } from "../lanes/judged";
import type { DeployLaneReport } from "../model/deploy-lane";
import type { Finding } from "../model/finding";
import type { Policy } from "../model/policy";
import type { Revision } from "../model/revision";
import type { CheckReport, RevisionReport, RevisionState, ShadowReport, Step } from "../model/verdict";
import { suggestion } from "../nearest";
import { requireOnlyConfig } from "../project/config-file";
import { buildGraph, type Graph } from "../revisions/graph";
import type { RevisionHistory } from "../revisions/history";
import type { Settings } from "../settings";
import { bindLabel } from "../settings/binds";
import type { ToolProject } from "../tools/contract";
import { findJudged, readRevisions, sourceOf } from "../tools/find-project";
import { toolOf } from "../tools/index";
import { revisionSource } from "../tools/revision-source";
import { compareWithBase, findingsOnHistory, isFileJudged, staticGraphFindings } from "./compare";
import { type DeployLaneContext, runDeployLane } from "./deploy-lane";
import { deployedPart } from "./deploy-report";
import { type LaneStart, laneStart } from "./lane-start";
import { Clock, prove } from "./prove";
import { readStart } from "./read-start";
import { type Accepted, readAccepted, settle } from "./settle";
import { verifiedDatabase } from "./verify-on";

export interface CheckContext {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly environment: NodeJS.ProcessEnv;
  progress(text: string): void;
}

/** The pull-request gate. Throws a UserError when nothing could be judged. */
export async function check(context: CheckContext): Promise<CheckReport> {
  const { settings } = context;
  const clock = new Clock();
  const sqlParser = loadModule();
  // It is compiled beside the reading; what stops that stops this.
  sqlParser.catch(() => undefined);
  const project = findJudged(settings["working-directory"], settings);
  requireOnlyConfig(project.root, context.policy.file);
  const tool = toolOf(project);
  const read = readRevisions(project);
  const graph = buildGraph(read.revisions);
  await sqlParser;
  const history = await compareWithBase(context, sourceOf(project), read.revisions);
  const judged = judgedRevisions(read.revisions, history, settings.history);
  const floor = floorOf(graph, settings.floor);
  // Everything that is known without a database.
  const findings: Finding[] = [
    ...staticGraphFindings(
      graph,
      { judged, mergeLine: (heads) => tool.mergeLine?.(project, heads, settings.run) ?? "" },
      history,
    ),
    ...readFindings(read.problems, isFileJudged(history, settings)),
    ...(history === undefined ? [] : await findingsOnHistory(context, project, read, history)),
    ...(history === undefined || judged.size > 0 ? [] : environmentFindings(history)),
    ...(history === undefined ? [] : besideFindings(history)),
    ...ofBind(lintFindings({ graph, judged, floor, bodyOf: read.body }), project),
  ];
  const underJudgement = graph.revisions.filter(({ id }) => judged.has(id));
  const accepted = readAccepted(settings, underJudgement, read.body);
  clock.stop("static");
  const known = { settings, policy: context.policy, accepted, project, graph, history, judged, clock };
  if (graph.problems.some(isFatal)) {
    return report(known, findings, unprovable(graph, judged, "the history cannot be loaded"));
  }
  // A required check must always answer, and fast when there is nothing to prove.
  const isTakenBack = findings.some(({ rule }) => rule === "revision-taken-back");
  if (judged.size === 0 && !isTakenBack) return report(known, findings, []);
  if (project.unprovable !== undefined) {
    const finding = unprovableFinding(project.unprovable, project.config);
    return report(known, [...findings, finding], unprovable(graph, judged, project.unprovable.reason));
  }

  const start =
    settings["deploy-lane"] === "off"
      ? undefined
      : await laneStart({
          root: project.root,
          from: settings.from,
          read: await readStart(context, { tool, graph }),
          graph,
          history,
        });
  const asked = verifiedDatabase(settings, context.environment);
  const proof = await prove(
    context,
    { tool, project, graph, judged, floor },
    clock,
    start === undefined
      ? undefined
      : (beside) =>
          runDeployLane({
            ...beside,
            settings,
            start,
            floor,
            rows: context.policy.rows,
            asked,
            ...sinceBase(start, history),
          }),
  );
  const { result, shadow, steps, deployed } = proof;
  const proofFile = settings["write-proof"];
  if (proofFile !== undefined)
    writeProof(
      proofFile,
      proofOf(result, shadow, (id) => hashOf(project, graph.get(id))),
    );
  findings.push(
    ...ofBind(
      proofFindings(result.facts, {
        graph,
        judged,
        seenBy: `PostgreSQL ${shadow.version}, fresh lane`,
      }),
      project,
    ),
  );
  findings.push(...unexplainedFindings(result.unexplained, shadow));
  findings.push(...unsteadyFindings(result.unsteady, shadow));
  const replayed = { graph, seenBy: `PostgreSQL ${shadow.version}, replay` };
  findings.push(...ofBind(rewriteFindings(steps, findings, replayed), project));
  if (start === undefined || deployed === undefined) {
    if (settings.require === "deploy-lane") findings.push(notStarted(settings, shadow, project));
    return report(known, findings, steps, shadow);
  }
  const lane = deployedPart(deployed, {
    settings,
    graph,
    judged,
    edited: new Set([...judged].filter((id) => history?.states.get(id) === "edited")),
    start,
    fresh: result,
    version: shadow.version,
    config: project.config,
    settingsFile: context.policy.file,
  });
  const all = [...withBothSchemas(findings, lane), ...ofBind(lane.findings, project)];
  return report(known, all, steps, shadow, lane.report);
}

/** What was seen of one of several databases says of which. */
function ofBind(findings: readonly Finding[], { bind }: ToolProject): readonly Finding[] {
  if (bind === undefined) return findings;
  return findings.map((finding) =>
    finding.revision === undefined
      ? finding
      : { ...finding, where: `${finding.where}, database ${bindLabel(bind.name)}` },
  );
}

/** The lane is required, and there is nothing from which it could begin. */
function notStarted(settings: Settings, { version }: ShadowReport, { config }: ToolProject): Finding {
  const told = { required: true, version, config };
  return settings["deploy-lane"] === "off"
    ? laneNotProved("it is required, and turned off", "Take deploy-lane: off away, or require.", told)
    : laneNotProved(
        "no base says what is deployed",
        "Set base to the target branch, or from to what production has.",
        told,
      );
}

/** What the deploy lane must know of the change, whatever is under judgement. */
function sinceBase(
  { commit }: LaneStart,
  history: RevisionHistory | undefined,
): Pick<DeployLaneContext, "hasLanded" | "brought" | "isNothingNew"> {
  const entries = [...(history?.states ?? [])];
  const states = entries.map(([, state]) => state);
  const isBase = history !== undefined && history.base.commit === commit;
  const isThere = (history?.deleted.length ?? 0) > 0 || states.some((state) => state !== "new");
  return {
    hasLanded: isBase && isThere,
    brought: new Set(isBase ? entries.flatMap(([id, state]) => (state === "new" ? id : [])) : []),
    isNothingNew: history !== undefined && states.every((state) => state === "unchanged"),
  };
}

function hashOf(project: ToolProject, revision: Revision | undefined): string {
  return revision === undefined ? "" : revisionSource(project, revision).sha256;
}

/** No step can be proved, e.g. of a history that the tool itself cannot load. */
function unprovable(graph: Graph, judged: ReadonlySet<string>, reason: string): Step[] {
  return graph.revisions.flatMap(({ id }) =>
    (["upgrade", "downgrade"] as const).map((direction) => ({
      revision: id,
      direction,
      status: "not proved" as const,
      reason,
      judged: judged.has(id),
      milliseconds: undefined,
      statements: [],
    })),
  );
}

interface Known {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly accepted: Accepted;
  readonly project: ToolProject;
  readonly graph: Graph;
  readonly history: RevisionHistory | undefined;
  readonly judged: ReadonlySet<string>;
  readonly clock: Clock;
}

function report(
  known: Known,
  found: readonly Finding[],
  steps: readonly Step[],
  shadow?: ShadowReport,
  deployLane?: DeployLaneReport,
): CheckReport {
  const { settings, graph, history, judged, clock } = known;
  const deleted = history?.deleted.map(({ revision }) => revision) ?? [];
  // From production's revision, all that is pending there is one change.
  const pending = deployLane?.steps.map(({ revision }) => revision) ?? [];
  const changed = new Set([...judged, ...deleted.map(({ id }) => id), ...pending]);
  const settled = settle(asNotes(found, changed), shadow !== undefined, {
    ...known,
    changed,
    revisions: new Set(graph.revisions.map(({ id }) => id)),
    deployLane,
  });
  const findings = oneErrorForNoDowngrade(settled);
  return {
    version: 1,
    verdict: verdictOf(findings, steps, settings["fail-on"]),
    findings: sortFindings(
      findings,
      graph.revisions.map(({ id }) => id),
    ),
    steps,
    revisions: [
      ...graph.revisions.map((revision) =>
        revisionReport(revision, history?.states.get(revision.id) ?? "new", judged),
      ),
      ...deleted.map((revision) => revisionReport(revision, "deleted", judged)),
    ],
    bind: known.project.bind === undefined ? undefined : bindLabel(known.project.bind.name),
    base: history === undefined ? undefined : { source: history.base.source, commit: history.base.commit },
    shadow,
    deployLane,
    timings: clock.timings,
  };
}

function revisionReport(
  { id, parents, message, location }: Revision,
  state: RevisionState,
  judged: ReadonlySet<string>,
): RevisionReport {
  return { id, parents, message, file: location.file, state, judged: judged.has(id) };
}

/** Undefined is base, which Alembic also calls so. */
function floorOf(graph: Graph, text: string | undefined): string | undefined {
  if (text === undefined || text === "base") return undefined;
  const revision = graph.resolve(text);
  if (revision !== undefined) return revision.id;
  throw new UserError({
    what: `The floor "${text}" is no revision of this project.`,
    do: `${suggestion(
      text,
      graph.revisions.map(({ id }) => id),
    )}Set floor to the id of a revision, or to base.`,
  });
}
