import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors";
import type { ToolProject } from "../contract";
import { readName } from "./migration-name";

/** The word for migrations that are not in this repository. */
const anywhere = "any";

/** The versions whose rows are others'. */
export type Others =
  | { readonly kind: "none" }
  /** All but these are. */
  | { readonly kind: "all but"; readonly own: readonly string[] }
  | { readonly kind: "these"; readonly versions: readonly string[] };

/** A UserError where the setting names what is no folder, the project's own, or one that has a version of the project's own. */
export function requireSources(root: string, own: string, sources: readonly string[]): void {
  for (const source of sources) {
    if (source === anywhere) continue;
    const folder = path.resolve(root, source);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new UserError({
        what: `There is no folder ${source}, which the setting other-sources names.`,
        where: root,
        do: `Set other-sources to folders of migrations, from the project's folder; or to ${anywhere}, where they are in another repository.`,
      });
    }
    if (folder === path.resolve(root, own)) {
      throw new UserError({
        what: `other-sources names ${source}, which is this project's own folder of migrations.`,
        do: "Name the others that write the same version table.",
      });
    }
    requireNoDouble(path.resolve(root, own), own, folder, source);
  }
}

function requireNoDouble(folder: string, own: string, otherFolder: string, source: string): void {
  const theirs = new Map(namesIn(otherFolder).map((name) => [versionOf(name), name]));
  const double = namesIn(folder).find((name) => versionOf(name) !== undefined && theirs.has(versionOf(name)));
  if (double === undefined) return;
  throw new UserError({
    what: `Version ${versionOf(double)} is in two sources that write one version table.`,
    seen: `${own}/${double}\n${source}/${theirs.get(versionOf(double))}`,
    why: "The table has one row for both: the one that comes second is never run, or stops at the other's checksum.",
    do: "Give one of them another version.",
  });
}

export function othersOf({ root, otherSources = [], revisionFolders }: ToolProject): Others {
  if (otherSources.length === 0) return { kind: "none" };
  if (otherSources.includes(anywhere)) return { kind: "all but", own: revisionFolders.flatMap(versionsIn) };
  return {
    kind: "these",
    versions: otherSources.flatMap((source) => versionsIn(path.resolve(root, source))),
  };
}

/** A condition on the column of versions, to go after AND or WHERE; undefined where every row is this project's. */
export function ownRows(others: Others): string | undefined {
  if (others.kind === "none") return undefined;
  const versions = others.kind === "these" ? others.versions : others.own;
  if (versions.length === 0) return others.kind === "these" ? undefined : "false";
  return `m.version ${others.kind === "these" ? "NOT IN" : "IN"} (${versions.join(", ")})`;
}

function versionsIn(folder: string): string[] {
  return [...new Set(namesIn(folder).flatMap((name) => versionOf(name) ?? []))];
}

function versionOf(name: string): string | undefined {
  const read = readName(name);
  return typeof read === "object" ? read.version : undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
