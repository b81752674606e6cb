import { parseArgs } from "node:util";
import { UserError } from "./errors";
import { nearest } from "./nearest";

/** One setting: a flag `--name`, and the environment variable `MIGRATION_GATE_NAME`. */
interface SettingEntry {
  readonly type: "text" | "list" | "number" | "boolean" | readonly string[];
  readonly default: string | undefined;
  /** What it does, one or two sentences, for help and docs. */
  readonly text: string;
  /** May hold a password: never taken from the argument list of an example, never shown. */
  readonly secret?: true;
}

/** The one table of settings. Help, parsing and docs come from it. */
export const settingTable = {
  "working-directory": { type: "text", default: ".", text: "The project's folder." },
  tool: {
    type: ["alembic"],
    default: undefined,
    text: "The migration tool; found by its configuration file.",
  },
  config: {
    type: "text",
    default: undefined,
    text: "The tool's configuration file, where there are several.",
  },
  section: { type: "text", default: undefined, text: "Its section (alembic -n), where it has several." },
  run: {
    type: "text",
    default: undefined,
    text: "What starts the tool, split into words without a shell; found by the project's lock file.",
  },
  "database-url-env": {
    type: "text",
    default: "DATABASE_URL",
    text: "The variable from which the project reads its database's address.",
  },
  "database-url-format": {
    type: "text",
    default: "postgresql",
    text: "The form of the address: a scheme (postgresql+asyncpg), or a template with {host} {port} {user} {password} {database}.",
  },
  env: {
    type: "list",
    default: undefined,
    text: "Variables for the tool, NAME=value, which may use {url} {host} {port} {user} {password} {database}; may be repeated.",
  },
  "shadow-url": {
    type: "text",
    default: undefined,
    secret: true,
    text: "A PostgreSQL server for the shadow databases (a service container with production's image); its user needs CREATEDB. Without it the machine's PostgreSQL is used, else an embedded one.",
  },
  shadow: {
    type: ["auto", "installed", "embedded"],
    default: "auto",
    text: "Which PostgreSQL is started where shadow-url names none: this machine's or else the embedded one, or only one of them.",
  },
  "postgres-version": {
    type: "number",
    default: undefined,
    text: "Production's major version, so that the shadow has the same.",
  },
  setup: {
    type: "text",
    default: undefined,
    text: "A SQL file or a command that runs before the first revision: roles, schemas, create_all.",
  },
  floor: {
    type: "text",
    default: undefined,
    text: "The revision down to which downgrades are supported; without it, base.",
  },
  base: {
    type: "text",
    default: undefined,
    text: "A commit: only revisions that are new or edited since its merge base decide the verdict. Without it, all do.",
  },
  "fail-on": {
    type: ["error", "warning", "note"],
    default: "error",
    text: "The least severity of a finding that fails the check.",
  },
  "tool-timeout": { type: "number", default: "600", text: "Seconds that one start of the tool may take." },
  isolation: {
    type: ["auto", "required", "off"],
    default: "auto",
    text: "Keep the tool in a network namespace where it can reach nothing but the shadow: where possible, always, or never.",
  },
  format: { type: ["text", "json"], default: "text", text: "The report on standard output." },
} as const satisfies Readonly<Record<string, SettingEntry>>;

type Table = typeof settingTable;
export type SettingName = keyof Table;

type ValueOf<Entry extends SettingEntry> = Entry["type"] extends "list"
  ? readonly string[]
  :
      | (Entry["type"] extends "number"
          ? number
          : Entry["type"] extends "boolean"
            ? boolean
            : Entry["type"] extends readonly (infer Word)[]
              ? Word
              : string)
      | (Entry["default"] extends string ? never : undefined);

export type Settings = { readonly [Name in SettingName]: ValueOf<Table[Name]> };

const names = Object.keys(settingTable) as SettingName[];

/** Flags win over variables, variables over defaults. A UserError names the setting and the nearest one. */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings {
  const flags = parseFlags(args);
  return Object.fromEntries(
    names.map((name) => {
      const entry: SettingEntry = settingTable[name];
      const variable = variableOf(name);
      const fromEnvironment = environment[variable];
      const given =
        flags[name] ??
        (fromEnvironment === undefined || fromEnvironment === ""
          ? undefined
          : entry.type === "list"
            ? fromEnvironment.split("\n").filter((line) => line.trim() !== "")
            : fromEnvironment);
      const source = flags[name] === undefined ? variable : `--${name}`;
      return [name, convert(entry, given ?? entry.default, source)];
    }),
  ) as unknown as Settings;
}

/** True where the report is asked for as JSON; also for arguments that cannot be read otherwise. */
export function wantsJson(args: readonly string[], environment: NodeJS.ProcessEnv): boolean {
  const given = args.flatMap((word, index) =>
    word === "--format" ? (args[index + 1] ?? "") : word.startsWith("--format=") ? word.slice(9) : [],
  );
  return (given.at(-1) ?? environment[variableOf("format")]) === "json";
}

export function variableOf(name: SettingName): string {
  return `MIGRATION_GATE_${name.toUpperCase().replaceAll("-", "_")}`;
}

function parseFlags(args: readonly string[]): Partial<Record<SettingName, string | string[]>> {
  const options = Object.fromEntries(
    names.map((name) => {
      const entry: SettingEntry = settingTable[name];
      return [name, { type: "string" as const, multiple: entry.type === "list" }];
    }),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const flags: Partial<Record<SettingName, string | string[]>> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") throw unexpected(token.value);
    const name = names.find((candidate) => candidate === token.name);
    if (name === undefined) throw unknownFlag(token.rawName);
    if (token.value === undefined) {
      throw new UserError({
        what: `${token.rawName} has no value.`,
        do: `Write --${name} <value>. ${settingTable[name].text}`,
      });
    }
    const entry: SettingEntry = settingTable[name];
    if (entry.type === "list") flags[name] = [...((flags[name] as string[] | undefined) ?? []), token.value];
    else flags[name] = token.value;
  }
  return flags;
}

function convert(entry: SettingEntry, value: string | string[] | undefined, source: string): unknown {
  if (entry.type === "list") return value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (value === undefined || Array.isArray(value)) return undefined;
  if (entry.type === "number") {
    const number = Number(value);
    if (Number.isInteger(number) && number > 0) return number;
    throw new UserError({
      what: `${source} is "${value}", which is no whole number above 0.`,
      do: `Set ${source} to a number. ${entry.text}`,
    });
  }
  if (entry.type === "boolean") return value === "true";
  if (typeof entry.type === "string" || entry.type.includes(value)) return value;
  throw new UserError({
    what: `${source} is "${value}".`,
    seen: `Allowed are ${entry.type.join(", ")}.`,
    do: `Set ${source} to ${nearest(value, entry.type)}.`,
  });
}

function unknownFlag(flag: string): UserError {
  return new UserError({
    what: `There is no setting ${flag}.`,
    do: `Did you mean --${nearest(flag.replace(/^-+/, ""), names)}? All settings: migration-gate check --help`,
  });
}

function unexpected(word: string): UserError {
  return new UserError({
    what: `"${word}" is not expected here.`,
    do: "Settings are written --name value. All settings: migration-gate check --help",
  });
}
