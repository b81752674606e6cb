import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import { UserError } from "../../errors";
import type { VersionTable } from "../contract";

/** What a sqlx.toml says of migrations. */
export interface SqlxToml {
  /** Undefined for the usual one. */
  readonly table: VersionTable | undefined;
  /** As it stands there; undefined for the usual folder. */
  readonly migrationsDir: string | undefined;
  /** Characters that do not count in checksums. */
  readonly ignoredChars: readonly string[];
  /** A release that does not read the file would work on another table, or compare other checksums. */
  readonly matters: boolean;
}

const fileName = "sqlx.toml";
const nothing: SqlxToml = { table: undefined, migrationsDir: undefined, ignoredChars: [], matters: false };

/**
 * The sqlx.toml in this folder, as sqlx 0.9 reads it (sqlx-core 0.9.0, config/migrate.rs; sqlx-cli only where it is
 * started). Nothing of it where there is none, or where the project pins an older release, which passes it over.
 * A UserError where it is no TOML.
 */
export function readSqlxToml(folder: string): SqlxToml {
  const file = path.join(folder, fileName);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true || !mayReadToml(folder)) return nothing;
  const migrate = record(parsed(file).migrate);
  const name = text(migrate?.["table-name"]);
  const chars = migrate?.["ignored-chars"];
  const ignoredChars = Array.isArray(chars) ? chars.filter((one) => typeof one === "string") : [];
  const schemas = migrate?.["create-schemas"];
  return {
    table: name === undefined ? undefined : tableOf(name),
    migrationsDir: text(migrate?.["migrations-dir"]),
    ignoredChars,
    matters: name !== undefined || ignoredChars.length > 0 || (Array.isArray(schemas) && schemas.length > 0),
  };
}

/** The file itself, for those that must know whether it changed. */
export function sqlxTomlFile(folder: string): string {
  return path.join(folder, fileName);
}

/** The text that is hashed: without the characters that do not count. */
export function withoutIgnored(bytes: Uint8Array, ignored: readonly string[]): Uint8Array {
  if (ignored.length === 0) return bytes;
  const kept = [...Buffer.from(bytes).toString("utf8")].filter((character) => !ignored.includes(character));
  return Buffer.from(kept.join(""));
}

function parsed(file: string): Readonly<Record<string, unknown>> {
  try {
    return parseToml(readFileSync(file, "utf8").replace(/^\uFEFF/, ""));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new UserError(
      {
        what: `${fileName} is not TOML: sqlx cannot read it.`,
        where: `${fileName}:${error.line}:${error.column}`,
        seen: error.message.split("\n")[0] ?? "",
        do: "Mend the line.",
      },
      { cause: error },
    );
  }
}

/** `schema.table`, each as SQL has a name: in quotes, or folded to lower case. */
function tableOf(name: string): VersionTable {
  const parts = [...name.matchAll(/"((?:[^"]|"")+)"|([^\s."]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain?.toLowerCase() ?? "",
  );
  const [first = name, second] = parts;
  return second === undefined ? { table: first } : { schema: first, table: second };
}

/** sqlx 0.9 and later. By Cargo.lock, here or above it in the repository, else by Cargo.toml; where neither tells, it does. */
function mayReadToml(folder: string): boolean {
  const lock = topmost(folder, "Cargo.lock");
  const locked = [...(lock ?? "").matchAll(/^name = "sqlx"\r?\nversion = "(\d+)\.(\d+)/gm)];
  if (locked.length > 0) return locked.some(isNew);
  const files = [topmost(folder, "Cargo.toml") ?? "", textOf(path.join(folder, "Cargo.toml"))];
  const parts = files.flatMap(pinned).map((version) => /(\d+)(?:\.(\d+))?/.exec(version) ?? []);
  return parts.length === 0 || parts.some(isNew);
}

/** What a Cargo.toml says of the releases of sqlx that it takes. */
function pinned(toml: string): string[] {
  const read = tomlOf(toml);
  const tables = [read, record(read?.workspace)].flatMap((table) =>
    ["dependencies", "dev-dependencies", "build-dependencies"].map((name) => record(table?.[name])?.sqlx),
  );
  return tables.flatMap((sqlx) => text(sqlx) ?? text(record(sqlx)?.version) ?? []);
}

function tomlOf(toml: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parseToml(toml);
  } catch {
    return undefined;
  }
}

function isNew([, major, minor]: readonly (string | undefined)[]): boolean {
  return Number(major) > 0 || Number(minor ?? 0) >= 9;
}

/** The text of the topmost file of this name from the folder up to the repository's top: a workspace's own. */
function topmost(folder: string, name: string): string | undefined {
  let found: string | undefined;
  for (let here = path.resolve(folder); ; here = path.dirname(here)) {
    const file = path.join(here, name);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) found = textOf(file);
    if (existsSync(path.join(here, ".git")) || here === path.dirname(here)) return found;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
}
