import type { Direction } from "../../model/revision";
import type { PythonModule } from "./python/module";

const directions = ["upgrade", "downgrade"] as const;

/**
 * The functions that do a direction to one database each, where the direction's own finds them by their name, as the
 * templates for several do (Alembic's multidb, Flask-Migrate's): `globals()["upgrade_%s" % engine_name]()`.
 */
export function foundByName(module: PythonModule, direction: Direction): string[] {
  const own = textOf(module, direction);
  const byName = /\bglobals\(\)\s*\[/.test(own) || new RegExp(`["']${direction}_`).test(own);
  return byName ? namesOf(module, direction).filter((name) => !isHelper(module, name)) : [];
}

/** The same, or those that the direction's own function names where it looks which database it was asked for. */
export function functionsOfDatabases(module: PythonModule, direction: Direction): string[] {
  const found = foundByName(module, direction);
  if (found.length > 0) return found;
  const own = textOf(module, direction);
  return namesOf(module, direction).filter((name) => {
    const database = `["']${name.slice(direction.length + 1)}["']`;
    const isAskedFor = new RegExp(`(?:[=!]=|\\bcase)\\s*${database}|${database}\\s*(?::|[=!]=)`).test(own);
    return isAskedFor && isNamed(own, name);
  });
}

function namesOf({ functions }: PythonModule, direction: Direction): string[] {
  return [...functions.keys()].filter((name) => name.startsWith(`${direction}_`));
}

/** One that another calls, and that has no other direction: a database has both. */
function isHelper({ functions, source }: PythonModule, name: string): boolean {
  const [direction = "", ...rest] = name.split("_");
  const other = directions.find((each) => each !== direction);
  return !functions.has([other, ...rest].join("_")) && isNamed(source.text, name);
}

/** Elsewhere than where it is made, and not in a comment or a string. */
function isNamed(text: string, name: string): boolean {
  return new RegExp(`^[^#\\n]*(?<!def\\s+)(?<![\\p{L}\\p{N}_"'])${name}(?![\\p{L}\\p{N}_"'])`, "mu").test(
    text,
  );
}

function textOf({ functions, source }: PythonModule, direction: Direction): string {
  const node = functions.get(direction)?.node;
  return node === undefined ? "" : source.text.slice(node.from, node.to);
}
