import { kindOf } from "../model/catalog";

/** Strings and quoted names, comments, white space, and the rest. */
const parts = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\s+|[^\s'"-]+|['"-]/g;

/**
 * True for two definitions of one function in SQL or PL/pgSQL, as the catalog has them, that differ in the white space
 * between their words alone: it means nothing there, and a downgrade that writes the old body again often has another.
 */
export function isSameCode(key: string, one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const kind = kindOf(key);
  if (kind !== "function" && kind !== "procedure") return false;
  return wordsOf(one) === wordsOf(other);
}

function wordsOf(definition: string): string {
  const fields: unknown = JSON.parse(definition);
  if (typeof fields !== "object" || fields === null || !("definition" in fields)) return definition;
  const { definition: code, ...more } = fields;
  if (typeof code !== "string" || !/^ LANGUAGE (?:plpgsql|sql)\b/m.test(code)) return definition;
  // Strings may begin or end otherwise than by a quote: an escape, a dollar quote inside the body's own two.
  if (code.includes("\\") || (code.match(/\$\w*\$/g) ?? []).length > 2) return definition;
  const words = (code.match(parts) ?? []).map((part) => (/^\s/.test(part) ? " " : part));
  return JSON.stringify({ ...more, words });
}
