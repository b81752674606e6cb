import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveBase } from "../../src/project/base";
import { cloneOf, type Repository, repositoryIn } from "../support/git";
import { messageOf } from "../support/messages";
import { writeProject } from "../support/project";

const zeros = "0".repeat(40);

/** The variables of a run on GitHub, with the event in a file of its own. */
function eventOf(folder: string, name: string, event: unknown): NodeJS.ProcessEnv {
  const file = join(folder, "event.json");
  writeFileSync(file, typeof event === "string" ? event : JSON.stringify(event));
  return { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: file };
}

const pullRequest = (baseSha: string, headSha: string, ref = "main") => ({
  pull_request: { base: { ref, sha: baseSha }, head: { ref: "topic", sha: headSha } },
});

/** main: start, later; topic from start: one, two; and the merge that GitHub would make of both. */
async function origin(extra: number = 0) {
  const project = await writeProject({ "origin/a": "a\n" });
  const repository = repositoryIn(join(project.path, "origin"));
  const start = repository.commit("start");
  repository.git("checkout", "-qb", "topic");
  for (let index = 0; index < extra; index++) repository.commit(`extra ${index}`);
  repository.write("b");
  repository.commit("one");
  repository.write("c");
  const topic = repository.commit("two");
  repository.git("checkout", "-q", "main");
  for (let index = 0; index < extra; index++) repository.commit(`more ${index}`);
  repository.write("d");
  const main = repository.commit("later");
  repository.git("checkout", "-q", "--detach", "main");
  repository.git("merge", "-q", "--no-ff", "-m", "merge", "topic");
  const merge = repository.git("rev-parse", "HEAD");
  repository.git("update-ref", "refs/pull/1/merge", merge);
  repository.git("checkout", "-q", "main");
  return {
    project,
    repository,
    start,
    topic,
    main,
    merge,
    [Symbol.asyncDispose]: project[Symbol.asyncDispose],
  };
}

type Origin = Awaited<ReturnType<typeof origin>>;

/** As actions/checkout does: a fetch of one commit into an empty repository, HEAD detached. */
function checkout({ repository, project }: Origin, commit: string, ...options: string[]): Repository {
  const path = join(project.path, "checkout");
  mkdirSync(path);
  const clone = repositoryIn(path);
  clone.git("remote", "add", "origin", `file://${repository.path}`);
  clone.git("fetch", "-q", "--no-tags", ...options, "origin", commit);
  clone.git("checkout", "-q", "--detach", commit);
  return clone;
}

describe("--base", () => {
  test("the merge base, and the tip that has gone on", async () => {
    await using at = await origin();
    at.repository.git("checkout", "-q", "topic");
    // The setting wins over the event.
    const environment = eventOf(at.project.path, "push", { ref: "refs/heads/topic", before: at.topic });
    expect(await resolveBase(at.repository.path, "main", environment)).toEqual({
      source: "--base",
      commit: at.start,
      tip: at.main,
    });
  });

  test.for(["--upload-pack=touch hacked", "-", "", "main:a", "HEAD..main", "origin/mian"])(
    "%s is no commit",
    async (named, { expect }) => {
      await using at = await origin();
      const message = await messageOf(() => resolveBase(at.repository.path, named, {}));
      expect(message.split("\n")[0]).toBe(`error: The base "${named}" is no commit of this repository.`);
    },
  );

  test("a branch that a shallow clone does not have is fetched, with the history between", async () => {
    await using at = await origin(60);
    const clone = cloneOf(at.repository, join(at.project.path, "clone"), "--depth=1", "--branch=topic");
    expect(await resolveBase(clone.path, "origin/main", {})).toEqual({
      source: "--base",
      commit: at.start,
      tip: at.main,
    });
  });

  test("unrelated histories", async () => {
    await using at = await origin();
    at.repository.git("checkout", "-q", "--orphan", "other");
    at.repository.commit();
    expect(
      (await messageOf(() => resolveBase(at.repository.path, "main", {}))).replace(at.project.path, "<root>"),
    ).toBe(`error: HEAD and the base "main" have no common commit.
where <root>/origin
seen  Their histories are unrelated.
do    Set base to a commit that this branch comes from.`);
  });
});

