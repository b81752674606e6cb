import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import { type AllErrorParts, apart, type ErrorParts, mapAll, together, UserError } from "../errors";
import type { Policy } from "../model/policy";
import { suggestion } from "../nearest";
import {
  type Given,
  type GivenSettings,
  type SettingEntry,
  type SettingName,
  settingNames,
  settingTable,
  takes,
  variableOf,
} from "../settings";
import { acceptOf, rulesOf } from "./config-policy";
import { rowsOf } from "./config-rows";
import { settingOf } from "./read-settings";
import { isEmpty, readEntries, type Source, scalarText, wrongType } from "./yaml-nodes";

/** migration-gate.yml, read: settings are not yet checked, rule ids and revisions not yet known to exist. */
export interface ConfigFile {
  readonly settings: GivenSettings;
  readonly policy: Policy;
}

export const noPolicy: Policy = { file: undefined, rules: new Map(), accept: [] };

const names = ["migration-gate.yml", "migration-gate.yaml"] as const;
/** A person wrote it; more would only cost the parser time. */
const maxBytes = 256 * 1024;
const fileKeys = [...settingNames.filter((name) => takes(name, "file")), "rules", "accept", "rows"];

/**
 * The file that holds a project's settings: the one that is named, else the one in the working directory, else the one
 * at the root of the repository that the working directory lies in. Undefined where there is none.
 */
export function findConfigFile(workingDirectory: string, named: string | undefined): string | undefined {
  if (named !== undefined) {
    if (statSync(named, { throwIfNoEntry: false })?.isFile() === true) return named;
    throw new UserError({
      what: `There is no file ${named}, which the setting config-file names.`,
      do: "Set config-file to the path of migration-gate.yml.",
    });
  }
  const folder = path.resolve(workingDirectory);
  const root = repositoryRoot(folder);
  for (const place of root === undefined ? [folder] : [folder, root]) {
    const found = names.map((name) => path.join(place, name)).filter(isThere);
    if (found.length > 1) {
      throw new UserError({
        what: `There are ${names.join(" and ")}, and only one of them would be read.`,
        where: path.relative("", place) || ".",
        do: `Keep ${names[0]}.`,
      });
    }
    if (found[0] !== undefined) return path.relative("", found[0]) || found[0];
  }
  return undefined;
}

/** Also a link that leads nowhere: someone believes in it. */
function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** A file beside the project's configuration that was not read would be one that someone believes in. */
export function requireOnlyConfig(projectRoot: string, read: string | undefined): void {
  const other = names.map((name) => path.join(projectRoot, name)).find((file) => existsSync(file));
  if (other === undefined || (read !== undefined && samePath(read, other))) return;
  const shown = path.relative("", other);
  throw new UserError({
    what: `${shown} was not read.`,
    ...(read === undefined ? {} : { seen: `The settings are those of ${read}.` }),
    do: `Set config-file to ${shown}, or working-directory to ${path.dirname(shown)}.`,
  });
}

function samePath(one: string, other: string): boolean {
  return realpathSync(one) === realpathSync(other);
}

/**
 * Every scalar stays the text that was written (YAML's failsafe schema): an id like 0012 or 1e5 is no number. UserError
 * has all that is wrong in it, in the file's order, unless it is no YAML: then what follows is not known.
 */
