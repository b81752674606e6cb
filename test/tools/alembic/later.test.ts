import { expect, test } from "vitest";
import { later, once, withLater } from "../../../src/tools/alembic/later";

const kind = later<{ b: number; c: string }, "b" | "c">("b", "c");

test("what is computed later is computed once, and is a property as any other", () => {
  let computed = 0;
  const compute = once(() => {
    computed++;
    return { b: 2, c: "x" };
  });
  const object = withLater({ a: 1 }, compute, kind);
  expect([Object.keys(object), computed]).toEqual([["a", "b", "c"], 0]);
  expect([object.b, object.c, { ...object }]).toEqual([2, "x", { a: 1, b: 2, c: "x" }]);
  expect(JSON.stringify(object)).toBe('{"a":1,"b":2,"c":"x"}');
  expect(computed).toBe(1);
});

test("objects of a kind know each its own", () => {
  const made = [1, 2].map((b) => withLater({ a: b }, () => ({ b: b * 10, c: "" }), kind));
  expect(made.map(({ a, b }) => [a, b])).toEqual([
    [1, 10],
    [2, 20],
  ]);
});
