import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors";
import { readGivenConfiguration } from "../alembic/configuration";
import type { ProjectCandidate, ToolProject } from "../contract";

/** How far below a root its migrations may lie: `src/app/database/migrations`. */
const depth = 4;

/** Folders in which nobody keeps migrations of their own. */
const skipped = new Set(["node_modules", "site-packages", "__pycache__", "venv", "env", "versions"]);

/**
 * A Flask-Migrate project whose `flask db` is started in this folder: a folder with Flask-Migrate's alembic.ini and
 * env.py lies in it, or in a package of it, or, where Flask finds the app here, anywhere below.
 */
export function detect(folder: string, config?: string): ProjectCandidate | undefined {
  if (config !== undefined) {
    const directory = path.dirname(path.resolve(folder, config));
    const isIni = path.basename(config) === "alembic.ini" && isFlaskMigrate(directory);
    return isIni ? { tool: "flask-migrate", root: folder, config } : undefined;
  }
  const found = migrationFolders(folder).sort();
  const [only, ...others] = found;
  if (only === undefined) return undefined;
  const configs = found.map((one) => `${path.relative(folder, one).split(path.sep).join("/")}/alembic.ini`);
  if (others.length === 0) return { tool: "flask-migrate", root: folder, config: configs[0] ?? "" };
  throw new UserError({
    what: `There are ${found.length} folders of Flask-Migrate, and nothing says which one to judge.`,
    where: folder,
    seen: configs.join("\n"),
    do: `Set config, for instance config: ${configs[0]}; one check a folder judges them all.`,
  });
}

/** Reads the configuration as `flask db --directory` does: the script location is the folder of alembic.ini. */
export function open(candidate: ProjectCandidate, section?: string): ToolProject {
  const { root, config } = candidate;
  if (section !== undefined && section !== "alembic") {
    throw new UserError({
      what: `The setting section is "${section}", and Flask-Migrate reads [alembic] only.`,
      where: config,
      do: "Leave section out.",
    });
  }
  const directory = path.dirname(path.resolve(root, config));
  const configuration = readGivenConfiguration(root, config, directory);
  const ini = path.resolve(root, config);
  const environment = path.join(directory, "env.py");
  return {
    ...candidate,
    section: undefined,
    revisionFolders: configuration.revisionFolders,
    recursive: configuration.recursive,
    // env.py tells that the folder is Flask-Migrate's.
    configFiles: [ini, environment],
    environmentFiles: [ini, environment],
    environmentFolders: [directory, ...configuration.revisionFolders],
  };
}

/** True where `flask` finds the app without being told (Flask 3.1, cli.py). */
export function findsAppIn(folder: string): boolean {
  return (
    isFile(path.join(folder, "wsgi.py")) ||
    isFile(path.join(folder, "app.py")) ||
    /^\s*(?:export\s+)?FLASK_APP\s*=/m.test(textOf(path.join(folder, ".flaskenv")))
  );
}

/** The nearest ones. Below a folder with an app of its own the migrations are that app's. */
function migrationFolders(top: string): string[] {
  const hasApp = findsAppIn(top);
  let level = foldersIn(top);
  for (let levels = 0; levels < depth && level.length > 0; levels++) {
    const found = level.filter(isFlaskMigrate);
    if (found.length > 0) return found;
    level = level.filter((folder) => isPackage(folder) || (hasApp && !findsAppIn(folder))).flatMap(foldersIn);
  }
  return [];
}

/**
 * Flask-Migrate's templates have one logger and one import that Alembic's have not: `flask_migrate` in alembic.ini (since
 * 2.6) and `from flask import current_app` in env.py. Where script_location is set and env.py makes the app's context
 * itself, or needs none, the folder is meant for Alembic's own command.
 */
function isFlaskMigrate(folder: string): boolean {
  const ini = path.join(folder, "alembic.ini");
  const environment = path.join(folder, "env.py");
  if (!isFile(ini) || !isFile(environment)) return false;
  const [settings, code] = [textOf(ini), textOf(environment)];
  if (/^script_location\s*[=:]/m.test(settings))
    return /\bcurrent_app\b/.test(code) && !/\bapp_context\(/.test(code);
  return /\bflask/i.test(code) || /\bflask_migrate\b/.test(settings);
}

function isPackage(folder: string): boolean {
  return isFile(path.join(folder, "__init__.py"));
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && entry.name === "migrations"))
      .filter(({ name }) => !name.startsWith(".") && !skipped.has(name))
      .map(({ name }) => path.join(folder, name));
  } catch {
    return [];
  }
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
