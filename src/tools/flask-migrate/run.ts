import path from "node:path";
import { lockedWords, programWords } from "../alembic/run";
import type { ToolCommands, ToolProject } from "../contract";
import { withOwnWords } from "../own-words";
import { runSetting, shellWord } from "../shell-words";

/**
 * How Flask-Migrate is started: the setting `run`, else `uv run flask db` with a uv.lock, `poetry run flask db` with a
 * poetry.lock, else `flask db` (of the project's .venv where there is none on PATH).
 */
export function runWords(
  project: ToolProject,
  run?: string,
  searchPath: string = process.env.PATH ?? "",
): readonly string[] {
  return givenWords(run) ?? [...programWords(project.root, "flask", searchPath), "db"];
}

/** `flask db`'s arguments; the directory is named only where it is not the usual one. */
export function commands(project: ToolProject): ToolCommands {
  const options = optionsOf(project);
  return withOwnWords(project, {
    current: ["current", ...options],
    stamp: ["stamp", ...options],
    upgrade: (target) => ["upgrade", ...options, ...argument(target)],
    downgrade: (target) => ["downgrade", ...options, ...argument(target)],
  });
}

/** Click takes "-1" for an option. */
function argument(target: string): readonly string[] {
  return target.startsWith("-") ? ["--", target] : [target];
}

export function mergeLine(project: ToolProject, heads: readonly string[], run?: string, id?: string): string {
  const words = [...typedWords(project, run), "merge", ...optionsOf(project)];
  const named = id === undefined ? [] : ["--rev-id", id];
  return [...words.map(shellWord), '-m "merge heads"', ...named, ...heads.map(shellWord)].join(" ");
}

/** As a person types them, anywhere: no path of this machine. */
export function typedWords(project: ToolProject, run?: string): readonly string[] {
  return givenWords(run) ?? [...(lockedWords(project.root, "flask") ?? ["flask"]), "db"];
}

function givenWords(run: string | undefined): readonly string[] | undefined {
  if (run === undefined) return undefined;
  return runSetting(run, 'what starts Flask-Migrate, such as "uv run flask db" or "flask --app shop db"');
}

/** As an option of the command: releases before 4.1 know none of the group `db`. */
function optionsOf({ config }: ToolProject): readonly string[] {
  const directory = path.posix.dirname(config);
  return directory === "migrations" ? [] : ["--directory", directory];
}
