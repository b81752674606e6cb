import { describe, expect, test } from "vitest";
import type { MigrationResult } from "../../src/deploy/migrate";
import { type AfterMigration, doubtsAfter, problemsAfter, stateAfter } from "../../src/deploy/outcome";

const result: MigrationResult = {
  last: {
    exitCode: 0,
    signal: null,
    output: "",
    outputCut: false,
    milliseconds: 1,
    timedOut: false,
  },
  tries: 1,
  waits: [],
  limit: undefined,
  invalidIndexes: [],
  invalidElsewhere: [],
  unvalidated: [],
  isWatched: true,
  sessionsLeft: false,
  sessionsLeftElsewhere: false,
};
const done: AfterMigration = {
  result,
  heads: ["two"],
  isAtGoal: true,
  isWhereItWas: false,
  leftovers: [],
  unproved: [],
  isCompared: true,
  repeatable: true,
  failure: undefined,
  revision: undefined,
  command: "alembic upgrade head",
  lockTimeoutMs: 5_000,
  lockTries: 5,
  databaseUrlEnv: "DATABASE_URL",
};
const failed: AfterMigration = {
  ...done,
  result: { ...result, last: { ...result.last, exitCode: 1 } },
  heads: ["one"],
  isAtGoal: false,
  isWhereItWas: true,
};

describe("a state is never better than what was seen", () => {
  test.each<[string, AfterMigration, string]>([
    ["all is as it was to be", done, "at target"],
    ["all is as it was", failed, "unchanged"],
    ["at the goal, and the schema could not be compared", { ...done, isCompared: false }, "unverified"],
    ["where it was, and the schema could not be compared", { ...failed, isCompared: false }, "unknown"],
    ["a session is left", { ...done, result: { ...result, sessionsLeft: true } }, "unknown"],
    ["statements may have been committed one by one", { ...failed, repeatable: false }, "unknown"],
  ])("%s", (_, after, state) => {
    expect(stateAfter(after)).toBe(state);
    if (state === "unverified") expect(problemsAfter(after)).not.toEqual([]);
  });

  test("what is not known stands beside an interruption, too", () => {
    const after = { ...failed, result: { ...failed.result, sessionsLeft: true }, isCompared: false };
    expect(doubtsAfter(after).map(({ what }) => what)).toEqual([
      expect.stringMatching(/^A session of the tool may still be at work/),
      expect.stringMatching(/^The schema could not be read/),
    ]);
    expect(doubtsAfter(failed)).toEqual([]);
  });
});
