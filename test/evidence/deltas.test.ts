import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import { DifferenceTracker, invertDelta, mergeDeltas } from "../../src/evidence/deltas";
import type { CatalogChange, CatalogDelta } from "../../src/model/catalog";

function change(key: string, before: string | undefined, after: string | undefined): CatalogChange {
  return { key, before, after };
}

const table = "table public.a";
const index = "index public.i";
const type = "enum type public.t";

describe("mergeDeltas", () => {
  it.each([
    ["nothing", [], []],
    ["one", [[change(table, undefined, "1")]], [change(table, undefined, "1")]],
    [
      "two changes of one key: from the first to the last",
      [[change(table, "1", "2")], [change(table, "2", "3")]],
      [change(table, "1", "3")],
    ],
    ["there and back is nothing", [[change(table, undefined, "1")], [change(table, "1", undefined)]], []],
  ] satisfies [string, CatalogDelta[], CatalogDelta][])("%s", (_, deltas, merged) => {
    expect(mergeDeltas(deltas)).toEqual(merged);
  });
});

describe("DifferenceTracker", () => {
  it("finds nothing when the downgrade takes back what the upgrade did", () => {
    const tracker = new DifferenceTracker();
    const upgrade = [change(table, undefined, "1"), change(index, "old", "new")];
    expect(tracker.step("r", invertDelta(upgrade), invertDelta(upgrade))).toEqual({
      caused: [],
      healed: [],
      masked: [],
    });
    expect(tracker.current).toEqual([]);
  });

  it("gives what was forgotten to the revision that forgot it, and lets an older one heal it", () => {
    const tracker = new DifferenceTracker();
    const left = { key: index, expected: undefined, found: "1", owner: "young" };
    expect(tracker.step("young", [change(index, "1", undefined)], [])).toEqual({
      caused: [left],
      healed: [],
      masked: [],
    });
    expect(tracker.current).toEqual([left]);
    // The older one drops the table, and the index goes with it.
    const down = [change(table, "1", undefined), change(index, "1", undefined)];
    expect(tracker.step("old", [change(table, "1", undefined)], down)).toEqual({
      caused: [],
      healed: [left],
      masked: [],
    });
    expect(tracker.current).toEqual([]);
  });

  it("gives what never was to the revision whose downgrade made it", () => {
    const tracker = new DifferenceTracker();
    expect(tracker.step("r", [], [change(table, undefined, "1")]).caused).toEqual([
      { key: table, expected: undefined, found: "1", owner: "r" },
    ]);
  });

  it("gives what was dropped too much to the revision that dropped it", () => {
    const tracker = new DifferenceTracker();
    expect(tracker.step("r", [], [change(table, "1", undefined)]).caused).toEqual([
      { key: table, expected: "1", found: undefined, owner: "r" },
    ]);
  });

  it("says masked where a revision works on what another had left differently", () => {
    const tracker = new DifferenceTracker();
    tracker.step("young", [change(type, "ab", "a")], []);
    const { caused, masked } = tracker.step("old", [change(type, "a", "0")], [change(type, "ab", "1")]);
    expect(caused).toEqual([]);
    expect(masked.map(({ owner }) => owner)).toEqual(["young"]);
    expect(tracker.current).toEqual([{ key: type, expected: "0", found: "1", owner: "young" }]);
  });

  it("forgets what was mended from outside, and no more", () => {
    const tracker = new DifferenceTracker();
    tracker.step("r", [change(table, "1", undefined), change(type, "ab", "a")], []);
    tracker.mend([change(table, "1", undefined)]);
    expect(tracker.current).toEqual([{ key: type, expected: "a", found: "ab", owner: "r" }]);
  });

  it("blames nobody for what was changed from outside", () => {
    const tracker = new DifferenceTracker();
    tracker.mend([change(table, "1", undefined)]);
    expect(tracker.step("r", [change(table, "1", "2")], []).masked).toEqual([
      { key: table, expected: "1", found: undefined, owner: "" },
    ]);
  });

  it("always knows the difference of the two catalogs, whatever the steps", () => {
    const key = fc.constantFrom("table public.a", "table public.b", "index public.c", "enum type public.d");
    const catalog = fc
      .dictionary(key, fc.constantFrom("1", "2", "3"))
      .map((entries) => new Map(Object.entries(entries)));
    fc.assert(
      fc.property(catalog, fc.array(fc.tuple(catalog, catalog), { maxLength: 6 }), (start, steps) => {
        const tracker = new DifferenceTracker();
        let expected = start;
        let found = start;
        for (const [number, [nextExpected, nextFound]] of steps.entries()) {
          tracker.step(
            `r${number}`,
            compareCatalogs(expected, nextExpected),
            compareCatalogs(found, nextFound),
          );
          expected = nextExpected;
          found = nextFound;
          const told = tracker.current.map(({ key, expected, found }) => ({
            key,
            before: expected,
            after: found,
          }));
          const byKey = (left: CatalogChange, right: CatalogChange) => (left.key < right.key ? -1 : 1);
          expect(told.sort(byKey)).toEqual([...compareCatalogs(expected, found)].sort(byKey));
        }
      }),
    );
  });
});
