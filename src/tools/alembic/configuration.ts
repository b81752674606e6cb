import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import { UserError } from "../../errors";
import type { ToolProject } from "../contract";
import { IniError, type IniFile, iniValue, parseIni } from "./ini";

/** What Alembic's configuration says about where revisions are; folders absolute. */
export interface Configuration {
  readonly scriptLocation: string;
  readonly revisionFolders: readonly string[];
  readonly recursive: boolean;
}

interface Sources {
  readonly root: string;
  /** As messages name it. */
  readonly file: string;
  readonly ini: IniFile | undefined;
  readonly section: string;
  readonly here: Readonly<Record<string, string>>;
  readonly toml: Readonly<Record<string, unknown>>;
}

/**
 * Reads an ini file for a program that names the script location itself, relative to `root`: Flask-Migrate. Of
 * pyproject.toml nothing is read then.
 */
export function readGivenConfiguration(root: string, config: string, scriptLocation: string): Configuration {
  const ini = broken(config, () => parseIni(decodeIni(path.resolve(root, config), config)));
  const here = { here: path.dirname(path.resolve(root, config)) };
  return foldersOf({ root, file: config, ini, section: "alembic", here, toml: {} }, scriptLocation);
}

/**
 * Reads alembic.ini (or another ini file) and [tool.alembic] of pyproject.toml as `alembic` 1.20.1 does in `root`: the
 * ini file's values first, relative folders from the root. UserError where Alembic would stop.
 */
export function readConfiguration(root: string, config: string, section: string): Configuration {
  const sources = open(root, config, section);
  const scriptLocation = text(sources, "script_location");
  if (scriptLocation === undefined) {
    throw new UserError({
      what: `${sources.file} has no script_location.`,
      where: sources.ini === undefined ? `${sources.file}, [tool.alembic]` : `${sources.file}, [${section}]`,
      why: "Alembic reads from there where the revisions are.",
      do: "Set script_location to the folder that has env.py, for instance script_location = %(here)s/migrations.",
    });
  }
  return foldersOf(sources, scriptLocation);
}

/** The template of new files' names, where one is set and can be read; also of a file that Flask-Migrate reads. */
export function readFileTemplate({ root, config, section }: ToolProject): string | undefined {
  try {
    return text(open(root, config, section ?? "alembic"), "file_template");
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function foldersOf(sources: Sources, scriptLocation: string): Configuration {
  const scripts = folder(sources, "script_location", scriptLocation);
  const locations = versionLocations(sources);
  const folders = locations?.map((location) => folder(sources, "version_locations", location));
  return {
    scriptLocation: scripts,
    revisionFolders: folders ?? [path.join(scripts, "versions")],
    recursive: flag(sources, "recursive_version_locations"),
  };
}

/** [tool.alembic] of a pyproject.toml; undefined where the file or the table is not there. */
export function readTomlTable(file: string, shown: string): Readonly<Record<string, unknown>> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const tool = record(parseToml(readFileSync(file, "utf8").replace(/^\uFEFF/, "")).tool);
    return tool === undefined ? undefined : record(tool.alembic);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new UserError(
      {
        what: `${shown} is not TOML.`,
        where: `${shown}:${error.line}:${error.column}`,
        seen: error.message.split("\n")[0] ?? "",
        do: "Mend the line, or name another file with config.",
      },
      { cause: error },
    );
  }
}

function open(root: string, config: string, section: string): Sources {
  const isToml = path.basename(config) === "pyproject.toml";
  const iniFile = path.resolve(root, isToml ? "alembic.ini" : config);
  const tomlFile = path.resolve(root, isToml ? config : "pyproject.toml");
  const file = isToml && !existsSync(iniFile) ? config : isToml ? "alembic.ini" : config;
  const ini = existsSync(iniFile) ? broken(file, () => parseIni(decodeIni(iniFile, file))) : undefined;
  const toml = readTomlTable(tomlFile, path.basename(tomlFile)) ?? {};
  if (ini !== undefined && !ini.sections.has(section) && toml.script_location === undefined) {
    const sections = [...ini.sections.keys()];
    throw new UserError({
      what: `${file} has no section [${section}].`,
      where: `${file}:1`,
      seen: sections.length === 0 ? "The file has no section." : `Its sections: ${sections.join(", ")}.`,
      do: `Add [${section}] with script_location, or name another configuration with config.`,
    });
  }
  const here = { here: path.dirname(ini === undefined ? tomlFile : iniFile) };
  return { root, file, ini, section, here, toml };
}

