import { expect, test } from "vitest";
import { deployWay, targetBelow } from "../../src/lanes/deploy-way";
import { buildGraph } from "../../src/revisions/graph";
import { revision } from "../revisions/revisions";

type Links = Readonly<Record<string, readonly string[]>>;

const graphOf = (links: Links) =>
  buildGraph(Object.entries(links).map(([id, parents]) => revision(id, parents.join(" "))));

interface Case {
  readonly links: Links;
  readonly heads: readonly string[];
  readonly pending: readonly string[];
  readonly floor: string | undefined;
}

const cases: Readonly<Record<string, Case>> = {
  "a line": { links: { a: [], b: ["a"], c: ["b"] }, heads: ["a"], pending: ["b", "c"], floor: "a" },
  "nothing is pending": { links: { a: [] }, heads: ["a"], pending: [], floor: undefined },
  "a branch beside the head": {
    links: { a: [], b: ["a"], c: ["a"] },
    heads: ["b"],
    pending: ["c"],
    floor: "c@a",
  },
  "a branch beside the head, and their merge": {
    links: { a: [], b: ["a"], c: ["a"], m: ["b", "c"] },
    heads: ["b"],
    pending: ["c", "m"],
    floor: "c@a",
  },
  "the merge of two heads": {
    links: { a: [], b: ["a"], c: ["a"], m: ["b", "c"] },
    heads: ["b", "c"],
    pending: ["m"],
    floor: "b",
  },
  "two branches from one head": {
    links: { a: [], b: ["a"], c: ["a"] },
    heads: ["a"],
    pending: ["b", "c"],
    floor: "a",
  },
  "a second base": { links: { a: [], x: [] }, heads: ["a"], pending: ["x"], floor: "x@base" },
  "two branches from two heads": {
    links: { a: [], b: ["a"], c: ["a"], d: ["b"], e: ["c"] },
    heads: ["b", "c"],
    pending: ["d", "e"],
    floor: undefined,
  },
};

test.each(Object.entries(cases))("%s", (_, { links, heads, pending, floor }) => {
  const way = deployWay(graphOf(links), heads, undefined, () => true);
  expect({ pending: [...way.pending].sort(), floor: way.floor }).toEqual({ pending, floor });
  expect([...way.staying.keys()].sort()).toEqual(floor === undefined ? pending : []);
});

test("one revision at a time, with what is still applied", () => {
  const graph = graphOf({ a: [], b: ["a"], c: ["a"], m: ["b", "c"] });
  expect(targetBelow(graph, "m", new Set(["a", "b", "c", "m"]))).toBe("b");
  expect(targetBelow(graph, "c", new Set(["a", "b", "c"]))).toBe("c@a");
  expect(targetBelow(graph, "b", new Set(["a", "b"]))).toBe("a");
  expect(targetBelow(graph, "a", new Set(["a"]))).toBe("base");
});
