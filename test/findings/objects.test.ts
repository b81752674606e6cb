import { expect, test } from "vitest";
import { describeChange } from "../../src/findings/objects";

const common = "select name\n".repeat(60);
const change = (one: string, other: string) =>
  describeChange({
    key: "function public.f()",
    owner: "2",
    expected: JSON.stringify({ definition: one }),
    found: JSON.stringify({ definition: other }),
  });

test("long texts are shown from the line in which they first differ", () => {
  expect(change(`${common}from users\n`, `${common}from people\n`)).toBe(
    "definition: …from users\n before the upgrade, …from people\n after the downgrade",
  );
});

test("a line without end is shown from near the difference, and cut", () => {
  const [was = "", is = ""] = change("a".repeat(900), `${"a".repeat(500)}${"b".repeat(400)}`).split(", ");
  expect(was).toBe(`definition: …${"a".repeat(300)}… before the upgrade`);
  expect(is).toBe(`…${"a".repeat(60)}${"b".repeat(240)}… after the downgrade`);
});

test("short texts are shown whole", () => {
  expect(change("select 1", "select 2")).toBe(
    "definition: select 1 before the upgrade, select 2 after the downgrade",
  );
});
