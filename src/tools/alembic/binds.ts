import { readFileSync } from "node:fs";
import path from "node:path";
import type { Revision } from "../../model/revision";
import type { ReadRevisions, ToolProject } from "../contract";
import { functionsOfDatabases } from "./database-functions";
import { readModule } from "./python/module";
import { parsePython } from "./python/node";
import { pythonSource } from "./python/source";

/** The templates for several databases (`multidb`, Flask-Migrate's `--multidb`) give each revision a database's name. */
const givesEngineName = /^[^#\n]*\brun_migrations\(\s*engine_name\s*=/m;

/**
 * The databases that one start of the tool migrates, by the functions for each in the newest revisions: older ones may have
 * those of a database that is gone. "" is Flask's default one. Undefined for one database, also where a template for several is used.
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
  const names = revisions.flatMap(({ location }) => {
    const text = textOf(path.resolve(root, location.file));
    if (!/^def upgrade_/m.test(text)) return [];
    const module = readModule(pythonSource(text), parsePython(text));
    // `upgrade_` is that of Flask's default database.
    return functionsOfDatabases(module, "upgrade").map((name) => name.slice("upgrade_".length));
  });
  return [...new Set(names)];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
