import { describe, expect, test } from "vitest";
import { applyBaseline, baselineText, parseBaseline } from "../../src/findings/baseline";
import type { Finding } from "../../src/model/finding";

function finding(rule: string, what: string, more: Partial<Finding> = {}): Finding {
  return {
    rule,
    severity: "error",
    revision: "r",
    direction: "upgrade",
    file: "versions/r.py",
    line: 6,
    column: 5,
    object: undefined,
    what,
    where: "",
    seen: "",
    why: "",
    do: "",
    suppressed: false,
    suppression: undefined,
    ...more,
  };
}

const edited = new Map([["r", "text 1"]]);
const context = { file: "baseline.json", judged: new Set(["r"]), proofRan: true, edited };
const found = [
  finding("ban-drop-column", "a"),
  finding("ban-drop-column", "a"),
  finding("not-proved", "b"),
  finding("ban-drop-table", "c", { suppressed: true, suppression: "because" }),
];

function read(findings: readonly Finding[]) {
  return parseBaseline(baselineText(findings, edited), "baseline.json");
}

describe("the baseline", () => {
  test("has what is neither accepted nor must never be, and marks it the next time, wherever it stands", () => {
    const moved = found.map((one) => ({ ...one, line: 90, column: 1, file: "versions/moved.py" }));
    expect(applyBaseline(moved, read(found), context).map(({ suppression }) => suppression)).toEqual([
      "baseline",
      "baseline",
      undefined,
      "because",
    ]);
  });

  test("does not hide one more of the same, nor the same of another revision or object", () => {
    const more = [
      found[0]!,
      found[1]!,
      found[0]!,
      { ...found[0]!, revision: "s" },
      { ...found[0]!, object: "x" },
    ];
    expect(applyBaseline(more, read(found), context).map(({ suppressed }) => suppressed)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ["hides the same edit of a landed revision", "text 1", "error", "error", [true]],
    ["does not hide a later edit of it", "text 2", "error", "error", [false, false]],
    ["does not hide what was a note and is an error", "text 1", "note", "error", [false]],
    ["hides what was an error and is a note", "text 1", "error", "note", [true]],
  ] as const)("%s", (_, text, before, now, expected) => {
    const entries = read([finding("revision-edited", "it was edited", { severity: before })]);
    const later = applyBaseline([finding("revision-edited", "it was edited", { severity: now })], entries, {
      ...context,
      edited: new Map([["r", text]]),
    });
    expect(later.map(({ suppressed }) => suppressed)).toEqual(expected);
  });

  test("is the same for a text whose line numbers shift", () => {
    const at = (line: number) => [finding("not-analysed", `r.py does not parse as Python at line ${line}.`)];
    const [later] = applyBaseline(at(44), read(at(3)), context);
    expect(later?.suppressed).toBe(true);
  });

  test("notes an entry that is no longer found, unless nobody looked", () => {
    const entries = read([
      finding("ban-drop-column", "a"),
      finding("downgrade-fails", "b", { revision: "old" }),
    ]);
    const gone = applyBaseline([], entries, context);
    expect(gone.map(({ rule, severity, what }) => [rule, severity, what])).toEqual([
      ["unused-baseline-entry", "note", "The baseline has a ban-drop-column that is no longer found: a"],
    ]);
    const proof = read([finding("downgrade-fails", "b")]);
    expect(applyBaseline([], proof, { ...context, proofRan: false })).toEqual([]);
  });

  test("does not depend on the order of findings", () => {
    const other = [found[2]!, found[0]!, found[3]!, found[1]!];
    expect(baselineText(other, edited)).toBe(baselineText(found, edited));
  });

  test.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["another version", '{"version": 2, "findings": []}'],
    ["an entry without a fingerprint", '{"version": 1, "findings": [{"rule": "x", "what": "y"}]}'],
  ])("of %s is refused", (_, text) => {
    expect(() => parseBaseline(text, "baseline.json")).toThrow("The baseline baseline.json cannot be read.");
  });
});
