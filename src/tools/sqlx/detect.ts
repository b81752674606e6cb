import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors";
import type { ProjectCandidate, ToolProject } from "../contract";
import { isMigrationName } from "./migration-name";
import { requireSources } from "./other-sources";
import { readSqlxToml, sqlxTomlFile } from "./sqlx-toml";

/** sqlx-cli's and `migrate!`'s own. */
const usualFolder = "migrations";

/** Both directions in one file: dbmate's and goose's. */
const othersMark = /^\s*--\s*(?:migrate:up|\+goose)\b/im;

/** How far below the folder a crate may lie that names sqlx: `crates/storage/Cargo.toml`. */
const crateDepth = 2;

/**
 * A SQLx project in this folder: SQL files with versions in `migrations`, and sqlx in a Cargo.toml here or in a crate
 * below, or a sqlx.toml; or the folder of such files that `config` names.
 */
export function detect(folder: string, config?: string): ProjectCandidate | undefined {
  if (config !== undefined) {
    const isFolder =
      statSync(path.resolve(folder, config), { throwIfNoEntry: false })?.isDirectory() === true;
    return isFolder ? { tool: "sqlx", root: folder, config: config.replace(/\/+$/, "") } : undefined;
  }
  const named = readSqlxToml(folder).migrationsDir;
  const own = named === undefined ? usualFolder : path.posix.normalize(named).replace(/\/+$/, "");
  const migrations = path.join(folder, own);
  const first = namesIn(migrations).find(isMigrationName);
  if (first === undefined || othersMark.test(textOf(path.join(migrations, first)))) return undefined;
  const isSqlx = isFile(path.join(folder, "sqlx.toml")) || namesSqlx(folder, crateDepth);
  return isSqlx ? { tool: "sqlx", root: folder, config: own } : undefined;
}

export function open(
  candidate: ProjectCandidate,
  section?: string,
  otherSources: readonly string[] = [],
): ToolProject {
  if (section !== undefined) {
    throw new UserError({
      what: `The setting section is "${section}", and SQLx has none.`,
      where: candidate.config,
      do: "Leave section out.",
    });
  }
  requireSources(candidate.root, candidate.config, otherSources);
  const toml = sqlxTomlFile(candidate.root);
  return {
    ...candidate,
    section: undefined,
    revisionFolders: [path.resolve(candidate.root, candidate.config)],
    recursive: false,
    configFiles: [toml],
    environmentFiles: [toml],
    otherSources,
    environmentFolders: [],
  };
}

function namesSqlx(folder: string, levels: number): boolean {
  if (/^\s*(?:\[[^\]]*\.)?"?sqlx"?\s*[.=\]]/m.test(textOf(path.join(folder, "Cargo.toml")))) return true;
  if (levels === 0) return false;
  return readFolders(folder).some((one) => namesSqlx(one, levels - 1));
}

function readFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^(?:\.|target$|node_modules$)/.test(entry.name))
      .map(({ name }) => path.join(folder, name));
  } catch {
    return [];
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
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
