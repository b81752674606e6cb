import { chmod } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import type { ToolProject } from "../../../src/tools/contract";
import { commands, mergeLine, runWords } from "../../../src/tools/flask-migrate/run";
import { type ProjectFiles, writeProject } from "../../support/project";

const at = (root: string, config = "migrations/alembic.ini"): ToolProject => ({
  tool: "flask-migrate",
  root,
  config,
  section: undefined,
  revisionFolders: [],
  recursive: false,
  configFiles: [],
  environmentFiles: [],
  environmentFolders: [],
});

interface Case {
  readonly files: ProjectFiles;
  readonly folder?: string;
  readonly run?: string;
  readonly words: readonly string[];
  readonly merge: string;
}

const merge = (words: string) => `${words} merge -m "merge heads" a1 b2`;

const cases: Readonly<Record<string, Case>> = {
  "a uv.lock": {
    files: { "uv.lock": "" },
    words: ["uv", "run", "flask", "db"],
    merge: merge("uv run flask db"),
  },
  "a workspace's uv.lock above": {
    files: { "uv.lock": "", "packages/web/x": "" },
    folder: "packages/web",
    words: ["uv", "run", "flask", "db"],
    merge: merge("uv run flask db"),
  },
  "a poetry.lock": {
    files: { "poetry.lock": "" },
    words: ["poetry", "run", "flask", "db"],
    merge: merge("poetry run flask db"),
  },
  "a .venv, nothing on PATH: no path of this machine in what a person types": {
    files: { ".venv/bin/flask": "" },
    words: ["<root>/.venv/bin/flask", "db"],
    merge: merge("flask db"),
  },
  nothing: { files: { x: "" }, words: ["flask", "db"], merge: merge("flask db") },
  "the setting": {
    files: { "uv.lock": "" },
    run: "flask --app 'shop:create_app(\"test\")' db",
    words: ["flask", "--app", 'shop:create_app("test")', "db"],
    merge: merge("flask --app 'shop:create_app(\"test\")' db"),
  },
};

test.each(Object.entries(cases))("%s", async (_, { files, folder = "", run, words, merge: line }) => {
  await using project = await writeProject({ ".git/x": "", ...files });
  for (const file of Object.keys(files))
    if (file.endsWith("/flask")) await chmod(path.join(project.path, file), 0o755);
  const here = at(path.join(project.path, folder));
  const found = runWords(here, run, path.join(project.path, "bin"));
  expect(found.map((word) => word.replace(project.path, "<root>"))).toEqual(words);
  expect(mergeLine(here, ["a1", "b2"], run)).toBe(line);
});

test("an empty setting", () => {
  expect(() => runWords(at("/"), " ")).toThrow('The setting "run" is empty.');
});

test("a folder of another name is an option of each command", () => {
  const project = at("/p", "db schema/alembic.ini");
  const all = commands(project);
  const named = ["--directory", "db schema"];
  expect([all.upgrade("head"), all.downgrade("base"), all.downgrade("-1"), all.current, all.stamp]).toEqual([
    ["upgrade", ...named, "head"],
    ["downgrade", ...named, "base"],
    ["downgrade", ...named, "--", "-1"],
    ["current", ...named],
    ["stamp", ...named],
  ]);
  expect(mergeLine(project, ["heads"])).toBe(`flask db merge --directory 'db schema' -m "merge heads" heads`);
});
