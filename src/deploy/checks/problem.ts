import type { ErrorParts } from "../../errors";

/** What preflight looks at; docs/preflight.md has a row for each. Ids never change. */
export const preflightChecks = [
  "pooler",
  "read-replica",
  "read-only",
  "version-table-rights",
  "table-owner",
  "schema-rights",
  "extension",
  "connections",
  "other-migration",
  "long-transaction",
  "idle-in-transaction",
  "prepared-transaction",
  "wraparound-vacuum",
  "waiting-sessions",
  "hidden-sessions",
  "tls",
  "logical-replication",
  "invalid-index",
  "unvalidated-constraint",
  "server-timeouts",
] as const;
export type PreflightCheck = (typeof preflightChecks)[number];

/** One thing that stands in the way of a write, or that whoever writes should know. All parts are there. */
export interface PreflightProblem {
  readonly check: PreflightCheck;
  readonly parts: Required<ErrorParts>;
}

/** What one group of checks found. */
export interface Problems {
  readonly refusals: readonly PreflightProblem[];
  readonly warnings: readonly PreflightProblem[];
}

export const noProblems: Problems = { refusals: [], warnings: [] };

export function joinProblems(all: readonly Problems[]): Problems {
  return {
    refusals: all.flatMap(({ refusals }) => refusals),
    warnings: all.flatMap(({ warnings }) => warnings),
  };
}
