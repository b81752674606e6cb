import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ActRun, runAct, setupUv } from "../action/act";
import { type BuiltAction, buildAction } from "../action/built-action";
import { type PullRequestRepository, pullRequestRepository } from "../action/repository";
import { type Docker, startDocker } from "./dockerd";

const runner = "migration-gate-runner:1";
const workflow = join(import.meta.dirname, "..", "action", "workflows", "service-container.yml");

let docker: Docker;
let action: BuiltAction;
let repository: PullRequestRepository;

beforeAll(async () => {
  // The runner has no PostgreSQL: dist/ would have to fetch one, and there is no network in its namespace.
  docker = await startDocker([runner, "pgvector/pgvector:pg17"]);
  process.env.DOCKER_HOST = docker.host;
  action = await buildAction();
  repository = await pullRequestRepository(workflow);
});
afterAll(async () => {
  await action?.[Symbol.asyncDispose]();
  await repository?.[Symbol.asyncDispose]();
  await docker?.[Symbol.asyncDispose]();
});

function run(defects: readonly string[]): Promise<ActRun> {
  repository.change(defects);
  const ports = ["--artifact-server-addr", "127.0.0.1", "--cache-server-addr", "127.0.0.1"];
  return runAct({
    cwd: repository.path,
    workflow: join(repository.path, ".github", "workflows", "workflow.yml"),
    event: "pull_request",
    payload: repository.event(),
    token: "ghs_token0123456789",
    // Nobody listens there: the comment is given up, and the verdict stands.
    apiUrl: "http://127.0.0.1:9",
    actions: { "your-org/migration-gate@v1": action.path, "astral-sh/setup-uv@v6": setupUv },
    words: ["-P", `ubuntu-latest=${runner}`, "--pull=false", "--container-daemon-socket", "-", ...ports],
  });
}

test("the service container is the shadow: red on a defect, green on its mend", async () => {
  const red = await run(["downgrade-restores-narrower-type"]);
  expect(red.jobs, red.log).toEqual({ "migration-gate": "failure" });
  expect(red.outputs).toMatchObject({ verdict: "failed", errors: "2" });
  expect(red.summary).toContain("PostgreSQL 17&#46;10 (the given server).");

  const green = await run([]);
  expect(green.jobs, green.log).toEqual({ "migration-gate": "success" });
  expect(green.outputs).toMatchObject({ verdict: "passed", findings: "0" });
  expect(green.summary).toContain("PostgreSQL 17&#46;10 (the given server).");
});
