import { parseArgs } from "node:util";
import { UserError } from "./errors";
import { nearest, suggestion } from "./nearest";

/** Where a setting can be given: `--name`, MIGRATION_GATE_NAME, the action's input, a key of migration-gate.yml. */
export const surfaces = ["flag", "input", "variable", "file"] as const;
export type Surface = (typeof surfaces)[number];

export interface SettingEntry {
  readonly type: "text" | "list" | "number" | "boolean" | readonly string[];
  readonly default: string | undefined;
  /** What it does, one or two sentences, for help and docs. */
  readonly text: string;
  /** May hold a password: never taken from the argument list of an example, never shown. */
  readonly secret?: true;
  /** Without it, everywhere. */
  readonly where?: readonly Surface[];
  /** What action.yml gives where the workflow gives nothing; only for what no variable and no file can give. */
  readonly inputDefault?: string;
}

/** The one table of settings. Help, parsing, docs, action.yml and migration-gate.schema.json come from it. */
export const settingTable = {
  command: {
    type: ["check", "status", "explain", "help"],
    default: "check",
    where: ["input"],
    inputDefault: "check",
    text: "What to do; on the command line it is the first word.",
  },
  "working-directory": {
    type: "text",
    default: ".",
    where: ["flag", "input", "variable"],
    text: "The project's folder.",
  },
  "config-file": {
    type: "text",
    default: undefined,
    where: ["flag", "input", "variable"],
    text: "The file of settings. Without it, migration-gate.yml in working-directory, else at the repository's root.",
  },
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
  "database-url": {
    type: "text",
    default: undefined,
    secret: true,
    where: ["input", "variable"],
    text: "The address of the database that status reads. Without it, the value of the variable that database-url-env names.",
  },
  "version-table": {
    type: "text",
    default: undefined,
    text: "The tool's version table, name or schema.name, where a database has several; found by its column.",
  },
  verbose: {
    type: "boolean",
    default: "false",
    where: ["flag", "variable"],
    text: "Status: every revision, with its parents and file.",
  },
  "status-fails": {
    type: ["unknown", "pending", "never"],
    default: "pending",
    text: "When status ends with 1: with unknown revisions only, with pending ones as well, or never.",
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
    where: ["flag", "input", "variable"],
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
    text: "The revision down to which downgrades are supported: an id, or base.",
  },
  base: {
    type: "text",
    default: undefined,
    where: ["flag", "input", "variable"],
    text: "A commit: only revisions that are new or edited since its merge base decide the verdict. Without it, GitHub's event tells (pull_request, merge_group, push); without an event, all revisions decide.",
  },
  history: {
    type: ["new", "all"],
    default: "new",
    text: "Which revisions decide the verdict where there is a base: new and edited ones, or all.",
  },
  baseline: {
    type: "text",
    default: "migration-gate-baseline.json",
    text: "The file of findings that were there when the check was introduced, from working-directory; they are suppressed.",
  },
  "write-baseline": {
    type: "boolean",
    default: "false",
    where: ["flag", "variable"],
    text: "Write what is found into the baseline.",
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
  format: {
    type: ["text", "json"],
    default: "text",
    where: ["flag", "variable"],
    text: "The report on standard output.",
  },
  "sarif-file": {
    type: "text",
    default: undefined,
    text: "Write the findings as SARIF to this file, for code scanning.",
  },
  comment: {
    type: ["always", "on-failure", "off"],
    default: "always",
    where: ["input", "variable", "file"],
    text: "The comment on the pull request: always, only while the check fails, or never.",
  },
  summary: {
    type: "boolean",
    default: "true",
    where: ["input", "variable", "file"],
    text: "Write the job's summary page.",
  },
  "github-token": {
    type: "text",
    default: undefined,
    secret: true,
    where: ["input", "variable"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    inputDefault: "${{ github.token }}",
    text: "The token that writes the comment; it needs pull-requests: write.",
  },
  matrix: {
    type: "text",
    default: undefined,
    where: ["input"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    inputDefault: "${{ toJSON(matrix) }}",
    text: "Leave it as it is: it gives each leg of a matrix a comment of its own.",
  },
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

/** What one source says, before it is checked, and how messages name it. */
export interface Given {
  readonly value: string | readonly string[];
  readonly name: string;
  /** File, line and column, or what else says where it stands. */
  readonly where?: string | undefined;
}

export type GivenSettings = { readonly [Name in SettingName]?: Given };

/** Sources beside the argument list and the variables. */
export interface MoreSources {
  /** True in the action: GitHub gives inputs as INPUT_NAME, and an empty one is not given. */
  readonly inputs?: boolean;
  readonly file?: GivenSettings;
}

export const settingNames = Object.keys(settingTable) as SettingName[];

/** Flag, input, variable, file, default: the first that is there. A UserError names the setting and the nearest one. */
export function readSettings(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { inputs = false, file = {} }: MoreSources = {},
): Settings {
  const flags = parseFlags(args);
  const find = (name: SettingName): Given | undefined =>
    flags[name] ??
    (inputs && takes(name, "input")
      ? givenBy(environment, inputOf(name), name, "an input of the action")
      : undefined) ??
    (takes(name, "variable") ? givenBy(environment, variableOf(name), variableOf(name)) : undefined) ??
    file[name];
  return Object.fromEntries(
    settingNames.map((name) => [name, convert(settingTable[name], find(name), name)]),
  ) as unknown as Settings;
}

/** True where the report is asked for as JSON; also for arguments that cannot be read otherwise. */
export function wantsJson(args: readonly string[], environment: NodeJS.ProcessEnv): boolean {
  const given = args.flatMap((word, index) =>
    word === "--format" ? (args[index + 1] ?? "") : word.startsWith("--format=") ? word.slice(9) : [],
  );
  return (given.at(-1) ?? environment[variableOf("format")]) === "json";
}

export function takes(name: SettingName, surface: Surface): boolean {
  const { where }: SettingEntry = settingTable[name];
  return where === undefined || where.includes(surface);
}

export function variableOf(name: SettingName): string {
  return `MIGRATION_GATE_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** GitHub's runner: upper case, spaces as `_`, dashes kept. */
function inputOf(name: SettingName): string {
  return `INPUT_${name.toUpperCase()}`;
}

/** Variables and inputs of settings that may hold a password or a token. */
export const secretVariables: readonly string[] = settingNames.flatMap((name) => {
  const { secret }: SettingEntry = settingTable[name];
  return secret === true ? [variableOf(name), inputOf(name)] : [];
});

function givenBy(
  environment: NodeJS.ProcessEnv,
  variable: string,
  name: string,
  where?: string,
): Given | undefined {
  const value = environment[variable]?.trim();
  return value === undefined || value === "" ? undefined : { value, name, where };
}

function parseFlags(args: readonly string[]): GivenSettings {
  const flagNames = settingNames.filter((name) => takes(name, "flag"));
  const options = Object.fromEntries(
    flagNames.map((name) => {
      const { type }: SettingEntry = settingTable[name];
      return [name, { type: type === "boolean" ? ("boolean" as const) : ("string" as const) }];
    }),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const flags: Partial<Record<SettingName, Given>> = {};
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "option-terminator") continue;
    const before = tokens[index - 1];
    if (token.kind === "positional") {
      const isValue =
        before?.kind === "option" && before.value === undefined && /^(?:true|false)$/.test(token.value);
      if (!isValue) throw unexpected(token.value);
      flags[before.name as SettingName] = { value: token.value, name: before.rawName };
      continue;
    }
    const name = flagNames.find((candidate) => candidate === token.name);
    if (name === undefined) throw noFlag(token.rawName, flagNames);
    const entry: SettingEntry = settingTable[name];
    const value = token.value ?? (entry.type === "boolean" ? "true" : undefined);
    if (value === undefined) {
      throw new UserError({
        what: `${token.rawName} has no value.`,
        do: `Write --${name} <value>. ${entry.text}`,
      });
    }
    const others = entry.type === "list" ? (flags[name]?.value ?? []) : [];
    flags[name] = {
      value: entry.type === "list" ? [...others, value] : value,
      name: `--${name}`,
    };
  }
  return flags;
}

function convert(entry: SettingEntry, given: Given | undefined, name: SettingName): unknown {
  const value = given?.value ?? entry.default;
  if (entry.type === "list") return listOf(value);
  if (value === undefined || typeof value !== "string") return undefined;
  const source = given?.name ?? name;
  const refused = (what: string, parts: { readonly seen?: string; readonly do: string }): UserError =>
    new UserError({ what, ...(given?.where === undefined ? {} : { where: given.where }), ...parts });
  if (entry.type === "number") {
    const number = Number(value);
    if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number > 0) return number;
    throw refused(`${source} is "${value}", which is no whole number above 0.`, {
      do: `Set ${source} to a number. ${entry.text}`,
    });
  }
  if (entry.type === "boolean") {
    if (value === "true" || value === "false") return value === "true";
    throw refused(`${source} is "${value}".`, {
      seen: "Allowed are true, false.",
      do: `Set ${source} to true or false. ${entry.text}`,
    });
  }
  if (typeof entry.type === "string" || entry.type.includes(value)) return value;
  throw refused(`${source} is "${value}".`, {
    seen: `Allowed are ${entry.type.join(", ")}.`,
    do: `Set ${source} to ${nearest(value, entry.type)}.`,
  });
}

/** One text has an item a line. */
function listOf(value: Given["value"] | undefined): readonly string[] {
  if (typeof value !== "string") return value ?? [];
  const lines = value.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

function noFlag(flag: string, flagNames: readonly SettingName[]): UserError {
  const known = settingNames.find((name) => `--${name}` === flag);
  if (known === "command") return unexpected(flag);
  if (known !== undefined) {
    return new UserError({
      what: `${flag} is no flag.`,
      do: `Set the variable ${variableOf(known)}. ${settingTable[known].text}`,
    });
  }
  return new UserError({
    what: `There is no setting ${flag}.`,
    do: `${suggestion(flag.replace(/^-+/, ""), flagNames, "--")}All settings: migration-gate check --help`,
  });
}

function unexpected(word: string): UserError {
  return new UserError({
    what: `"${word}" is not expected here.`,
    do: "Settings are written --name value. All settings: migration-gate check --help",
  });
}
