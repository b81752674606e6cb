import { describe, expect, test } from "vitest";
import type { Direction } from "../../src/model/revision";
import { buildGraph } from "../../src/revisions/graph";
import { type StepBetween, stepBetween } from "../../src/revisions/steps";
import { recorded } from "./recorded";
import { revision, words } from "./revisions";

describe("the order of revisions is found in the version table's contents", () => {
  test.each(Object.entries(recorded))("%s", (_, { revisions, runs }) => {
    const graph = buildGraph(revisions.map(([id, parents, dependsOn]) => revision(id, parents, dependsOn)));
    for (const { direction, start, contents, order } of runs) {
      const found: string[] = [];
      let last = words(start);
      for (const content of contents.map(words)) {
        const step = stepBetween(graph, last, content, direction);
        if (step.kind === "intermediate") continue;
        last = content;
        if (step.kind === "step") found.push(step.revision);
        else expect(step).toEqual({ kind: "same" });
      }
      expect({ direction, order: found.join(" ") }).toEqual({ direction, order });
    }
  });
});

const merged = buildGraph([
  revision("a"),
  revision("b", "a"),
  revision("c", "a"),
  revision("m", "b c"),
  revision("z", "m"),
  revision("x"),
]);

const cases: readonly (readonly [string, string, string, Direction, StepBetween])[] = [
  ["nothing changed", "b c", "c b", "upgrade", { kind: "same" }],
  ["the first revision", "", "a", "upgrade", { kind: "step", revision: "a" }],
  ["the last one undone", "a", "", "downgrade", { kind: "step", revision: "a" }],
  ["a branch begins", "b", "b c", "upgrade", { kind: "step", revision: "c" }],
  ["a branch ends", "b c", "b", "downgrade", { kind: "step", revision: "c" }],
  ["a merge in one message", "b c", "m", "upgrade", { kind: "step", revision: "m" }],
  ["half of a merge", "b c", "b", "upgrade", { kind: "intermediate" }],
  ["half of an undone merge, INSERT first", "m", "b m", "downgrade", { kind: "intermediate" }],
  ["half of an undone merge, UPDATE first", "m x", "b x", "downgrade", { kind: "intermediate" }],
  ["two revisions up at once", "a", "m", "upgrade", { kind: "several", revisions: ["b", "c", "m"] }],
  ["two revisions down at once", "z x", "b c x", "downgrade", { kind: "several", revisions: ["m", "z"] }],
  ["a branch of several", "z x", "x", "downgrade", { kind: "several", revisions: ["a", "b", "c", "m", "z"] }],
  [
    "a branch that ends in a merge",
    "m x",
    "x",
    "downgrade",
    { kind: "several", revisions: ["a", "b", "c", "m"] },
  ],
  ["two in a line", "z x", "m", "downgrade", { kind: "several", revisions: ["x", "z"] }],
  ["all of them", "z x", "", "downgrade", { kind: "several", revisions: ["a", "x", "b", "c", "m", "z"] }],
  ["up on the way down", "a", "b", "downgrade", { kind: "several", revisions: ["b"] }],
  ["down on the way up", "b", "a", "upgrade", { kind: "several", revisions: ["b"] }],
  ["emptied on the way up", "b c", "", "upgrade", { kind: "several", revisions: ["a", "b", "c"] }],
  ["one branch for another", "b", "c", "upgrade", { kind: "several", revisions: ["c", "b"] }],
  ["an id without a file", "a", "b gone", "upgrade", { kind: "unknown", ids: ["gone"] }],
  ["an id without a file, before", "gone", "a", "upgrade", { kind: "unknown", ids: ["gone"] }],
];

test.each(cases)("%s", (_, last, now, direction, expected) => {
  expect(stepBetween(merged, words(last), words(now), direction)).toEqual(expected);
});
