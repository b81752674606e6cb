import { expect, test } from "vitest";
import { changedFiles } from "../../src/project/changes";
import { repositoryIn } from "../support/git";
import { messageOf } from "../support/messages";
import { writeProject } from "../support/project";

async function pathsByKind(root: string, from: string, to?: string) {
  const changes = await changedFiles(root, from, to);
  const of = (kind: string) => changes.filter((change) => change.kind === kind).map(({ path }) => path);
  return { added: of("added"), modified: of("modified"), deleted: of("deleted") };
}

test("commits, the index and edits, with names of every kind", async () => {
  await using project = await writeProject({ ".gitignore": "*.pyc\n" });
  const { git, write, commit, remove } = repositoryIn(project.path);
  for (const file of ["kept", "edited", "edited later", "gone", "gone later", "moved", "lost by the index"])
    write(file);
  const base = commit();
  write("new");
  write("edited", "other\n");
  remove("gone");
  git("mv", "moved", "moved here");
  write("ünïcode\nand a line");
  commit();
  write("staged");
  git("add", "staged");
  write("edited later", "other\n");
  remove("gone later");
  write("not tracked \u65e5\u672c.py");
  write("ignored.pyc");
  git("rm", "-q", "--cached", "lost by the index");

  expect(await pathsByKind(project.path, base)).toEqual({
    added: ["moved here", "new", "staged", "ünïcode\nand a line"],
    modified: ["edited", "edited later"],
    deleted: ["gone", "gone later", "lost by the index", "moved"],
  });
});

test("between two commits, with the ids of what is a plain file", async () => {
  await using project = await writeProject({ a: "1\n" });
  const { git, write, commit } = repositoryIn(project.path);
  const base = commit();
  const before = git("rev-parse", "HEAD:a");
  git("rm", "-q", "a");
  // A symbolic link has a content, and is no file of ours.
  git("update-index", "--add", "--cacheinfo", `120000,${before},b`);
  git("commit", "-qm", "x");
  write("untouched by it");
  expect(await changedFiles(project.path, base, "HEAD")).toEqual([
    { path: "a", kind: "deleted", before, after: undefined },
    { path: "b", kind: "added", before: undefined, after: undefined },
  ]);
});

test("settings of the user change nothing", async () => {
  await using project = await writeProject({ a: "a\n".repeat(20), é: "é\n" });
  const { git, write, commit } = repositoryIn(project.path);
  const base = commit();
  git("config", "diff.external", "false");
  git("config", "diff.renames", "copies");
  git("config", "diff.noprefix", "true");
  git("config", "diff.relative", "true");
  git("config", "core.pager", "false");
  git("config", "core.abbrev", "4");
  git("config", "color.ui", "always");
  git("mv", "a", "b");
  write("é", "x\n");
  expect(await pathsByKind(project.path, base)).toEqual({ added: ["b"], modified: ["é"], deleted: ["a"] });
});

test("without git", async () => {
  await using project = await writeProject({ a: "" });
  const before = process.env.PATH;
  process.env.PATH = project.path;
  try {
    expect(await messageOf(() => changedFiles(project.path, "main"))).toContain(
      "error: The command git was not found.",
    );
  } finally {
    process.env.PATH = before;
  }
});
