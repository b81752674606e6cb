import { expect, test } from "vitest";
import { headsAfter } from "../../src/lanes/other-binds";
import { buildGraph } from "../../src/revisions/graph";
import { revision } from "../revisions/revisions";

/** A fork, its merge, and a branch of its own that needs one side. */
const graph = buildGraph([
  revision("base1"),
  revision("left", "base1"),
  revision("right", "base1"),
  revision("head1", "left right"),
  revision("other", "", "left"),
]);

test.each([
  [[], "upgrade", "heads", ["head1", "other"]],
  [[], "upgrade", "left", ["left"]],
  [["right"], "upgrade", "left", ["left", "right"]],
  [["right"], "upgrade", "head1", ["head1"]],
  [["head1"], "downgrade", "base", []],
  [["head1"], "downgrade", "left", ["left", "right"]],
  [["head1", "other"], "downgrade", "base1", ["base1"]],
] as const)("from %j, %s to %s", (heads, direction, target, expected) => {
  expect([...headsAfter(graph, heads, direction, target)].sort()).toEqual(expected);
});
