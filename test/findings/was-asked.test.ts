import { expect, test } from "vitest";
import { wasAsked } from "../../src/findings/was-asked";
import type { DeployLaneReport } from "../../src/model/deploy-lane";
import type { StepStatus } from "../../src/model/step-status";

/** A lane with these statuses: of `b`'s upgrade and downgrade, then of `c`'s. */
function lane(...statuses: StepStatus[]): DeployLaneReport {
  return {
    status: "proved",
    reason: undefined,
    cause: undefined,
    start: { from: "main", heads: ["a"] },
    kept: false,
    rows: "hostile",
    tables: { filled: 1, all: 1, unfilled: [] },
    steps: statuses.map((status, index) => ({
      revision: index < 2 ? "b" : "c",
      direction: index % 2 === 0 ? "upgrade" : "downgrade",
      status,
      reason: undefined,
      milliseconds: undefined,
    })),
  };
}

const skipped: DeployLaneReport = { ...lane(), status: "skipped", start: undefined };
const whole = lane("proved", "proved", "failed", "failed");
const half = lane("proved", "proved", "proved", "not proved");
const stopped = lane("failed", "not proved", "not proved", "not proved");

const cases: readonly (readonly [
  rule: string,
  revision: string,
  lane: DeployLaneReport | undefined,
  asked: boolean,
])[] = [
  ["ban-drop-column", "b", undefined, true],
  ["downgrade-leaves-residue", "b", undefined, true],
  ["may-fail-on-rows", "b", undefined, false],
  ["may-fail-on-rows", "b", skipped, false],
  ["may-fail-on-rows", "b", whole, true],
  ["fails-on-rows", "c", whole, true],
  ["downgrade-loses-data", "b", half, true],
  ["downgrade-loses-data", "c", half, false],
  ["upgrade-loses-data", "b", stopped, false],
  // A revision below the base's head, which the lane did not go over.
  ["may-fail-on-rows", "a", whole, false],
  ["schema-depends-on-history", "a", undefined, false],
  ["schema-depends-on-history", "a", skipped, false],
  ["schema-depends-on-history", "a", half, true],
  ["schema-depends-on-history", "a", lane(), true],
  ["schema-depends-on-history", "a", stopped, false],
];

test.each(cases)("%s of %s", (rule, revision, deployLane, asked) => {
  expect(wasAsked(rule, revision, { proofRan: true, deployLane })).toBe(asked);
});

test("without any lane only lint rules were asked", () => {
  expect(wasAsked("downgrade-leaves-residue", "b", { proofRan: false })).toBe(false);
  expect(wasAsked("ban-drop-column", "b", { proofRan: false })).toBe(true);
});
