import { chmod } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { commands, mergeLine, runWords } from "../../../src/tools/alembic/run";
import type { ToolProject } from "../../../src/tools/contract";
import { type ProjectFiles, writeProject } from "../../support/project";

const at = (root: string, more: Partial<ToolProject> = {}): ToolProject => ({
  tool: "alembic",
  root,
  config: "alembic.ini",
  section: undefined,
  revisionFolders: [],
  recursive: false,
  configFiles: [],
  environmentFiles: [],
  environmentFolders: [],
  ...more,
});

const cases: Readonly<
  Record<string, { files: ProjectFiles; folder?: string; run?: string; words: readonly string[] }>
> = {
  "a uv.lock": { files: { "uv.lock": "", "poetry.lock": "" }, words: ["uv", "run", "alembic"] },
  "a workspace's uv.lock above": {
    files: { "uv.lock": "", "packages/backend/x": "" },
    folder: "packages/backend",
    words: ["uv", "run", "alembic"],
  },
  "a uv.lock above the repository": {
    files: { "uv.lock": "", "repository/.git": "" },
    folder: "repository",
    words: ["alembic"],
  },
  "a poetry.lock": { files: { "poetry.lock": "" }, words: ["poetry", "run", "alembic"] },
  "a poetry.lock, and alembic on PATH without poetry": {
    files: { "poetry.lock": "", "bin/alembic": "" },
    words: ["alembic"],
  },
  "a uv.lock, uv and alembic on PATH": {
    files: { "uv.lock": "", "bin/uv": "", "bin/alembic": "" },
    words: ["uv", "run", "alembic"],
  },
  "a uv.lock and a .venv, nothing on PATH": {
    files: { "uv.lock": "", ".venv/bin/alembic": "" },
    words: ["<root>/.venv/bin/alembic"],
  },
  "a .venv, nothing on PATH": { files: { ".venv/bin/alembic": "" }, words: ["<root>/.venv/bin/alembic"] },
  "a .venv, and alembic on PATH": {
    files: { ".venv/bin/alembic": "", "bin/alembic": "" },
    words: ["alembic"],
  },
  nothing: { files: { x: "" }, words: ["alembic"] },
  "the setting": { files: { "uv.lock": "" }, run: "python -m 'my tool'", words: ["python", "-m", "my tool"] },
};

test.each(Object.entries(cases))("%s", async (_, { files, folder = "", run, words }) => {
  await using project = await writeProject({ ".git/x": "", ...files });
  for (const file of Object.keys(files))
    if (file.includes("bin/")) await chmod(path.join(project.path, file), 0o755);
  const found = runWords(at(path.join(project.path, folder)), run, path.join(project.path, "bin"));
  expect(found.map((word) => word.replace(project.path, "<root>"))).toEqual(words);
});

test("an empty setting", () => {
  expect(() => runWords(at("/"), " ")).toThrow('The setting "run" is empty.');
});

test.each([
  [{}, ["upgrade", "head"], ["downgrade", "-1"], ["current"]],
  [{ config: "pyproject.toml" }, ["upgrade", "head"], ["downgrade", "-1"], ["current"]],
  [
    { config: "db/x.ini", section: "tenant" },
    ["-c", "db/x.ini", "-n", "tenant", "upgrade", "head"],
    ["-c", "db/x.ini", "-n", "tenant", "downgrade", "-1"],
    ["-c", "db/x.ini", "-n", "tenant", "current"],
  ],
])("arguments with %j", (more, upgrade, downgrade, current) => {
  const all = commands(at("/project", more));
  expect([all.upgrade("head"), all.downgrade("-1"), all.current]).toEqual([upgrade, downgrade, current]);
});

test.each([
  [{}, undefined, 'alembic merge -m "merge heads" a1 b2'],
  [{ "uv.lock": "" }, undefined, 'uv run alembic merge -m "merge heads" a1 b2'],
  [{ "uv.lock": "" }, "python -m alembic", 'python -m alembic merge -m "merge heads" a1 b2'],
  // A wrapper may know no merge.
  [{}, "boards-migrate", 'alembic merge -m "merge heads" a1 b2'],
])("the line that merges with %j and run %s", async (files, run, line) => {
  await using project = await writeProject({ ".git/x": "", ...files });
  expect(mergeLine(at(project.path), ["a1", "b2"], run)).toBe(line);
});
