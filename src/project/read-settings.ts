import { parseArgs } from "node:util";
import { mapAll, UserError } from "../errors";
import { nearest, suggestion } from "../nearest";
import {
  type Given,
  type GivenSettings,
  inputOf,
  type SettingEntry,
  type SettingName,
  type Settings,
  settingNames,
  settingTable,
  takes,
  variableOf,
} from "../settings";

/** Sources beside the argument list and the variables. */
export interface MoreSources {
  /** True in the action: GitHub gives inputs as INPUT_NAME, and an empty one is not given. */
  readonly inputs?: boolean;
  readonly file?: GivenSettings;
}

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
    mapAll(settingNames, (name) => [name, settingOf(name, find(name))]),
  ) as unknown as Settings;
}

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

/** What was given of a setting, else its default, as its type. A UserError says what is allowed. */
export function settingOf(name: SettingName, given: Given | undefined): unknown {
  const entry: SettingEntry = settingTable[name];
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
