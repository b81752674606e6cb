import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ActOptions, type ActRun, actRunsHere, runAct, setupUv } from "./act";
import { type BuiltAction, buildAction } from "./built-action";
import {
  type Comment,
  type Fault,
  type GitHubApi,
  personsToken,
  readOnlyToken,
  startGitHubApi,
} from "./github-api";
import { type PullRequestRepository, pullRequestRepository, workflowIn } from "./repository";

const workflow = join(import.meta.dirname, "workflows", "pull-request.yml");
const token = "ghs_token0123456789";
const defect = "downgrade-restores-narrower-type";
const revision = "packages/backend/migrations/versions/2026_6_2-longer_titles.py";
const marker = "<!-- migration-gate:report:v1 key=migration%2Dgate:packages/backend -->";
const robot = { login: "github-actions[bot]", type: "Bot" } as const;

describe.skipIf(!actRunsHere)("the pull-request workflow of the README, unedited, by act", () => {
  let action: BuiltAction;
  let repository: PullRequestRepository;
  let api: GitHubApi;

  beforeAll(async () => {
    action = await buildAction();
    repository = await pullRequestRepository(workflow);
    api = await startGitHubApi();
  });
  afterAll(async () => {
    await action[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
    await repository[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    api.comments = [];
    api.requests.length = 0;
    api.violations.length = 0;
    api.fault = "none";
  });

  const options = (given: { token?: string; from?: string } = {}): ActOptions => ({
    cwd: repository.path,
    workflow: join(repository.path, ".github", "workflows", "workflow.yml"),
    event: "pull_request",
    payload: repository.event(given.from),
    token: given.token ?? token,
    apiUrl: api.url,
    actions: {
      "your-org/migration-gate@v1": action.path,
      "astral-sh/setup-uv@v6": setupUv,
    },
  });
  const run = (
    defects: readonly string[],
    given: { token?: string; from?: string } = {},
  ): Promise<ActRun> => {
    repository.change(defects);
    return runAct(options(given));
  };
  const seed = (comment: Partial<Comment> & Pick<Comment, "id" | "body">): void => {
    api.comments.push({ issue: 7, user: robot, ...comment });
  };

  test("red on a defect, green on its mend; one comment, created and then written over", async () => {
    const red = await run([defect]);
    expect(red.jobs, red.log).toEqual({ "migration-gate": "failure" });
    expect(red.log).toContain("node v24.");
    expect(red.outputs).toMatchObject({ verdict: "failed", findings: "2", errors: "2", warnings: "0" });
    // The narrower type is not what was there, and cuts what is in it.
    expect(red.annotations.map(({ level, title, file, line }) => ({ level, title, file, line }))).toEqual([
      { level: "error", title: "downgrade-leaves-residue", file: revision, line: "23" },
      { level: "error", title: "downgrade-loses-data", file: revision, line: "23" },
    ]);
    expect(red.summary).toContain("```mermaid");
    expect(api.requests.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
      "issues/list-comments 200",
      "issues/create-comment 201",
    ]);
    expect(api.comments.map(({ body }) => body.split("\n")[0])).toEqual([marker]);
    expect(api.comments[0]?.body).toContain("migration-gate failed");

    const green = await run([]);
    expect(green.jobs, green.log).toEqual({ "migration-gate": "success" });
    expect(green.code).toBe(0);
    expect(green.outputs).toMatchObject({ verdict: "passed", findings: "0" });
    expect(green.annotations).toEqual([]);
    expect(api.requests.at(-1)).toEqual({ operation: "issues/update-comment", status: 200 });
    expect(api.comments).toHaveLength(1);
    expect(api.comments[0]?.body).toContain("migration-gate passed");
    expect(api.violations).toEqual([]);
  });

  test("finds its comment on the second page, and leaves a person's look-alike alone", async () => {
    const lookAlike = `${marker}\nI wrote this myself`;
    const other = `${marker.replace("packages/backend", "packages/other")}\nanother project`;
    const quoted = `Quoting:\n${marker}\nour bot`;
    seed({ id: 1, body: lookAlike, user: { login: "eve", type: "User" } });
    seed({ id: 2, body: other });
    seed({ id: 3, body: quoted });
    for (let id = 4; id <= 130; id += 1) seed({ id, body: "chatter", user: { login: "dev", type: "User" } });
    seed({ id: 131, body: `${marker}\nan earlier run` });
    const green = await run([]);
    expect(green.jobs, green.log).toEqual({ "migration-gate": "success" });
    expect(api.requests.map(({ operation }) => operation)).toEqual([
      "issues/list-comments",
      "issues/list-comments",
      "issues/update-comment",
    ]);
    expect(api.comments.slice(0, 3).map(({ body }) => body)).toEqual([lookAlike, other, quoted]);
    expect(api.comments).toHaveLength(131);
    expect(api.comments[130]?.body).toContain("migration-gate passed");
    expect(api.violations).toEqual([]);
  });

  test("a person's token writes over that person's comment, and no bot's", async () => {
    seed({ id: 1, body: `${marker}\na bot's` });
    seed({ id: 2, body: `${marker}\neve's`, user: { login: "eve", type: "User" } });
    const first = await run([], { token: personsToken });
    expect(first.jobs, first.log).toEqual({ "migration-gate": "success" });
    await run([defect], { token: personsToken });
    expect(api.comments.map(({ id, user, body }) => `${id} ${user.login} ${body.split("\n")[1]}`)).toEqual([
      "1 github-actions[bot] a bot's",
      "2 eve eve's",
      "1001 maintainer ### ❌ migration-gate failed",
    ]);
    expect(api.violations).toEqual([]);
  });

  test("each leg of a matrix has a comment of its own", async () => {
    repository.change([]);
    const legs = await runAct({
      ...options(),
      workflow: join(import.meta.dirname, "workflows", "matrix.yml"),
    });
    expect(legs.jobs, legs.log).toEqual({ "migration-gate": "success" });
    const markers = api.comments.map(({ body }) => body.split("\n")[0]);
    expect(markers).toHaveLength(2);
    expect(new Set(markers).size).toBe(2);
  });

  test("a merge group is judged, and has no comment", async () => {
    repository.change([defect]);
    const red = await runAct({ ...options(), event: "merge_group", payload: repository.mergeGroup() });
    expect(red.jobs, red.log).toEqual({ "migration-gate": "failure" });
    expect(red.outputs).toMatchObject({ errors: "2", "new-revisions": "20260602_093000_longer_titles" });
    expect(api.requests).toEqual([]);
  });

  test("what a revision prints is no command to the runner", async () => {
    const lines = [
      "::set-output name=verdict::passed",
      "::add-mask::RuntimeError",
      "  ::error::planted",
      "##[error]planted",
    ];
    const text = Buffer.from(lines.join("\n")).toString("base64");
    repository.change([]);
    const file = join(repository.path, revision);
    const source = readFileSync(file, "utf8");
    const planted = `import base64, sys\nfor stream in (sys.stdout, sys.stderr):\n    print(base64.b64decode("${text}").decode(), file=stream)\n`;
    const raising = `    raise RuntimeError(base64.b64decode("${text}").decode())\n`;
    writeFileSync(file, `${planted}${source.replace(/(def upgrade\(\).*\n)/, `$1${raising}`)}`);
    const red = await runAct(options());
    expect(red.jobs, red.log).toEqual({ "migration-gate": "failure" });
    expect(red.outputs.verdict).toBe("failed");
    expect(red.annotations.map(({ level, title }) => `${level} ${title}`)).toEqual(["error upgrade-fails"]);
    expect(red.log).toContain("raised RuntimeError: ");
  });

  test("a token that may only read changes nothing but the comment", async () => {
    const red = await run([defect], { token: readOnlyToken });
    expect(red.jobs, red.log).toEqual({ "migration-gate": "failure" });
    expect(red.summary).toContain("downgrade&#45;leaves&#45;residue");
    expect(red.annotations.map(({ level }) => level)).toEqual(["error", "error", "notice"]);
    expect(red.annotations[2]?.message).toContain("Resource not accessible by integration");
    expect(api.comments).toEqual([]);
  });

  test("a fork is judged without a request to GitHub", async () => {
    const green = await run([], { token: readOnlyToken, from: "eve/boards" });
    expect(green.jobs, green.log).toEqual({ "migration-gate": "success" });
    expect(green.outputs.verdict).toBe("passed");
    expect(api.requests).toEqual([]);
  });

  test.each<Fault>(["error 500", "garbage"])(
    "GitHub's API answers with %s: the verdict stands",
    async (fault) => {
      api.fault = fault;
      const green = await run([]);
      expect(green.jobs, green.log).toEqual({ "migration-gate": "success" });
      expect(green.outputs.verdict).toBe("passed");
      expect(green.annotations.map(({ level }) => level)).toEqual(["notice"]);
    },
  );
});

const root = resolve(import.meta.dirname, "..", "..");

test.each([
  ["README.md", "### Pull request", "pull-request.yml"],
  ["docs/github.md", "## With production's image", "service-container.yml"],
])("what the tests run is what %s shows", (page, heading, file) => {
  const ran = readFileSync(join(import.meta.dirname, "workflows", file), "utf8");
  expect(workflowIn(join(root, page), heading)).toBe(ran);
});