describe("pull_request", () => {
  test.for([
    ["whole", []],
    ["shallow", ["--depth=1"]],
  ] as const)("GitHub's merge commit, %s: its first parent", async ([, options], { expect }) => {
    await using at = await origin();
    const clone = checkout(at, at.merge, ...options);
    const environment = eventOf(at.project.path, "pull_request", pullRequest(at.start, at.topic));
    expect(await resolveBase(clone.path, undefined, environment)).toEqual({
      source: "pull_request",
      commit: at.main,
      tip: at.main,
    });
    expect(clone.git("rev-list", "--count", "HEAD")).toBe(options.length === 0 ? "5" : "1");
  });

  test.for([
    ["whole", []],
    ["shallow", ["--depth=1"]],
  ] as const)(
    "the head of the topic, %s: the merge base with the target",
    async ([, options], { expect }) => {
      await using at = await origin(60);
      const clone = checkout(at, at.topic, ...options);
      const environment = eventOf(at.project.path, "pull_request", pullRequest(at.start, at.topic));
      expect(await resolveBase(clone.path, undefined, environment)).toEqual({
        source: "pull_request",
        commit: at.start,
        tip: at.main,
      });
    },
  );

  test("a topic that ends with a merge of its own is not GitHub's merge commit", async () => {
    await using at = await origin();
    const { repository } = at;
    repository.git("checkout", "-q", "topic");
    repository.git("merge", "-q", "--no-ff", "-m", "own", "main");
    const head = repository.git("rev-parse", "HEAD");
    const environment = eventOf(at.project.path, "pull_request", pullRequest(at.start, head));
    repository.git("update-ref", "refs/remotes/origin/main", at.main);
    expect(await resolveBase(repository.path, undefined, environment)).toEqual({
      source: "pull_request",
      commit: at.main,
      tip: at.main,
    });
  });

  test.for(["--upload-pack=touch hacked", "a..b", "a b", "+refs/heads/*:refs/heads/*", "main\nx"])(
    "a target named %j is not handed to git as an option",
    async (ref, { expect }) => {
      await using at = await origin();
      const clone = checkout(at, at.topic, "--depth=1");
      const environment = eventOf(at.project.path, "pull_request", pullRequest(at.start, at.topic, ref));
      const message = await messageOf(() => resolveBase(clone.path, undefined, environment));
      expect(message).toContain(`error: Git does not have the target branch "${ref.split("\n")[0]}`);
    },
  );

  test("an origin that does not answer", async () => {
    await using at = await origin();
    const clone = checkout(at, at.merge, "--depth=1");
    clone.git("remote", "set-url", "origin", `file://${at.project.path}/gone`);
    const environment = eventOf(at.project.path, "pull_request", pullRequest(at.start, at.topic));
    expect(
      (await messageOf(() => resolveBase(clone.path, undefined, environment)))
        .replaceAll(at.project.path, "<root>")
        .replace(at.main, "<main>"),
    ).toBe(`error: Git does not have the target's commit <main>, and it could not be fetched.
where <root>/checkout
seen  '<root>/gone' does not appear to be a git repository
why   The change is compared with it.
do    Check out with the whole history (actions/checkout: fetch-depth: 0), or set base to a commit that is here.`);
  });

  test("without an origin: the event's commit, else the branch that is here", async () => {
    await using at = await origin();
    at.repository.git("checkout", "-q", "topic");
    for (const baseSha of [at.main, "1".repeat(40)]) {
      const environment = eventOf(at.project.path, "pull_request", pullRequest(baseSha, at.topic));
      expect(await resolveBase(at.repository.path, undefined, environment)).toEqual({
        source: "pull_request",
        commit: at.start,
        tip: at.main,
      });
    }
  });

  test("history that cannot be fetched", async () => {
    await using at = await origin();
    const clone = checkout(at, at.topic, "--depth=1");
    clone.git("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main");
    clone.git("remote", "remove", "origin");
    clone.git("update-ref", "refs/remotes/origin/main", at.main);
    const environment = eventOf(at.project.path, "pull_request", pullRequest(at.start, at.topic));
    expect(
      (await messageOf(() => resolveBase(clone.path, undefined, environment))).replaceAll(
        at.project.path,
        "<root>",
      ),
    ).toBe(`error: HEAD and the base "main" have no common commit.
where <root>/checkout
seen  The clone is shallow, and the common commit could not be fetched: 'origin' does not appear to be a git repository.
do    Check out with the whole history (actions/checkout: fetch-depth: 0), or run: git fetch --unshallow`);
  });
});

describe("merge_group", () => {
  test.for([[], ["--depth=1"]])("its base, fetched with %j", async (options, { expect }) => {
    await using at = await origin();
    const clone = checkout(at, at.merge, ...options);
    const environment = eventOf(at.project.path, "merge_group", {
      merge_group: { base_sha: at.main, head_sha: at.merge },
    });
    expect(await resolveBase(clone.path, undefined, environment)).toEqual({
      source: "merge_group",
      commit: at.main,
      tip: at.main,
    });
  });
});

