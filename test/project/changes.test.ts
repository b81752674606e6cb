import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { formatError, UserError } from "../../src/errors";
import { changedFiles } from "../../src/project/changes";
import { writeProject } from "../support/project";

/** A repository of the real git, without the user's settings. */
function repository(folder: string) {
  const git = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_SYSTEM: "/dev/null",
        GIT_AUTHOR_NAME: "a",
        GIT_AUTHOR_EMAIL: "a@example.org",
        GIT_COMMITTER_NAME: "a",
        GIT_COMMITTER_EMAIL: "a@example.org",
      },
    });
  const write = (file: string, text = `${file}\n`.repeat(20)): void => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  const commit = (): string => {
    git("add", "-A");
    git("commit", "-qm", "x");
    return git("rev-parse", "HEAD").trim();
  };
  const remove = (file: string): void => rmSync(path.join(folder, file));
  git("init", "-q", "-b", "main");
  return { git, write, commit, remove };
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof UserError) return formatError(error);
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("changes since the merge base", () => {
  test("commits, the index, edits and untracked files, with names of every kind", async () => {
    await using project = await writeProject({ ".gitignore": "*.pyc\n" });
    const { git, write, commit, remove } = repository(project.path);
    for (const file of [
      "kept",
      "edited",
      "edited later",
      "gone",
      "gone later",
      "moved",
      "rewritten",
      "lost by the index",
    ])
      write(file);
    const base = commit();
    git("checkout", "-qb", "topic");
    write("new");
    write("edited", "other\n");
    remove("gone");
    git("mv", "moved", "moved here");
    git("mv", "rewritten", "rewritten here");
    write("rewritten here", `${"rewritten\n".repeat(20)}and more\n`);
    write("ünïcode\nand a line");
    commit();
    git("checkout", "-q", "main");
    write("only on main");
    commit();
    git("checkout", "-q", "topic");
    write("staged");
    git("add", "staged");
    write("edited later", "other\n");
    remove("gone later");
    write("not tracked \u65e5\u672c.py");
    write("ignored.pyc");
    git("rm", "-q", "--cached", "lost by the index");

    expect(await changedFiles(project.path, "main")).toEqual({
      mergeBase: base,
      added: ["new", "not tracked \u65e5\u672c.py", "staged", "ünïcode\nand a line"],
      modified: ["edited", "edited later", "lost by the index"],
      deleted: ["gone", "gone later"],
      renamed: [
        { from: "moved", to: "moved here", exact: true },
        { from: "rewritten", to: "rewritten here", exact: false },
      ],
      untracked: ["not tracked \u65e5\u672c.py"],
    });
  });

  test("below the root only, relative to it", async () => {
    await using project = await writeProject({ "backend/a": "a\n", outside: "o\n".repeat(30) });
    const { git, write, commit } = repository(project.path);
    const base = commit();
    write("backend/b");
    git("mv", "outside", "backend/outside");
    write("other/c");
    commit();
    write("backend/sub/d");
    expect(await changedFiles(path.join(project.path, "backend"), base)).toEqual({
      mergeBase: base,
      added: ["b", "outside", "sub/d"],
      modified: [],
      deleted: [],
      renamed: [],
      untracked: ["sub/d"],
    });
  });

  test("settings of the user change nothing", async () => {
    await using project = await writeProject({ a: "a\n".repeat(20), é: "é\n" });
    const { git, write, commit } = repository(project.path);
    const base = commit();
    git("config", "diff.external", "false");
    git("config", "diff.renames", "false");
    git("config", "diff.noprefix", "true");
    git("config", "core.pager", "false");
    git("config", "color.ui", "always");
    git("mv", "a", "b");
    write("é", "x\n");
    expect(await changedFiles(project.path, base)).toMatchObject({
      modified: ["é"],
      renamed: [{ from: "a", to: "b", exact: true }],
    });
  });
});

describe("no changes can be told", () => {
  test("outside of a repository", async () => {
    await using project = await writeProject({ a: "" });
    expect(
      (await messageOf(changedFiles(project.path, "main"))).replaceAll(project.path, "<root>"),
    ).toBe(`error: <root> is in no git repository.
seen  not a git repository (or any of the parent directories): .git
why   What this change adds and edits is read from the repository's history.
do    Check the repository out first, or leave base out: then every revision is judged.`);
  });

  test("an unknown base", async () => {
    await using project = await writeProject({ a: "" });
    repository(project.path).commit();
    for (const base of ["origin/mian", "--help", "main:a", ""]) {
      expect(
        (await messageOf(changedFiles(project.path, base))).replaceAll(project.path, "<root>"),
      ).toBe(`error: The base "${base}" is no commit of this repository.
where <root>
seen  Branches: main.
do    Fetch it (git fetch origin ${base.replace("origin/", "")}), or set base to a commit, tag or branch.`);
    }
  });

  test("a repository without a commit", async () => {
    await using project = await writeProject({ a: "" });
    repository(project.path);
    expect(await messageOf(changedFiles(project.path, "main"))).toContain(
      'error: The base "main" is no commit of this repository.',
    );
  });

  test("a shallow clone without the common commit", async () => {
    await using project = await writeProject({ "origin/a": "1" });
    const folder = path.join(project.path, "origin");
    const { git, write, commit } = repository(folder);
    commit();
    git("checkout", "-qb", "topic");
    write("b");
    commit();
    git("checkout", "-q", "main");
    write("c");
    commit();
    const clone = path.join(project.path, "clone");
    git("clone", "-q", "--depth=1", "--no-single-branch", "--branch", "topic", `file://${folder}`, clone);
    expect(
      (await messageOf(changedFiles(clone, "origin/main"))).replaceAll(clone, "<root>"),
    ).toBe(`error: HEAD and the base "origin/main" have no common commit.
where <root>
seen  The clone is shallow: the common commit was not fetched.
do    Check out with the whole history (actions/checkout: fetch-depth: 0), or run: git fetch --unshallow`);
  });

  test("unrelated histories", async () => {
    await using project = await writeProject({ a: "1" });
    const { git, write, commit } = repository(project.path);
    commit();
    git("checkout", "-q", "--orphan", "other");
    write("b");
    commit();
    expect(await messageOf(changedFiles(project.path, "main"))).toContain(
      "seen  Their histories are unrelated.",
    );
  });

  test("without git", async () => {
    await using project = await writeProject({ a: "" });
    const before = process.env.PATH;
    process.env.PATH = project.path;
    try {
      expect(await messageOf(changedFiles(project.path, "main"))).toContain(
        "error: The command git was not found.",
      );
    } finally {
      process.env.PATH = before;
    }
  });
});
