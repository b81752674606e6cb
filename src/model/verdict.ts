import type { Finding } from "./finding";
import type { Direction } from "./revision";
import type { RelationLock } from "./statement";

export type StepStatus = "proved" | "failed" | "not proved" | "skipped";

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

/** The JSON report: one object on stdout. `version` grows when a field changes its meaning or goes. */
export interface CheckReport {
  readonly version: 1;
  readonly verdict: "passed" | "failed";
  readonly findings: readonly Finding[];
  readonly steps: readonly Step[];
  readonly shadow: ShadowReport | undefined;
  readonly timings: Timings;
}