describe("push", () => {
  const push = (before: string, ref = "refs/heads/topic", branch: string | undefined = "main") => ({
    ref,
    before,
    repository: { default_branch: branch },
  });

  test.for([[], ["--depth=1"]])("what was there before, fetched with %j", async (options, { expect }) => {
    await using at = await origin();
    const clone = checkout(at, at.merge, ...options);
    expect(await resolveBase(clone.path, undefined, eventOf(at.project.path, "push", push(at.main)))).toEqual(
      {
        source: "push",
        commit: at.main,
        tip: undefined,
      },
    );
  });

  const gone = "1".repeat(40);
  test.for([
    ["a new branch: the merge base with the default branch", push(zeros), true],
    ["forced, and what was there is gone: the same", push(gone), true],
    ["a new default branch", push(zeros, "refs/heads/main"), false],
    ["the default branch, forced, and what was there is gone", push(gone, "refs/heads/main"), false],
    ["a tag", push(zeros, "refs/tags/v1"), false],
    ["no default branch is told", { ref: "refs/heads/topic", before: zeros }, false],
    ["a default branch that is not there", push(zeros, "refs/heads/topic", "nope"), false],
    ["a default branch that is an option", push(zeros, "refs/heads/topic", "--upload-pack=x"), false],
  ] as const)("%s", async ([, event, hasBase], { expect }) => {
    await using at = await origin();
    const clone = checkout(at, at.topic, "--depth=1");
    expect(await resolveBase(clone.path, undefined, eventOf(at.project.path, "push", event))).toEqual(
      hasBase ? { source: "push", commit: at.start, tip: at.main } : undefined,
    );
  });

  test("forced, and what was there is here: it is what the change replaces", async () => {
    await using at = await origin();
    expect(
      await resolveBase(at.repository.path, undefined, eventOf(at.project.path, "push", push(at.topic))),
    ).toEqual({
      source: "push",
      commit: at.topic,
      tip: undefined,
    });
  });
});

describe("no base", () => {
  test.for([
    {},
    { GITHUB_EVENT_NAME: "workflow_dispatch" },
    { GITHUB_EVENT_NAME: "schedule", GITHUB_EVENT_PATH: "/x" },
  ])("%j", async (environment, { expect }) => {
    expect(await resolveBase("/", undefined, environment)).toBe(undefined);
  });

  const cases: Readonly<Record<string, readonly [string, unknown, string]>> = {
    "no JSON": ["push", "{", "<root>/event.json is no JSON."],
    "no object": ["push", [], "The event push has no ref,"],
    "no number where a text is": ["push", { ref: 1 }, "The event push has no ref,"],
    "no commit": ["push", { ref: "refs/heads/x", before: "--help" }, "The event push has no before,"],
    "no target": ["pull_request", { pull_request: { base: null } }, "has no pull_request.base.ref,"],
    "no group": ["merge_group", {}, "The event merge_group has no merge_group.base_sha,"],
    "a name that every object has": [
      "merge_group",
      { merge_group: "constructor" },
      "has no merge_group.base_sha,",
    ],
  };
  test.for(Object.entries(cases))("an event with %s", async ([, [name, event, text]], { expect }) => {
    await using project = await writeProject({ a: "" });
    const environment = eventOf(project.path, name, event);
    const message = await messageOf(() => resolveBase(project.path, undefined, environment));
    expect(message.replaceAll(project.path, "<root>")).toContain(text);
    expect(message).toContain(
      "do    Set base to the commit, tag or branch that the change is compared with.",
    );
  });

  test("an event without a file", async () => {
    for (const GITHUB_EVENT_PATH of ["", "/no/such/file"]) {
      const message = await messageOf(() =>
        resolveBase("/", undefined, { GITHUB_EVENT_NAME: "push", GITHUB_EVENT_PATH }),
      );
      expect(message).toContain(
        "error: The event push cannot be read, which says what the change is compared with.",
      );
    }
  });

  test("outside of a repository, without a commit, and in a bare repository", async () => {
    await using project = await writeProject({ a: "" });
    const outside = await messageOf(() => resolveBase(project.path, "main", {}));
    expect(outside.replaceAll(project.path, "<root>")).toBe(`error: <root> is in no git repository.
seen  not a git repository (or any of the parent directories): .git
why   What this change adds and edits is read from the repository's history.
do    Check the repository out first, or leave base out: then every revision is judged.`);
    const repository = repositoryIn(project.path);
    expect(await messageOf(() => resolveBase(project.path, "main", {}))).toContain(
      "error: The repository has no commit yet.",
    );
    repository.commit();
    const bare = join(project.path, "bare");
    repository.git("clone", "-q", "--bare", ".", bare);
    expect(await messageOf(() => resolveBase(bare, "main", {}))).toContain("must be run in a work tree");
    rmSync(bare, { recursive: true });
  });
});
