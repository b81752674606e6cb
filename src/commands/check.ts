import { loadModule } from "libpg-query";
import { UserError } from "../errors";
import { createIsolation, type Isolation, openReach } from "../executors/isolation";
import { terminateForGood } from "../executors/local";
import {
  isFatal,
  readFindings,
  unexplainedFindings,
  unprovableFinding,
  unsteadyFindings,
} from "../findings/graph";
import { besideFindings, environmentFindings, historyFindings } from "../findings/history";
import { lintFindings } from "../findings/lint";
import { proofFindings } from "../findings/proof";
import { rewriteFindings } from "../findings/rewrites";
import { asNotes, oneErrorForEmptyDowngrade, sortFindings, verdictOf } from "../findings/verdict";
import { type FreshLaneResult, proveOnEmptyDatabase } from "../lanes/fresh-lane";
import { judgedRevisions } from "../lanes/judged";
import { replayLegs } from "../lanes/replay-lane";
import type { Finding } from "../model/finding";
import type { Policy } from "../model/policy";
import type { Revision } from "../model/revision";
import type { CheckReport, RevisionReport, RevisionState, ShadowReport, Step } from "../model/verdict";
import { suggestion } from "../nearest";
import { requireOnlyConfig } from "../project/config-file";
import { buildGraph, type Graph } from "../revisions/graph";
import type { RevisionHistory } from "../revisions/history";
import type { Settings } from "../settings";
import { registerCleanup } from "../shadow/cleanup";
import type { ShadowServer } from "../shadow/server";
import { startShadow } from "../shadow/start";
import { findProject, readRevisions, sourceOf } from "../tools/find-project";
import { toolNamed } from "../tools/index";
import { compareWithBase, isFileJudged, staticGraphFindings } from "./compare";
import { type Accepted, readAccepted, settle } from "./settle";

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
  await loadModule();
  const project = findProject(settings["working-directory"], settings);
  requireOnlyConfig(project.root, context.policy.file);
  const tool = toolNamed(project.tool);
  const read = readRevisions(project);
  const graph = buildGraph(read.revisions);
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
    ...(history === undefined ? [] : historyFindings(history, read.revisions)),
    ...(history === undefined || judged.size > 0 ? [] : environmentFindings(history)),
    ...(history === undefined ? [] : besideFindings(history)),
    ...lintFindings({ graph, judged, floor, bodyOf: read.body }),
  ];
  const underJudgement = graph.revisions.filter(({ id }) => judged.has(id));
  const accepted = readAccepted(settings, underJudgement, read.body);
  clock.stop("static");
  const known = { settings, policy: context.policy, accepted, graph, history, judged, clock };
  if (graph.problems.some(isFatal)) {
    return report(known, findings, unprovable(graph, judged, "the history cannot be loaded"));
  }
  // A required check must always answer, and fast when there is nothing to prove.
  if (judged.size === 0) return report(known, findings, []);
  if (project.unprovable !== undefined) {
    const finding = unprovableFinding(project.unprovable, project.config);
    return report(known, [...findings, finding], unprovable(graph, judged, project.unprovable.reason));
  }

  context.progress("starting the shadow database");
  await using shadow = await startShadow({
    ...(settings["shadow-url"] === undefined ? {} : { shadowUrl: settings["shadow-url"] }),
    ...(settings["postgres-version"] === undefined ? {} : { production: settings["postgres-version"] }),
    ...(settings.shadow === "auto" ? {} : { only: settings.shadow }),
    onProgress: context.progress,
  });
  // Registered after the server, so ended before it.
  await using _commands = commandsEndBySignal();
  await using isolation = await isolate(settings);
  clock.stop("shadow start");
  const lane = {
    shadow,
    isolation,
    tool,
    project,
    run: tool.runWords(project, settings.run, context.environment["PATH"]),
    graph,
    address: {
      databaseUrlEnv: settings["database-url-env"],
      databaseUrlFormat: settings["database-url-format"],
      env: settings.env,
    },
    setup: settings.setup,
    toolTimeoutMs: settings["tool-timeout"] * 1000,
    environment: context.environment,
    progress: context.progress,
  };
  const result = await proveOnEmptyDatabase(lane, { judged, floor });
  clock.stop("fresh lane");
  const shadowReport = describeShadow(shadow, settings["postgres-version"], isolation);
  findings.push(
    ...proofFindings(result.facts, {
      graph,
      judged,
      seenBy: `PostgreSQL ${shadowReport.version}, fresh lane`,
    }),
  );
  findings.push(...unexplainedFindings(result.unexplained, shadowReport));
  findings.push(...unsteadyFindings(result.unsteady, shadowReport));
  context.progress("replaying statements for their locks");
  const statements = await replayLegs(lane, result.legs, judged);
  clock.stop("replay");
  const steps = stepsWith(result, statements, judged);
  const replayed = { graph, seenBy: `PostgreSQL ${shadowReport.version}, replay` };
  findings.push(...rewriteFindings(steps, findings, replayed));
  return report(known, findings, steps, shadowReport);
}

/** Ends the tool when a signal ends the gate. */
function commandsEndBySignal(): AsyncDisposable {
  const unregister = registerCleanup({ run: terminateForGood, runNow: () => undefined });
  return { [Symbol.asyncDispose]: async () => unregister() };
}

function stepsWith(
  result: FreshLaneResult,
  statements: ReadonlyMap<string, Step["statements"]>,
  judged: ReadonlySet<string>,
): Step[] {
  return result.steps.map((step) => ({
    ...step,
    judged: judged.has(step.revision),
    statements: statements.get(`${step.direction} ${step.revision}`) ?? [],
  }));
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
): CheckReport {
  const { settings, graph, history, judged, clock } = known;
  const deleted = history?.deleted.map(({ revision }) => revision) ?? [];
  const changed = new Set([...judged, ...deleted.map(({ id }) => id)]);
  const settled = settle(asNotes(found, changed), shadow !== undefined, { ...known, changed });
  const findings = oneErrorForEmptyDowngrade(settled);
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
    base: history === undefined ? undefined : { source: history.base.source, commit: history.base.commit },
    shadow,
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

async function isolate(settings: Settings): Promise<Isolation> {
  if (settings.isolation === "off") return openReach("the setting isolation is off");
  const isolation = await createIsolation();
  if (isolation.kind === "none" && settings.isolation === "required") {
    throw new UserError({
      what: "The tool cannot be kept in a network namespace here, and isolation is required.",
      seen: isolation.reason,
      do: "Allow unprivileged user namespaces on this machine, run the check as root, or set isolation to auto.",
    });
  }
  return isolation;
}

function describeShadow(
  shadow: ShadowServer,
  production: number | undefined,
  isolation: Isolation,
): ShadowReport {
  return {
    kind: shadow.kind,
    version: shadow.version,
    major: shadow.major,
    production,
    matchesProduction: production === undefined ? undefined : production === shadow.major,
    isolation:
      isolation.kind === "none"
        ? `the seen arrival of its status command only (no network namespace: ${isolation.reason})`
        : "a network namespace, and the seen arrival of its status command",
  };
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

/** Milliseconds from one stop to the next. */
class Clock {
  readonly timings: Record<string, number> = {};
  private last = performance.now();

  stop(name: string): void {
    const now = performance.now();
    this.timings[name] = Math.round(now - this.last);
    this.last = now;
  }
}
