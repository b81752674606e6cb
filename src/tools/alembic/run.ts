import { accessSync, constants, existsSync } from "node:fs";
import path from "node:path";
import type { ToolCommands, ToolProject } from "../contract";
import { withOwnWords } from "../own-words";
import { runSetting, shellWord } from "../shell-words";

/**
 * How Alembic is started in a project: the setting `run`, else `uv run alembic` with a uv.lock, `poetry run alembic`
 * with a poetry.lock, else `alembic` (of the project's .venv where there is none on PATH), also where uv or poetry is not
 * installed: an image has what the lock names. Lock files of a workspace lie in a folder above; the search ends at the
 * repository's top.
 */
export function runWords(
  project: ToolProject,
  run?: string,
  searchPath: string = process.env.PATH ?? "",
): readonly string[] {
  if (run !== undefined) return runSetting(run, 'what starts Alembic, such as "uv run alembic"');
  return programWords(project.root, "alembic", searchPath);
}

/** How a program of the project's Python environment is started. */
export function programWords(root: string, program: string, searchPath: string): readonly string[] {
  const locked = lockedWords(root, program);
  const [manager = ""] = locked ?? [];
  if (locked !== undefined && isOnPath(manager, searchPath)) return locked;
  const own = path.join(root, ".venv", "bin", program);
  if (isOnPath(program, searchPath)) return [program];
  return isExecutable(own) ? [own] : (locked ?? [program]);
}

function isOnPath(program: string, searchPath: string): boolean {
  return searchPath
    .split(path.delimiter)
    .some((folder) => folder !== "" && isExecutable(path.join(folder, program)));
}

/** As the project's lock file says; undefined where there is none. */
export function lockedWords(root: string, program: string): readonly string[] | undefined {
  if (hasAbove(root, "uv.lock")) return ["uv", "run", program];
  return existsSync(path.join(root, "poetry.lock")) ? ["poetry", "run", program] : undefined;
}

/** What every env.py comes to load, by itself or by the models that it imports. */
export const modules: readonly string[] = [
  "alembic.config",
  "alembic.command",
  "sqlalchemy.orm",
  "sqlalchemy.dialects.postgresql",
];

/** Alembic's arguments; the configuration is named only where Alembic would not find it by itself. */
export function commands(project: ToolProject): ToolCommands {
  const options = optionsOf(project);
  return withOwnWords(project, {
    current: [...options, "current"],
    stamp: [...options, "stamp"],
    upgrade: (target) => [...options, "upgrade", target],
    downgrade: (target) => [...options, "downgrade", target],
  });
}

/** `Running upgrade 1a, 2b -> 3c, message` and `Running downgrade 3c -> 2b, message` (alembic.runtime.migration). */
export function stepBegun(line: string): string | undefined {
  const { way, from, to } =
    /\bRunning (?<way>upgrade|downgrade) (?<from>.*?) -> (?<to>[^,]*?)(?:,|$)/.exec(line)?.groups ?? {};
  return (way === "downgrade" ? from : to)?.trim() || undefined;
}

/** As a person types it, anywhere. A wrapper in the setting `run` may take no other command than those of the gate. */
export function mergeLine(project: ToolProject, heads: readonly string[], run?: string, id?: string): string {
  const given = run === undefined ? undefined : runWords(project, run);
  const words = given?.at(-1) === "alembic" ? given : (lockedWords(project.root, "alembic") ?? ["alembic"]);
  return [
    ...[...words, ...optionsOf(project), "merge"].map(shellWord),
    '-m "merge heads"',
    ...(id === undefined ? [] : ["--rev-id", id]),
    ...heads.map(shellWord),
  ].join(" ");
}

function optionsOf(project: ToolProject): readonly string[] {
  const usual = project.config === "alembic.ini" || project.config === "pyproject.toml";
  return [
    ...(usual ? [] : ["-c", project.config]),
    ...(project.section === undefined ? [] : ["-n", project.section]),
  ];
}

function hasAbove(folder: string, name: string): boolean {
  for (let here = path.resolve(folder); ; here = path.dirname(here)) {
    if (existsSync(path.join(here, name))) return true;
    if (existsSync(path.join(here, ".git")) || here === path.dirname(here)) return false;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
