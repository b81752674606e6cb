import type { Direction } from "../../src/model/revision";

/** One `alembic upgrade heads` or `downgrade base`: the version table after each write, and the true order of revisions. */
export interface RecordedRun {
  readonly direction: Direction;
  readonly start: string;
  readonly contents: readonly string[];
  readonly order: string;
}

export interface RecordedHistory {
  /** id, down_revision, depends_on; ids are separated by spaces. */
  readonly revisions: readonly (readonly [string, string, string])[];
  readonly runs: readonly RecordedRun[];
}

/** Recorded from alembic 1.20.1 on PostgreSQL 15 after every statement that wrote the version table, sorted ids. */
export const recorded: Readonly<Record<string, RecordedHistory>> = {
  linear: {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "b", ""],
    ],
    runs: [
      { direction: "upgrade", start: "", contents: ["", "a", "b", "c"], order: "a b c" },
      { direction: "downgrade", start: "c", contents: ["b", "a", ""], order: "c b a" },
    ],
  },
  "branch and merge": {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "a", ""],
      ["m", "b c", ""],
      ["z", "m", ""],
    ],
    runs: [
      { direction: "upgrade", start: "", contents: ["", "a", "c", "b c", "c", "m", "z"], order: "a c b m z" },
      { direction: "downgrade", start: "z", contents: ["m", "b m", "b c", "c", "a", ""], order: "z m b c a" },
    ],
  },
  "three-way merge": {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "a", ""],
      ["d", "a", ""],
      ["m", "b c d", ""],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "a", "d", "c d", "b c d", "c d", "d", "m"],
        order: "a d c b m",
      },
      {
        direction: "downgrade",
        start: "m",
        contents: ["d m", "b d m", "b c d", "c d", "d", "a", ""],
        order: "m b c d a",
      },
    ],
  },
  "depends_on across branches": {
    revisions: [
      ["x1", "", ""],
      ["x2", "x1", ""],
      ["y1", "", ""],
      ["y2", "y1", "x1"],
      ["y3", "y2", "x2"],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "x1", "x2", "x2 y1", "x2 y2", "x2", "y3"],
        order: "x1 x2 y1 y2 y3",
      },
      {
        direction: "downgrade",
        start: "y3",
        contents: ["y2 y3", "x2 y2", "x2 y1", "x2", "x1", ""],
        order: "y3 y2 y1 x2 x1",
      },
    ],
  },
  "two bases": {
    revisions: [
      ["a1", "", ""],
      ["a2", "a1", ""],
      ["b1", "", ""],
      ["b2", "b1", ""],
    ],
    runs: [
      { direction: "upgrade", start: "", contents: ["", "b1", "b2", "a1 b2", "a2 b2"], order: "b1 b2 a1 a2" },
      { direction: "downgrade", start: "a2 b2", contents: ["a1 b2", "b2", "b1", ""], order: "a2 a1 b2 b1" },
    ],
  },
  "depends_on a head": {
    revisions: [
      ["x", "", ""],
      ["y0", "", ""],
      ["y", "y0", "x"],
    ],
    runs: [
      { direction: "upgrade", start: "", contents: ["", "x", "x y0", "x", "y"], order: "x y0 y" },
      { direction: "downgrade", start: "y", contents: ["x y", "x y0", "x", ""], order: "y y0 x" },
    ],
  },
  "dependency of an ancestor": {
    revisions: [
      ["x1", "", ""],
      ["x2", "x1", ""],
      ["y1", "", "x2"],
      ["y2", "y1", "x1"],
    ],
    runs: [
      { direction: "upgrade", start: "", contents: ["", "x1", "x2", "y1", "y2"], order: "x1 x2 y1 y2" },
      { direction: "downgrade", start: "y2", contents: ["y1", "x2", "x1", ""], order: "y2 y1 x2 x1" },
    ],
  },
  "merge of merges": {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "a", ""],
      ["d", "a", ""],
      ["e", "a", ""],
      ["m1", "b c", ""],
      ["m2", "d e", ""],
      ["m", "m1 m2", ""],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "a", "e", "c e", "c d e", "c e", "c m2", "b c m2", "c m2", "m1 m2", "m2", "m"],
        order: "a e c d m2 b m1 m",
      },
      {
        direction: "downgrade",
        start: "m",
        contents: ["m m2", "m1 m2", "b m1 m2", "b c m2", "c m2", "c d m2", "c d e", "c e", "e", "a", ""],
        order: "m m1 b m2 d c e a",
      },
    ],
  },
  "merge with dependency": {
    revisions: [
      ["x", "", ""],
      ["a", "", ""],
      ["b", "a", "x"],
      ["c", "a", ""],
      ["m", "b c", "x"],
      ["z", "m", ""],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "x", "a x", "c x", "b c", "c", "m", "z"],
        order: "x a c b m z",
      },
      {
        direction: "downgrade",
        start: "z",
        contents: ["m", "b m", "b c", "c x", "a x", "x", ""],
        order: "z m b c a x",
      },
    ],
  },
  "three-way merge, hash seed 2": {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "a", ""],
      ["d", "a", ""],
      ["m", "b c d", ""],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "a", "d", "c d", "b c d", "c d", "d", "m"],
        order: "a d c b m",
      },
      {
        direction: "downgrade",
        start: "m",
        contents: ["c m", "b c m", "b c d", "c d", "d", "a", ""],
        order: "m b c d a",
      },
    ],
  },
  "depends_on across branches, hash seed 2": {
    revisions: [
      ["x1", "", ""],
      ["x2", "x1", ""],
      ["y1", "", ""],
      ["y2", "y1", "x1"],
      ["y3", "y2", "x2"],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "x1", "x2", "x2 y1", "x2 y2", "x2", "y3"],
        order: "x1 x2 y1 y2 y3",
      },
      {
        direction: "downgrade",
        start: "y3",
        contents: ["x2 y3", "x2 y2", "x2 y1", "x2", "x1", ""],
        order: "y3 y2 y1 x2 x1",
      },
    ],
  },
  "merge of merges, hash seed 2": {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "a", ""],
      ["d", "a", ""],
      ["e", "a", ""],
      ["m1", "b c", ""],
      ["m2", "d e", ""],
      ["m", "m1 m2", ""],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "a", "e", "c e", "c d e", "c e", "c m2", "b c m2", "b m2", "m1 m2", "m2", "m"],
        order: "a e c d m2 b m1 m",
      },
      {
        direction: "downgrade",
        start: "m",
        contents: ["m m2", "m1 m2", "c m1 m2", "b c m2", "c m2", "c d m2", "c d e", "c e", "e", "a", ""],
        order: "m m1 b m2 d c e a",
      },
    ],
  },
  "three-way merge, hash seed 3": {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "a", ""],
      ["d", "a", ""],
      ["m", "b c d", ""],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "a", "d", "c d", "b c d", "c d", "d", "m"],
        order: "a d c b m",
      },
      {
        direction: "downgrade",
        start: "m",
        contents: ["c m", "b c m", "b c d", "c d", "d", "a", ""],
        order: "m b c d a",
      },
    ],
  },
  "depends_on across branches, hash seed 3": {
    revisions: [
      ["x1", "", ""],
      ["x2", "x1", ""],
      ["y1", "", ""],
      ["y2", "y1", "x1"],
      ["y3", "y2", "x2"],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "x1", "x2", "x2 y1", "x2 y2", "x2", "y3"],
        order: "x1 x2 y1 y2 y3",
      },
      {
        direction: "downgrade",
        start: "y3",
        contents: ["x2 y3", "x2 y2", "x2 y1", "x2", "x1", ""],
        order: "y3 y2 y1 x2 x1",
      },
    ],
  },
  "merge of merges, hash seed 3": {
    revisions: [
      ["a", "", ""],
      ["b", "a", ""],
      ["c", "a", ""],
      ["d", "a", ""],
      ["e", "a", ""],
      ["m1", "b c", ""],
      ["m2", "d e", ""],
      ["m", "m1 m2", ""],
    ],
    runs: [
      {
        direction: "upgrade",
        start: "",
        contents: ["", "a", "e", "c e", "c d e", "c e", "c m2", "b c m2", "b m2", "m1 m2", "m2", "m"],
        order: "a e c d m2 b m1 m",
      },
      {
        direction: "downgrade",
        start: "m",
        contents: ["m m2", "m1 m2", "c m1 m2", "b c m2", "c m2", "c d m2", "c d e", "c e", "e", "a", ""],
        order: "m m1 b m2 d c e a",
      },
    ],
  },
};
