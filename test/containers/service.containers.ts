import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pythonEnvironment } from "../../scripts/python-environment.mjs";
import type { DeployReport } from "../../src/model/deployment";
import type { CheckReport } from "../../src/model/verdict";
import { type ActRun, runAct, setupUv } from "../action/act";
import { type BuiltAction, buildAction } from "../action/built-action";
import { type PullRequestRepository, pullRequestRepository } from "../action/repository";
import { gateBundle, gateEnvironment, lintOff } from "../support/gate";
import { repositoryIn } from "../support/git";
import { copyOfExample } from "../support/project";
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

/** An image with the migrations and the program of examples/everruns, from the runner's. */
async function buildAdminImage(files: string): Promise<void> {
  const container = docked("create", runner);
  const sqlx = join(await pythonEnvironment(), "sqlx");
  docked("cp", sqlx, `${container}:/usr/local/bin/sqlx`);
  docked("cp", files, `${container}:/srv/everruns`);
  const entry = 'ENTRYPOINT ["/srv/everruns/bin/everruns-admin"]';
  docked("commit", "--change", entry, container, "everruns-admin");
}

function docked(...words: readonly string[]): string {
  return execFileSync("docker", words, { encoding: "utf8" }).trim();
}

test("an admin image's own commands: checked, applied, and taken back by the gate", async () => {
  await using project = await copyOfExample("everruns");
  const repository = repositoryIn(project.path);
  repository.write("migration-gate.yml", lintOff["migration-gate.yml"]);
  const base = repository.commit();
  repository.write("migrations/013_labels.up.sql", "CREATE TABLE labels (id int);\n");
  repository.write("migrations/013_labels.down.sql", "DROP TABLE labels;\n");
  repository.commit();
  await buildAdminImage(project.path);
  const database = docked(
    ...["run", "--detach", "--network", "host", "--env", "POSTGRES_PASSWORD=x", "pgvector/pgvector:pg17"],
  );
  await using _ended = { [Symbol.asyncDispose]: async () => void docked("rm", "--force", database) };
  for (let turn = 0; turn < 100 && spawnSync("docker", ["exec", database, "pg_isready"]).status !== 0; turn++)
    await sleep(200);
  const bundle = await gateBundle();
  const gate = <Report>(
    ...words: readonly string[]
  ): { code: number | null; report: Report; log: string } => {
    const run = ["--run", "docker run --rm --network host -e DATABASE_URL everruns-admin"];
    const own = [...run, "--run-apply", "migrate", "--run-status", "migrate-info", "--format", "json"];
    const [program = "", ...inside] = docker.inside;
    const ended = spawnSync(program, [...inside, process.execPath, bundle, ...words, ...own], {
      cwd: project.path,
      env: gateEnvironment({
        DOCKER_HOST: docker.host,
        DATABASE_URL: "postgresql://postgres:x@127.0.0.1:5432/postgres",
      }),
      encoding: "utf8",
    });
    return { code: ended.status, report: JSON.parse(ended.stdout) as Report, log: ended.stderr };
  };
  const judged = gate<CheckReport>("check", "--base", base, "--deploy-lane", "off");
  expect([judged.code, judged.report.findings], judged.log).toEqual([0, []]);
  const waived = ["--yes", "--backup", "none", "--backup-because", "a test"];
  const up = gate<DeployReport>("apply", ...waived);
  expect([up.code, up.report.state, up.report.heads?.after], up.log).toEqual([0, "at target", ["13"]]);
  const down = gate<DeployReport>("rollback", ...waived, "--accept-loss", "table public.labels");
  expect([down.code, down.report.state, down.report.heads.after], down.log).toEqual([0, "at target", ["12"]]);
});
