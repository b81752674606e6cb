import type { DeployLaneReport } from "./deploy-lane";
import type { Finding } from "./finding";
import type { Direction } from "./revision";
import type { RelationLock } from "./statement";
import type { StepStatus } from "./step-status";

export type { StepStatus } from "./step-status";

/** What one statement did when it was replayed alone in a transaction of its own. */
export interface StepStatement {
  readonly sql: string;
  readonly milliseconds: number;
  readonly rows: number | undefined;
  /** Undefined when the statement was not replayed; `replay` says why. */
  readonly locks: readonly RelationLock[] | undefined;
  readonly rewrites: readonly string[] | undefined;
  readonly replay: string | undefined;
}

/** One revision in one direction: `steps[]` of the JSON report. `reason` is there unless it is proved. */
export interface Step {
  readonly revision: string;
  readonly direction: Direction;
  readonly status: StepStatus;
  readonly reason: string | undefined;
  readonly judged: boolean;
  readonly milliseconds: number | undefined;
  readonly statements: readonly StepStatement[];
}

/** Which PostgreSQL proved it. `production` is the major that was asked for, where it is known. */
export interface ShadowReport {
  readonly kind: "given" | "installed" | "embedded";
  readonly version: string;
  readonly major: number;
  readonly production: number | undefined;
  readonly matchesProduction: boolean | undefined;
  /** How the tool was kept from other databases: "network namespace", or why not. */
  readonly isolation: string;
}

/** Milliseconds of each phase. */
export type Timings = Readonly<Record<string, number>>;

/** What the change did to a revision; without a base, all are "new". */
export type RevisionState = "new" | "edited" | "deleted" | "unchanged";

/** One revision of the graph: `revisions[]` of the JSON report. */
export interface RevisionReport {
  readonly id: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Relative to the working directory, with `/`. */
  readonly file: string;
  readonly state: RevisionState;
  readonly judged: boolean;
}

/** What the change is compared with. */
export interface BaseReport {
  /** Where it came from, e.g. "pull_request", "merge_group", "push", "--base". */
  readonly source: string;
  /** The commit of the merge base. */
  readonly commit: string;
}

/** The JSON report: one object on stdout. `version` grows when a field changes its meaning or goes. */
export interface CheckReport {
  readonly version: 1;
  readonly verdict: "passed" | "failed";
  readonly findings: readonly Finding[];
  readonly steps: readonly Step[];
  /** Every revision of the graph, parents first, and those that the change deleted. */
  readonly revisions: readonly RevisionReport[];
  /** Which of the project's databases was judged; undefined where it has one. */
  readonly bind: string | undefined;
  /** Undefined where every revision is under judgement. */
  readonly base: BaseReport | undefined;
  readonly shadow: ShadowReport | undefined;
  /** Undefined where the deploy lane was not run: no base, nothing to prove, or turned off. */
  readonly deployLane: DeployLaneReport | undefined;
  readonly timings: Timings;
}
