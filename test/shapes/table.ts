import { describe, expect, test } from "vitest";
import type { JudgedEnd } from "../support/gate";
import { expected, judgeChange, type Shape, toldBy } from "./shape";

/** Each shape is found with its revision and object, and nothing else is; its mended change is silent. */
export function testShapes(shapes: Readonly<Record<string, Shape>>): void {
  describe.concurrent.each(Object.entries(shapes))("%s", (_, shape) => {
    const { bad, good } = shape;
    test("is found, and nothing else", { timeout: 600_000 }, async () => {
      const end = await judgeChange(shape, bad.change);
      expect(toldBy(end), saidIn(end)).toEqual(expected(bad));
    });
    if (good === undefined) return;
    test("mended, it is silent", { timeout: 600_000 }, async () => {
      const end = await judgeChange(shape, good.change);
      expect(toldBy(end), saidIn(end)).toEqual(expected(good));
    });
  });
}

/** For whoever reads a failure. */
function saidIn({ report, stderr }: JudgedEnd): string {
  const found = report.findings.map(
    ({ rule, revision, what, seen }) => `${rule} ${revision}: ${what}\n${seen}`,
  );
  return [stderr, ...found, JSON.stringify(report.deployLane, null, 1)].join("\n");
}
