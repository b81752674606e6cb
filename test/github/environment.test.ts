import { expect, test } from "vitest";
import { toolEnvironment } from "../../src/github/environment";

test("the tool gets neither the runner's files nor a secret of ours", () => {
  const kept = { PATH: "/bin", MIGRATION_GATE_FLOOR: "base", GITHUB_EVENT_NAME: "push" };
  const taken = [
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "MIGRATION_GATE_GITHUB_TOKEN",
    "MIGRATION_GATE_SHADOW_URL",
    "INPUT_GITHUB-TOKEN",
  ];
  const given = { ...kept, ...Object.fromEntries(taken.map((name) => [name, "x"])) };
  expect(toolEnvironment(given)).toEqual(kept);
});
