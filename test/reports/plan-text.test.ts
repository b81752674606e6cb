import { expect, test } from "vitest";
import type { DeployPlan } from "../../src/model/deployment";
import { planText } from "../../src/reports/plan-text";
import { plainPaint } from "../../src/reports/terminal";

const plan: DeployPlan = {
  version: 1,
  kind: "plan",
  command: "apply",
  database: { name: "boards", server: "17.10" },
  heads: { before: [], goal: ["a"] },
  environment: "",
  revisions: [
    {
      id: "a",
      message: "::error::hidden",
      file: "migrations/versions/a.py",
      sha256: "",
      notProved: undefined,
      statements: [{ sql: "CREATE TABLE t (\n  id int)", fingerprint: "", locks: [], rewrites: [] }],
      wayBack: { kind: "loses data", reason: undefined, loses: ["table public.t"] },
    },
  ],
  shadow: { version: "15.18", major: 15 },
};

test("a plan that was recorded on another major version says so, and how to have the same", () => {
  const text = planText(plan, plainPaint);
  expect(text).toContain(
    "The database is PostgreSQL 17: with --postgres-version 17 it is recorded on the same.\n",
  );
  expect(planText({ ...plan, shadow: { version: "17.10", major: 17 } }, plainPaint)).not.toContain(
    "--postgres-version",
  );
  expect(text).toContain("  > CREATE TABLE t (\n      id int)\n");
  expect(text).toContain("loses what was written since:\n        table public.t\n");
  expect(text).not.toMatch(/^\s*::/m);
});
