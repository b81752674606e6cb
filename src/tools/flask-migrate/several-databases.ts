import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Unprovable } from "../contract";

/** Flask-Migrate's template for several binds (`flask db init --multidb`) gives each revision the bind's name. */
const givesEngineName = /\brun_migrations\(\s*engine_name\s*=/;

/** A revision's functions of a named bind; `upgrade_` is the default database's. */
const functionOfBind = /^def (?:up|down)grade_(\w+)\s*\(/gm;

/**
 * Why a project with several binds is not proved: env.py opens all databases at once and runs each revision on each,
 * which one shadow database cannot show. Undefined for one database, also where the template for several is used.
 */
export function severalDatabases(environment: string, folders: readonly string[]): Unprovable | undefined {
  if (!givesEngineName.test(textOf(environment))) return undefined;
  const binds = [...new Set(folders.flatMap(bindsIn))].sort();
  if (binds.length === 0) return undefined;
  return {
    what: `The project migrates ${binds.length + 1} databases (--multidb): the default one and ${binds.map((bind) => `"${bind}"`).join(", ")}.`,
    reason: "the revisions run on several databases at once",
    do: "Judge each bind in a migrations folder of its own (Migrate with directory, one check each). Until then the history is judged (heads, ids, edited and deleted revisions), and the text of each bind's functions.",
  };
}

function bindsIn(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => name.endsWith(".py"))
    .flatMap((name) => [...textOf(path.join(folder, name)).matchAll(functionOfBind)])
    .map(([, bind]) => bind ?? "");
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
