import { describe, expect, test } from "vitest";
import { buildGraph } from "../../src/revisions/graph";
import { stepBetween } from "../../src/revisions/steps";
import { cpuSeconds } from "../support/cpu";
import { revision } from "./revisions";

describe("a graph", () => {
  const graph = buildGraph([
    revision("m", "b c"),
    revision("c", "a"),
    revision("b", "a", "side"),
    revision("a"),
    revision("s2", "s1"),
    revision("s1", "", "", "side"),
  ]);

  test("has parents before children, heads and bases as Alembic has them", () => {
    expect(graph.revisions.map(({ id }) => id)).toEqual(["a", "s1", "c", "b", "s2", "m"]);
    expect([graph.heads, graph.bases, graph.problems.map(({ rule }) => rule)]).toEqual([
      ["s2", "m"],
      ["a", "s1"],
      ["multiple-heads"],
    ]);
  });

  test("follows depends_on through labels", () => {
    expect([graph.parentsOf("b"), graph.childrenOf("s1")]).toEqual([
      ["a", "s1"],
      ["b", "s2"],
    ]);
    expect(graph.ancestors("b")).toEqual(new Set(["a", "s1", "b"]));
    expect(graph.applied(["c", "s2", "gone"])).toEqual(new Set(["a", "c", "s1", "s2"]));
    expect(graph.ancestors("gone")).toEqual(new Set());
  });

  test("finds a revision by id, label and the start of one id", () => {
    expect(["m", "side", "s", "s2", "zz", ""].map((text) => graph.resolve(text)?.id)).toEqual([
      "m",
      "s1",
      undefined,
      "s2",
      undefined,
      undefined,
    ]);
    expect(buildGraph([revision("abcdef"), revision("abd")]).resolve("abc")?.id).toBe("abcdef");
  });

  test("names a parent once that is a dependency as well", () => {
    expect(buildGraph([revision("a"), revision("b", "a", "a")]).parentsOf("b")).toEqual(["a"]);
  });

  test("of no revision is empty", () => {
    const empty = buildGraph([]);
    expect([empty.revisions, empty.heads, empty.bases, empty.problems]).toEqual([[], [], [], []]);
  });
});

describe("problems", () => {
  const cases = {
    "two heads": {
      revisions: [revision("a"), revision("b", "a"), revision("c", "a")],
      problems: [["multiple-heads", "b c", undefined, 'There are 2 heads: "b" and "c".']],
    },
    "a parent that is not there": {
      revisions: [revision("a"), revision("b", "a gone")],
      problems: [
        [
          "missing-parent",
          "b",
          "gone",
          'down_revision of revision "b" names "gone", and no revision file has this id.',
        ],
      ],
    },
    "a part of an id is no parent (Alembic: KeyError)": {
      revisions: [revision("abcdef"), revision("b", "abc")],
      problems: [
        [
          "missing-parent",
          "b",
          "abc",
          'down_revision of revision "b" names "abc", and no revision file has this id.',
        ],
        ["multiple-heads", "abcdef b", undefined, 'There are 2 heads: "abcdef" and "b".'],
      ],
    },
    "a label is no parent (Alembic: KeyError)": {
      revisions: [revision("a", "", "", "side"), revision("b", "a"), revision("c", "b side")],
      problems: [
        [
          "missing-parent",
          "c",
          "side",
          'down_revision of revision "c" names "side", and no revision file has this id.',
        ],
      ],
    },
    "a dependency that is not there": {
      revisions: [revision("a", "", "billing@9")],
      problems: [
        [
          "missing-parent",
          "a",
          "billing@9",
          'depends_on of revision "a" names "billing@9", and no revision file has this id.',
        ],
      ],
    },
    "one id in two files": {
      revisions: [
        revision("a"),
        { ...revision("a"), location: { file: "versions/other.py", line: 1, column: 1 } },
      ],
      problems: [
        [
          "duplicate-revision",
          "a a",
          "a",
          'The revision id "a" is used by 2 files: versions/a.py and versions/other.py.',
        ],
      ],
    },
    "one label twice": {
      revisions: [revision("a", "", "", "side"), revision("b", "a", "", "side")],
      problems: [
        [
          "duplicate-revision",
          "a b",
          "side",
          'The branch label "side" of revision "b" already names revision "a".',
        ],
      ],
    },
    "a revision that is its own parent": {
      revisions: [revision("a", "a")],
      problems: [["revision-cycle", "a", undefined, 'Revision "a" names itself as its parent.']],
    },
    "a cycle beside a good history": {
      revisions: [
        revision("ok"),
        revision("a", "c"),
        revision("b", "a"),
        revision("c", "b"),
        revision("d", "c"),
      ],
      problems: [
        ["revision-cycle", "a c b", undefined, 'Revisions are each other\'s ancestors: "a", "c" and "b".'],
        ["multiple-heads", "ok d", undefined, 'There are 2 heads: "ok" and "d".'],
      ],
    },
    "a cycle through depends_on": {
      revisions: [revision("a", "", "b"), revision("b", "a")],
      problems: [["revision-cycle", "a b", undefined, 'Revisions are each other\'s ancestors: "a" and "b".']],
    },
  };
  test.each(Object.entries(cases))("%s", (_, { revisions, problems }) => {
    const found = buildGraph(revisions).problems;
    expect(
      found.map((problem) => [
        problem.rule,
        problem.revisions.map(({ id }) => id).join(" "),
        problem.name,
        problem.text,
      ]),
    ).toEqual(problems);
  });
});

test("20,000 revisions in a line: no recursion, and each step in well under a millisecond", () => {
  const count = 20_000;
  const graph = buildGraph(
    Array.from({ length: count }, (_, index) => revision(`r${index}`, index === 0 ? "" : `r${index - 1}`)),
  );
  expect([graph.heads, graph.ancestors(`r${count - 1}`).size, graph.problems]).toEqual([
    [`r${count - 1}`],
    count,
    [],
  ]);
  const seconds = cpuSeconds(() => {
    for (let index = 1; index <= 500; index++) {
      const at = index * 39;
      const expected = { kind: "step", revision: `r${at}` };
      expect(stepBetween(graph, [`r${at - 1}`], [`r${at}`], "upgrade")).toEqual(expected);
    }
  });
  expect(seconds).toBeLessThan(2);
});
