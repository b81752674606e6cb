import { expect, test } from "vitest";
import { orderOfAll } from "../../src/deploy/rollback-order";
import type { RollbackOrder } from "../../src/model/deployment";

const order = (first: RollbackOrder["first"]): RollbackOrder => ({
  first,
  why: `${first}.`,
  steps: first === "code" ? ["deploy it", "take it back"] : ["take it back", "deploy it"],
  commit: "c",
});

test.each([
  [["code", "either"], "code", ["deploy it", "take it back"]],
  [["either", "database"], "database", ["take it back", "deploy it"]],
  [["either", "either"], "either", ["take it back", "deploy it"]],
  [["database", "neither"], "neither", ["take it back", "deploy it"]],
  [
    ["code", "database"],
    "neither",
    ["stop the release that runs, or let its errors be", "take it back", "deploy it"],
  ],
] as const)("databases that want %s go back in the order %s", (firsts, first, steps) => {
  const all = orderOfAll([undefined, ...firsts.map(order)]);
  expect([all?.first, all?.steps]).toEqual([first, steps]);
});

test("where nothing is known of any there is no order", () => {
  expect(orderOfAll([undefined])).toBeUndefined();
});
