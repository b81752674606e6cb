import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { ToolError, UserError } from "../errors";
import { type BindSettings, bindVariables, chosenBind } from "../settings/binds";
import { chooseBind, withBind } from "./binds";
import type { MigrationTool, ProjectCandidate, ReadRevisions, ToolName, ToolProject } from "./contract";
import { toolNamed, toolOf, tools } from "./index";
import { ownWords, type WordSettings } from "./own-words";

/** What the settings say of the project; all of it may be left out. */
export interface ProjectWish extends WordSettings {
  readonly tool?: ToolName | undefined;
  /** A configuration file, relative to the folder. */
  readonly config?: string | undefined;
  /** The section of the configuration (`alembic -n`). */
  readonly section?: string | undefined;
  /** Other migrations that write the same version table. */
  readonly "other-sources"?: readonly string[] | undefined;
}

/** The wish, and which of several databases is judged. */
export type SettingsWish = ProjectWish & BindSettings;

/** Folders that hold other people's projects, or none. */
const skipped = new Set([
  "node_modules",
  "site-packages",
  "dist",
  "build",
  "target",
  "__pycache__",
  "venv",
  "env",
]);
const depth = 4;

/**
 * The one project in a folder: in the folder itself, else in the folders below it. UserError where there is none, or
 * more than one and nothing says which.
 */
export function findProject(folder: string, wish: ProjectWish = {}): ToolProject {
  const root = path.resolve(folder);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UserError({
      what: `There is no folder ${folder}.`,
      do: "Set working-directory to the folder of the project.",
    });
  }
  const wanted = wish.tool === undefined ? tools : [toolNamed(wish.tool)];
  const here = mostSpecific(wanted.flatMap((tool) => tool.detect(root, wish.config) ?? []));
  if (wish.config !== undefined && here.length === 0) throw notConfigured(root, folder, wish.config, wanted);
  const found =
    here.length > 0
      ? here
      : mostSpecific(below(root, depth).flatMap((sub) => wanted.flatMap((tool) => tool.detect(sub) ?? [])));
  const [only, ...others] = found;
  if (only === undefined) {
    throw new UserError({
      what: "No migration project was found.",
      where: folder,
      seen: `Looked for ${list(wanted.flatMap((tool) => tool.lookedFor))}, here and ${depth} folders down.`,
      do: "Set working-directory to the project's folder, or config to its configuration file.",
    });
  }
  if (others.length > 0) throw tooMany(root, folder, found);
  const sources = wish["other-sources"] ?? [];
  const project = opened(settled(only, root, wish.section), wish.section, sources);
  if (sources.length > 0 && project.otherSources === undefined) {
    throw new UserError({
      what: `The setting other-sources is "${sources.join(", ")}", and ${only.tool} has none.`,
      where: only.config,
      do: "Leave other-sources out.",
    });
  }
  return { ...project, words: ownWords(wish) };
}

function opened(
  candidate: ProjectCandidate,
  section: string | undefined,
  otherSources: readonly string[] = [],
): ToolProject {
  const tool = toolNamed(candidate.tool);
  const project = tool.open(candidate, section, otherSources);
  return { ...project, binds: tool.bindsOf?.(project, () => tool.read(project)) };
}

/** The one project in a folder, with the one of its databases that the settings name. */
export function findJudged(folder: string, settings: SettingsWish): ToolProject {
  const wish = { chosen: chosenBind(settings), variables: bindVariables(settings) };
  return chooseBind(findProject(folder, settings), wish);
}

/** Every revision of the project; a ToolError where there is none. */
export function readRevisions(project: ToolProject): ReadRevisions {
  const read = toolOf(project).read(project);
  if (read.revisions.length > 0) return read;
  throw new ToolError({
    what: "The project has no revisions.",
    where: project.config,
    why: "Nothing found must not look like nothing wrong.",
    ...(toolNamed(project.tool).whyNoRevisions?.(project) ?? {
      seen: `Looked in ${project.revisionFolders.join(", ")}.`,
      do: "Correct script_location or version_locations, or working-directory.",
    }),
  });
}

