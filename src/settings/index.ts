import { deployLaneSettings } from "./deploy-lane";
import { deploySettings } from "./deploying";
import { type CommandName, commandNames, type SettingEntry, type Surface } from "./entry";

export { type CommandName, commandNames, type SettingEntry, type Surface, surfaces } from "./entry";

const proving = ["check", "apply", "rollback"] as const satisfies readonly CommandName[];
const reading = ["status", "backup", "apply", "rollback"] as const satisfies readonly CommandName[];
const lint = ["check"] as const satisfies readonly CommandName[];

/** The one table of settings. Help, parsing, docs, action.yml and migration-gate.schema.json come from it. */
export const settingTable = {
  command: {
    type: commandNames,
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
    type: ["alembic", "flask-migrate", "sqlx", "numbered-sql"],
    default: undefined,
    text: "The migration tool; found by its configuration file. numbered-sql is the example of docs/adding-a-tool.md.",
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
  "run-apply": {
    type: "text",
    default: undefined,
    text: "Words after run by which a program of the project's own applies all that is pending (everruns-admin migrate), where it does not take the tool's.",
  },
  "run-status": {
    type: "text",
    default: undefined,
    text: "Words after run by which that program shows its status and changes nothing (migrate-info); run-apply needs it.",
  },
  "other-sources": {
    type: "list",
    default: undefined,
    text: "SQLx: folders of other migrations that write the same version table (sqlx migrate run --ignore-missing), from the project's folder, or any where they are in another repository; their rows are left alone. May be repeated.",
  },
  "database-url-env": {
    type: "text",
    default: "DATABASE_URL",
    text: "The variable from which the project reads its database's address.",
  },
  bind: {
    type: "text",
    default: undefined,
    text: "The database that is judged, read or migrated, where the project has several (Flask-Migrate's binds, Alembic's multidb): its name, or default for the one that has none, which is also meant without this setting.",
  },
  "bind-url-env": {
    type: "list",
    default: undefined,
    text: "The variable from which the project reads the address of each database but the default one, NAME=VARIABLE, e.g. users=USERS_DATABASE_URL; may be repeated.",
  },
  "database-url": {
    type: "text",
    default: undefined,
    secret: true,
    where: ["input", "variable"],
    commands: reading,
    text: "The address of the database that is read, backed up or migrated. Without it, the value of the variable that database-url-env, or for another bind bind-url-env, names.",
  },
  "version-table": {
    type: "text",
    default: undefined,
    commands: [...reading, "check"],
    text: "The tool's version table, name or schema.name, where a database has several; found by its column.",
  },
  verbose: {
    type: "boolean",
    default: "false",
    where: ["flag", "variable"],
    commands: ["status"],
    text: "Status: every revision, with its parents and file.",
  },
  "status-form": {
    type: ["list", "lines"],
    default: "list",
    where: ["flag", "variable"],
    commands: ["status"],
    text: "Status in a terminal: a list with what it means, or one line a revision, oldest first, as runbooks of SQLx show it: <version>/<installed, pending …>: <name>.",
  },
  "status-fails": {
    type: ["unknown", "pending", "never"],
    default: "pending",
    commands: ["status"],
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
    commands: proving,
    text: "A PostgreSQL server for the shadow databases (a service container with production's image); its user needs CREATEDB. Without it the machine's PostgreSQL is used, else an embedded one.",
  },
  shadow: {
    type: ["auto", "installed", "embedded"],
    default: "auto",
    commands: proving,
    text: "Which PostgreSQL is started where shadow-url names none: this machine's or else the embedded one, or only one of them.",
  },
  "postgres-version": {
    type: "number",
    default: undefined,
    commands: proving,
    text: "Production's major version, so that the shadow has the same.",
  },
  setup: {
    type: "text",
    default: undefined,
    commands: proving,
    text: "A SQL file or a command that runs before the first revision: roles, schemas, create_all.",
  },
  floor: {
    type: "text",
    default: undefined,
    commands: lint,
    text: "The revision down to which downgrades are supported: an id, or base.",
  },
  base: {
    type: "text",
    default: undefined,
    where: ["flag", "input", "variable"],
    commands: lint,
    text: "A commit: only revisions that are new or edited since its merge base decide the verdict. Without it, GitHub's event tells (pull_request, merge_group, push); without an event, all revisions decide.",
  },
  history: {
    type: ["new", "all"],
    default: "new",
    commands: lint,
    text: "Which revisions decide the verdict where there is a base: new and edited ones, or all.",
  },
  environments: {
    type: "list",
    default: undefined,
    commands: lint,
    text: "Where databases of this project stand, read only when a change takes landed revisions away: each a variable that has a database's address (it is only read), or the path of the record that apply or rollback left there; may be repeated.",
  },
  baseline: {
    type: "text",
    default: "migration-gate-baseline.json",
    commands: lint,
    text: "The file of findings that were there when the check was introduced, from working-directory; they are suppressed.",
  },
  "write-baseline": {
    type: "boolean",
    default: "false",
    where: ["flag", "variable"],
    commands: lint,
    text: "Write what is found into the baseline.",
  },
  "fail-on": {
    type: ["error", "warning", "note"],
    default: "error",
    commands: lint,
    text: "The least severity of a finding that fails the check.",
  },
  ...deployLaneSettings,
  ...deploySettings,
  "tool-timeout": { type: "number", default: "600", text: "Seconds that one start of the tool may take." },
  isolation: {
    type: ["auto", "required", "off"],
    default: "auto",
    commands: proving,
    text: "Keep the tool in a network namespace where it can reach nothing but the shadow: where possible, always, or never.",
  },
  "fork-server": {
    type: ["auto", "any", "off"],
    default: "auto",
    commands: proving,
    text: "Load Python and the tool's libraries once for all starts of the tool on a shadow, and fork each start from there (Linux): those of the tool's own program; with any also those of another console script or of python -m with another module, which then must not change how libraries load; off starts each by itself.",
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
    commands: lint,
    text: "Write the findings as SARIF to this file, for code scanning.",
  },
  comment: {
    type: ["always", "on-failure", "off"],
    default: "always",
    where: ["input", "variable", "file"],
    commands: lint,
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
    commands: lint,
    text: "The token that writes the comment; it needs pull-requests: write.",
  },
  matrix: {
    type: "text",
    default: undefined,
    where: ["input"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    inputDefault: "${{ toJSON(matrix) }}",
    commands: lint,
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

export const settingNames = Object.keys(settingTable) as SettingName[];

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
export function inputOf(name: SettingName): string {
  return `INPUT_${name.toUpperCase()}`;
}

/** Variables and inputs of settings that may hold a password or a token. */
export const secretVariables: readonly string[] = settingNames.flatMap((name) => {
  const { secret }: SettingEntry = settingTable[name];
  return secret === true ? [variableOf(name), inputOf(name)] : [];
});
