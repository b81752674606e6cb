import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { ProjectCandidate, ToolProject } from "../contract";
import { readConfiguration, readTomlTable } from "./configuration";
import { parseIni } from "./ini";

/** Alembic's main section: `-n` names another one. */
const mainSection = "alembic";

/**
 * An Alembic project in this folder: alembic.ini, or [tool.alembic] in pyproject.toml, or the file that `config`
 * names. Flask-Migrate's alembic.ini, which has no script_location and lies beside env.py, is none.
 */
export function detect(folder: string, config?: string): ProjectCandidate | undefined {
  if (config !== undefined) {
    const isFile = statSync(path.resolve(folder, config), { throwIfNoEntry: false })?.isFile() === true;
    return isFile ? { tool: "alembic", root: folder, config } : undefined;
  }
  const ini = path.join(folder, "alembic.ini");
  if (existsSync(ini) && !isFlaskMigrate(folder, ini))
    return { tool: "alembic", root: folder, config: "alembic.ini" };
  const toml = path.join(folder, "pyproject.toml");
  if (existsSync(toml) && /^\s*\[\s*tool\s*\.\s*"?alembic\b/m.test(readFileSync(toml, "utf8"))) {
    const table = readTomlTable(toml, "pyproject.toml");
    if (table?.script_location !== undefined)
      return { tool: "alembic", root: folder, config: "pyproject.toml" };
  }
  return undefined;
}

/** Reads the configuration; an ini file in a subfolder whose folders are relative to the root is found as well. */
export function open(candidate: ProjectCandidate, section?: string): ToolProject {
  const configuration = readConfiguration(candidate.root, candidate.config, section ?? mainSection);
  const absolute = (file: string): string => path.resolve(candidate.root, file);
  return {
    ...candidate,
    section: section === mainSection ? undefined : section,
    revisionFolders: configuration.revisionFolders,
    recursive: configuration.recursive,
    configFiles: [...new Set([candidate.config, "alembic.ini", "pyproject.toml"].map(absolute))],
    // pyproject.toml changes with every dependency: that alone says nothing.
    environmentFiles: [
      ...(candidate.config.endsWith(".toml") ? [] : [absolute(candidate.config)]),
      path.join(configuration.scriptLocation, "env.py"),
    ],
    environmentFolders: [configuration.scriptLocation, ...configuration.revisionFolders],
  };
}

function isFlaskMigrate(folder: string, ini: string): boolean {
  if (!existsSync(path.join(folder, "env.py"))) return false;
  try {
    const main = parseIni(readFileSync(ini, "utf8")).sections.get(mainSection);
    return main?.get("script_location") === undefined;
  } catch {
    // A broken file is told with its line when it is opened.
    return false;
  }
}
