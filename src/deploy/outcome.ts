import type { DeployReport, DeployState, Problem } from "../model/deployment";
import type { ToolFailure } from "../tools/contract";
import { unprovedProblem } from "./compare-with-proof";
import type { Drift } from "./drift";
import type { MigrationResult } from "./migrate";

/** What is known after the tool has ended; the version table speaks first. */
export interface AfterMigration {
  readonly result: MigrationResult;
  /** Undefined where the version table could not be read. */
  readonly heads: readonly string[] | undefined;
  readonly isAtGoal: boolean;
  readonly isWhereItWas: boolean;
  /** Keys of the catalog that differ although the version table is where it was. */
  readonly leftovers: readonly string[];
  /** Parts of the schema that are neither proved nor were there before. */
  readonly unproved: readonly Drift[];
  /** False: the schema was to be compared, and could not be read. */
  readonly isCompared: boolean;
  /** What ran is rolled back as a whole when it fails. */
  readonly repeatable: boolean;
  readonly failure: ToolFailure | undefined;
  /** The revision at which it stopped. */
  readonly revision: string | undefined;
  readonly command: string;
  readonly lockTimeoutMs: number;
  readonly lockTries: number;
  readonly databaseUrlEnv: string;
}

/** The state that the database is in. */
export function stateAfter(after: AfterMigration): DeployState {
  if (after.heads === undefined || after.result.sessionsLeft) return "unknown";
  if (after.isAtGoal) {
    const { last, invalidIndexes } = after.result;
    const isClean =
      last.exitCode === 0 && invalidIndexes.length === 0 && after.unproved.length === 0 && after.isCompared;
    return isClean ? "at target" : "unverified";
  }
  if (!after.isWhereItWas || after.leftovers.length > 0 || after.result.invalidIndexes.length > 0)
    return "partly applied";
  // Rows that a committed statement wrote are in no catalog.
  return after.repeatable && after.isCompared ? "unchanged" : "unknown";
}

/** What is not known although it should be, worst first. */
export function doubtsAfter({ result, heads, isCompared }: AfterMigration): Problem[] {
  const problems: Problem[] = [];
  if (result.stopped !== undefined) problems.push(result.stopped);
  if (result.sessionsLeft) {
    problems.push({
      what: "A session of the tool may still be at work in the database: the server was not reached, or could not be brought to end it.",
      do: "Look for it in pg_stat_activity and end it with pg_terminate_backend as its owner or a superuser; then run migration-gate status.",
    });
  }
  if (heads === undefined) {
    problems.push({
      what: "The version table could not be read after the tool had ended, so that nothing is known of what it did.",
      do: "Run migration-gate status when the database answers again; then run the same job once more.",
    });
  }
  if (heads !== undefined && !isCompared) {
    problems.push({
      what: "The schema could not be read after the tool had ended, so that it was not compared.",
      why: "That the version table is right does not prove that the schema is.",
      do: "Look at it when the database answers again; pg_dump --schema-only shows it.",
    });
  }
  return problems;
}

/** Why it is not done, worst first; none where all is as it was to be. */
export function problemsAfter(after: AfterMigration): Problem[] {
  const { result, heads, isAtGoal, command } = after;
  const problems = doubtsAfter(after);
  if (isAtGoal) {
    if (result.invalidIndexes.length > 0) problems.push(invalidLeft(result.invalidIndexes));
    if (after.unproved.length > 0) problems.push(unprovedProblem(after.unproved));
    if (result.last.exitCode === 0) return problems;
    problems.push({
      what: `"${command}" ended with ${ending(after)}, although the version table is where it was to be.`,
      seen: lastLines(after),
      why: "What the project does after its migrations did not succeed.",
      do: "Mend what it names and run the same job again; no revision is pending any more.",
    });
    return problems;
  }
  if (heads !== undefined) problems.push(whyNotDone(after, heads));
  if (result.invalidIndexes.length > 0) problems.push(invalidLeft(result.invalidIndexes));
  return problems;
}

function whyNotDone(after: AfterMigration, heads: readonly string[]): Problem {
  const { result, failure, revision, command } = after;
  const at = `The version table holds ${heads.join(", ") || "nothing"}.`;
  const subject = revision === undefined ? `"${command}"` : `Revision ${revision}`;
  if (result.limit === "lock") {
    const blockers = result.waits.at(-1)?.blockedBy ?? [];
    return {
      what: `${subject} could not have a lock within ${after.lockTimeoutMs / 1000} s, in ${result.tries} ${result.tries === 1 ? "try" : "tries"}.`,
      seen: [...blockers.map((text) => `blocked by ${text}`), ...notTriedAgain(after), at].join("\n"),
      why: "Whatever comes after a statement that waits for a lock waits behind it.",
      do: "Let what holds the lock end, or deploy at a quieter time; the same job starts where this one stopped.",
    };
  }
  if (result.last.timedOut || result.limit === "statement") {
    return {
      what: result.last.timedOut
        ? `"${command}" did not end in time and was ended.`
        : `${subject} had a statement that took longer than statement-timeout allows.`,
      seen: [lastLines(after), at].filter((text) => text !== "").join("\n"),
      do: `Raise ${result.last.timedOut ? "apply-timeout" : "statement-timeout"}, or split the work; the same job starts where this one stopped.`,
    };
  }
  if (result.last.exitCode === 0) {
    return {
      what: `"${command}" ended with 0 and did not do what it was started for.`,
      seen: [lastLines(after), at].filter((text) => text !== "").join("\n"),
      why: "An exit code proves nothing: env.py may work on another database, or swallow an error.",
      do: `Let env.py take the address from ${after.databaseUrlEnv} (or set database-url-env), and let errors through.`,
    };
  }
  return {
    what: `${subject} failed: ${failure?.summary ?? `"${command}" ended with ${ending(after)}.`}`,
    ...(failure?.file === undefined
      ? {}
      : { where: [failure.file, failure.line].filter((part) => part !== undefined).join(":") }),
    seen: [lastLines(after), at].filter((text) => text !== "").join("\n"),
    do: `${failure?.do ?? "Mend what it names."}\nThen deploy again: the same job starts where this one stopped.`,
  };
}

function notTriedAgain({ result, lockTries }: AfterMigration): string[] {
  if (result.tries >= lockTries || result.sessionsLeft) return [];
  return [
    "Not tried again: a revision works outside of one transaction, and may have been committed in part.",
  ];
}

/** `where`: of which database, where there are several. */
export function invalidLeft(names: readonly string[], where?: string): Problem {
  return {
    ...(where === undefined ? {} : { where }),
    what: `${names.length === 1 ? "An invalid index was" : "Invalid indexes were"} left by a build that did not end: ${names.join(", ")}.`,
    why: "It is never used, costs every write, and the next try fails because its name is taken.",
    do: `${names.map((name) => `DROP INDEX CONCURRENTLY ${name};`).join("\n")}\nOr set drop-invalid-indexes, and the gate drops what its own apply left.`,
  };
}

function ending({ result: { last } }: AfterMigration): string {
  return last.timedOut ? "a time limit" : String(last.exitCode ?? last.signal);
}

function lastLines({ failure, result }: AfterMigration): string {
  return (failure?.lastLines ?? result.last.output.trimEnd().split("\n")).slice(-8).join("\n");
}

/** 0 at the target, 1 the database may have changed, 2 it did not. */
export function deployExitCode({ outcome, state }: Pick<DeployReport, "outcome" | "state">): 0 | 1 | 2 {
  if (outcome !== "failed") return 0;
  return state === "unchanged" ? 2 : 1;
}