function decodeIni(iniFile: string, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(iniFile));
  } catch (error) {
    throw new UserError(
      { what: `${shown} is not UTF-8 text.`, where: shown, do: "Save the file as UTF-8." },
      { cause: error },
    );
  }
}

function broken<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof IniError)) throw error;
    throw new UserError(
      {
        what: `${file} is not a valid ini file: Alembic cannot read it.`,
        where: `${file}:${error.line}`,
        seen: error.message,
        do: "Mend the line, or name another file with config.",
      },
      { cause: error },
    );
  }
}

function fromIni({ ini, section, here, file }: Sources, key: string): string | undefined {
  if (ini === undefined || !ini.sections.has(section)) return undefined;
  return broken(file, () => iniValue(ini, section, key, here));
}

function text(sources: Sources, key: string): string | undefined {
  const fromToml = sources.toml[key];
  return fromIni(sources, key) ?? (typeof fromToml === "string" ? putIn(sources, fromToml) : undefined);
}

function flag(sources: Sources, key: string): boolean {
  const value = fromIni(sources, key);
  return value === undefined ? sources.toml[key] === true : value === "true";
}

function putIn(sources: Sources, value: string): string {
  const toml = { here: path.dirname(path.resolve(sources.root, "pyproject.toml")) };
  const here = sources.ini === undefined ? sources.here : toml;
  return value.replace(/%(%|\(here\)s)/g, (_, after: string) => (after === "%" ? "%" : here.here));
}

const separators: Readonly<Record<string, string>> = {
  space: " ",
  newline: "\n",
  os: path.delimiter,
  ":": ":",
  ";": ";",
};

function versionLocations(sources: Sources): readonly string[] | undefined {
  const value = fromIni(sources, "version_locations");
  if (value !== undefined && value !== "") {
    const key = ["path_separator", "version_path_separator"].find(
      (name) => fromIni(sources, name) !== undefined,
    );
    if (key === undefined) return value.split(/, *| +/);
    const word = fromIni(sources, key) ?? "";
    const separator = separators[word];
    if (separator === undefined) {
      throw new UserError({
        what: `${key} in ${sources.file} is "${word}", which Alembic does not know.`,
        where: `${sources.file}, [${sources.section}]`,
        do: `Set ${key} to one of: ${Object.keys(separators).join(", ")}.`,
      });
    }
    return value.split(separator).flatMap((part) => (part === "" ? [] : part.trim()));
  }
  const listed = sources.toml.version_locations;
  if (!Array.isArray(listed) || listed.length === 0) return undefined;
  return listed.filter((part) => typeof part === "string").map((part) => putIn(sources, part));
}

/** A folder, or `package:folder` looked for where Python would find a package of the project. */
function folder(sources: Sources, key: string, value: string): string {
  if (path.isAbsolute(value) || !value.includes(":")) return existing(sources, key, value, [value]);
  const [packageName = "", ...rest] = value.split(":");
  const inside = path.join(...packageName.split("."), ...rest);
  const searched = prependedPaths(sources).map((base) => path.join(base, inside));
  return existing(sources, key, value, [...new Set([inside, ...searched, path.join("src", inside)])]);
}

function prependedPaths(sources: Sources): readonly string[] {
  const value = fromIni(sources, "prepend_sys_path");
  if (value !== undefined) {
    const separator = separators[fromIni(sources, "path_separator") ?? ""] ?? /, *| +|:/;
    return value.split(separator).map((part) => part.trim());
  }
  const listed = sources.toml.prepend_sys_path;
  return Array.isArray(listed)
    ? listed.filter((part) => typeof part === "string").map((part) => putIn(sources, part))
    : [];
}

function existing(sources: Sources, key: string, value: string, places: readonly string[]): string {
  const absolute = places.map((place) => path.resolve(sources.root, place));
  const found = absolute.find((place) => statSync(place, { throwIfNoEntry: false })?.isDirectory());
  if (found !== undefined) return found;
  // Alembic leaves out a version location that is not there, but not the script location.
  if (key === "version_locations") return absolute[0] ?? sources.root;
  const line = sources.ini?.sections.get(sources.section)?.get(key)?.line;
  const shown = absolute.map((place) => JSON.stringify(path.relative(sources.root, place) || "."));
  throw new UserError({
    what: `${key} is ${JSON.stringify(value)}, and there is no such folder.`,
    where: line === undefined ? sources.file : `${sources.file}:${line}`,
    seen: `Looked for ${shown.join(", ")} from the project's folder.`,
    do: `Set working-directory to the folder that alembic runs in, or mend ${key}.`,
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
}