export function readConfigFile(file: string): ConfigFile {
  const text = readText(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: "failsafe", lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const syntax = document.errors.find(({ code }) => code !== "DUPLICATE_KEY");
  if (syntax !== undefined) throw yamlError(syntax.code, syntax.message, at(syntax.pos[0]));
  const source: Source = {
    file,
    at: (node) => at(isNode(node) ? (node.range?.[0] ?? 0) : 0),
    line: (node) => lines.linePos(node.range?.[0] ?? 0).line,
  };
  const notRead = [...document.errors, ...document.warnings].map(
    ({ code, message, pos }) => yamlError(code, message, at(pos[0])).parts,
  );
  visit(document, {
    Node(_, node) {
      if (!isAlias(node) && node.anchor === undefined) return;
      notRead.push({
        what: "Anchors and aliases (&name, *name) are not read here.",
        where: source.at(node),
        do: "Write the value out.",
      });
    },
  });
  try {
    const read = sectionsOf(document.contents, source);
    if (notRead.length === 0) return read;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const places = notRead.map(({ where }) => where);
    notRead.push(...apart(error.parts).filter(({ where }) => !places.includes(where)));
  }
  throw new UserError(mistakesOf(file, notRead));
}

/** As they stand in the file: of 10:1 and 9:1 the second comes first. */
const byPlace = new Intl.Collator("en", { numeric: true });
/** More than a person mends before the next run. */
const mostMistakes = 20;

function mistakesOf(file: string, mistakes: readonly ErrorParts[]): AllErrorParts {
  const sorted = mistakes.toSorted((one, other) => byPlace.compare(one.where ?? "", other.where ?? ""));
  const more = sorted.length - mostMistakes;
  const rest = {
    what: `There ${more === 1 ? "is 1 more mistake" : `are ${more} more mistakes`} in ${file}.`,
    do: "Mend those above; the next run shows them.",
  };
  return together(more > 0 ? [...sorted.slice(0, mostMistakes), rest] : sorted);
}

function sectionsOf(contents: unknown, source: Source): ConfigFile {
  if (contents === null || isEmpty(contents))
    return { settings: {}, policy: { ...noPolicy, file: source.file } };
  if (!isMap(contents)) {
    throw new UserError({
      what: `${source.file} is no mapping of settings.`,
      where: source.at(contents),
      do: "Write one setting a line, for instance fail-on: warning.",
    });
  }
  const settings: Partial<Record<SettingName, Given>> = {};
  let rules: Policy["rules"] = new Map();
  let accept: Policy["accept"] = [];
  let rows: Policy["rows"];
  readEntries(contents, source, ({ key, node, place }) => {
    if (key === "rules") rules = rulesOf(node, source);
    else if (key === "accept") accept = acceptOf(node, source);
    else if (key === "rows") rows = rowsOf(node, source);
    else {
      const name = settingNames.find((candidate) => candidate === key);
      if (name === undefined || !takes(name, "file")) throw noKey(key, name, place);
      const given = { value: settingValue(name, node, source), name, where: source.at(node ?? contents) };
      settingOf(name, given);
      settings[name] = given;
    }
  });
  return { settings, policy: { file: source.file, rules, accept, ...(rows === undefined ? {} : { rows }) } };
}

function settingValue(name: SettingName, node: Node | null, source: Source): Given["value"] {
  const isList = settingTable[name].type === "list";
  const wanted = isList ? "a list of texts" : "one value";
  if (isScalar(node) && !isEmpty(node)) return String(node.value);
  if (isList && isSeq(node))
    return mapAll(node.items, (item) => scalarText(item, `an item of ${name}`, "one value", source));
  if (isList && isMap(node))
    return readEntries(
      node,
      source,
      (pair) => `${pair.key}=${scalarText(pair.node, `${name}.${pair.key}`, "one value", source)}`,
    );
  throw wrongType(name, wanted, node, source);
}

function noKey(key: string, name: SettingName | undefined, where: string): UserError {
  if (name === undefined) {
    return new UserError({
      what: `There is no setting "${key}".`,
      where,
      do: `${suggestion(key, fileKeys)}All settings: docs/settings.md`,
    });
  }
  const entry: SettingEntry = settingTable[name];
  return new UserError({
    what: `${name} is not set in a file.`,
    where,
    ...(entry.secret === true ? { why: "It may hold a password, and the file lies in the repository." } : {}),
    do: takes(name, "variable")
      ? `Remove it here, and set the variable ${variableOf(name)} or the input ${name}.`
      : `Remove it here, and set the input ${name}.`,
  });
}

function yamlError(code: string, message: string, where: string): UserError {
  const isTwice = code === "DUPLICATE_KEY";
  return new UserError({
    what: isTwice ? "A key is there twice." : "The file is not YAML that can be read.",
    where,
    seen: isTwice ? "" : (message.split("\n")[0] ?? ""),
    do: isTwice ? "Keep one of them." : "Mend the line.",
  });
}

function readText(file: string): string {
  const bytes = readBytes(file);
  if (bytes.length > maxBytes) {
    throw new UserError({
      what: `${file} has ${bytes.length} bytes; a file of settings has at most ${maxBytes}.`,
      do: "Keep what was found before in the baseline: migration-gate check --write-baseline",
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(
      { what: `${file} is not UTF-8 text.`, where: file, do: "Save the file as UTF-8." },
      { cause: error },
    );
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
    throw new UserError(
      {
        what: `${file} ${isFolder ? "is a folder" : "cannot be read"}.`,
        ...(isFolder || !(error instanceof Error) ? {} : { seen: error.message }),
        do: "Make it a file that can be read, or name another with config-file.",
      },
      { cause: error },
    );
  }
}

/** The folder above, or this one, that has .git; a worktree and a submodule have a file of that name. */
function repositoryRoot(folder: string): string | undefined {
  for (let place = folder; ; place = path.dirname(place)) {
    if (existsSync(path.join(place, ".git"))) return place;
    if (path.dirname(place) === place) return undefined;
  }
}
