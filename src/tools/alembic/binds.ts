import { readFileSync } from "node:fs";
import path from "node:path";
import type { Revision } from "../../model/revision";
import type { ReadRevisions, ToolProject } from "../contract";

/** The templates for several databases (`multidb`, Flask-Migrate's `--multidb`) give each revision a database's name. */
const givesEngineName = /\brun_migrations\(\s*engine_name\s*=/;

/** A revision's function for one database; `upgrade_` is that of Flask's default one. */
const functionOfBind = /^def upgrade_([\p{L}\p{N}_]*)\s*\(/gmu;

/**
 * The databases that one start of the tool migrates, by the functions of the newest revisions: older ones may have those of
 * a database that is gone. "" is Flask's default one. Undefined for one database, also where a template for several is used.
 */
export function bindsOf(
  project: ToolProject,
  read: () => Pick<ReadRevisions, "revisions">,
): readonly string[] | undefined {
  const environment = project.environmentFiles.find((file) => path.basename(file) === "env.py");
  if (environment === undefined || !givesEngineName.test(textOf(environment))) return undefined;
  const { revisions } = read();
  const parents = new Set(revisions.flatMap((revision) => revision.parents));
  const newest = namesIn(
    project,
    revisions.filter(({ id }) => !parents.has(id)),
  );
  const names = newest.length > 0 ? newest : namesIn(project, revisions);
  return names.some((name) => name !== "") ? names : undefined;
}

function namesIn({ root }: ToolProject, revisions: readonly Revision[]): string[] {
  const texts = revisions.map(({ location }) => textOf(path.resolve(root, location.file)));
  const names = texts.flatMap((text) => [...text.matchAll(functionOfBind)].map(([, name]) => name ?? ""));
  return [...new Set(names)];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