/** The project with what history needs of its tool. */
export function sourceOf(project: ToolProject) {
  const { readOne, sameBytes, meaningOf } = toolOf(project);
  return {
    ...project,
    readOne: (file: string, bytes: Uint8Array) => readOne(file, bytes, project.bind?.name),
    sameBytes: sameBytes ?? (() => true),
    meaningOf,
    openCopy: (root: string) => openCopy(project, root),
  };
}

/** The same project in a copy of its folder, which may be of another time; undefined where it has none. */
function openCopy(project: ToolProject, root: string): ToolProject | undefined {
  const tool = toolNamed(project.tool);
  const candidate = tool.detect(root, project.config) ?? tool.detect(root);
  try {
    return candidate === undefined ? undefined : withSettingsOf(opened(candidate, project.section), project);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The project in another checkout, with what the settings say of it; with the judged database where it has that. */
export function withSettingsOf(
  other: ToolProject,
  { words, otherSources, bindWish }: ToolProject,
): ToolProject {
  const same = { ...other, words, otherSources };
  return bindWish === undefined ? same : withBind(same, bindWish);
}

/**
 * One configuration is one project: that of the tool which comes last in the list, because it builds on the one before
 * (Flask-Migrate on Alembic), started from the topmost folder.
 */
function mostSpecific(candidates: readonly ProjectCandidate[]): ProjectCandidate[] {
  const rank = ({ tool }: ProjectCandidate): number => tools.indexOf(toolNamed(tool));
  const byFile = new Map<string, ProjectCandidate>();
  for (const candidate of candidates) {
    const file = path.resolve(candidate.root, candidate.config);
    const known = byFile.get(file);
    if (known === undefined || rank(known) < rank(candidate)) byFile.set(file, candidate);
  }
  return [...byFile.values()];
}

function notConfigured(
  root: string,
  folder: string,
  config: string,
  wanted: readonly MigrationTool[],
): UserError {
  const isThere = statSync(path.resolve(root, config), { throwIfNoEntry: false })?.isFile() === true;
  return new UserError({
    what: isThere
      ? `${config}, which the setting config names, is no configuration of ${wanted.map(({ name }) => name).join(" or ")}.`
      : `There is no file ${config}, which the setting config names.`,
    where: folder,
    do: "Set config to the file's path from working-directory.",
  });
}

function tooMany(root: string, folder: string, found: readonly ProjectCandidate[]): UserError {
  const lines = found.map((candidate) => `${shownFile(root, candidate)} (${candidate.tool})`);
  const [first] = found;
  const place = first === undefined ? "" : path.relative(root, first.root) || ".";
  const sameFolder = found.every((candidate) => candidate.root === first?.root);
  return new UserError({
    what: `There are ${found.length} migration projects, and nothing says which one to judge.`,
    where: folder,
    seen: lines.join("\n"),
    do: sameFolder
      ? `Set tool, for instance tool: ${first?.tool}.`
      : `Set working-directory, for instance working-directory: ${place}.`,
  });
}

/**
 * An ini file in a subfolder may be written for a start from the top (`alembic -c db/alembic.ini`): then its folders
 * are found from there and not from its own folder.
 */
function settled(candidate: ProjectCandidate, top: string, section: string | undefined): ProjectCandidate {
  if (candidate.root === top) return candidate;
  const tool = toolNamed(candidate.tool);
  try {
    tool.open(candidate, section);
    return candidate;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const fromTop = { ...candidate, root: top, config: shownFile(top, candidate) };
    try {
      tool.open(fromTop, section);
      return fromTop;
    } catch {
      return candidate;
    }
  }
}

function list(parts: readonly string[]): string {
  return [parts.slice(0, -1).join(", "), parts.at(-1)].filter((part) => part !== "").join(" and ");
}

function shownFile(root: string, candidate: ProjectCandidate): string {
  return path.relative(root, path.join(candidate.root, candidate.config)).split(path.sep).join("/");
}

function below(folder: string, levels: number): string[] {
  if (levels === 0) return [];
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !skipped.has(entry.name))
    .map((entry) => path.join(folder, entry.name))
    .sort();
  return names.flatMap((name) => [name, ...below(name, levels - 1)]);
}
