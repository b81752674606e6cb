import type { RowValues } from "../model/rows";
import type { ColumnPair } from "./row-columns";

const most = 3;
const longest = 60;
/** A time to the microsecond has 29. */
const half = 29;

/** The first few different values of a column, cut; none of a secret one. */
export function examplesOf(isSecret: boolean, values: readonly string[]): string[] {
  return isSecret ? [] : [...new Set(values)].slice(0, most).map((value) => cut(value));
}

/** What became of values, e.g. `1.25 → 1.3`. */
export function changeExamples(
  isSecret: boolean,
  changes: readonly { readonly from: string | null; readonly to: string | null }[],
): string[] {
  if (isSecret) return [];
  const side = (value: string | null): string => cut(value ?? "NULL", half);
  return [...new Set(changes.map(({ from, to }) => `${side(from)} → ${side(to)}`))].slice(0, most);
}

/** By what a row is known: its key, else its first columns, e.g. `id = 3`. */
export function rowExamples(
  rows: readonly RowValues[],
  pairs: readonly ColumnPair[],
  key: readonly ColumnPair[],
): string[] {
  const shown = (key.length > 0 ? key : pairs).filter(({ isSecret }) => !isSecret).slice(0, most);
  if (shown.length === 0) return [];
  const texts = rows
    .slice(0, most)
    .map((row) => shown.map(({ name, before }) => `${name} = ${row[before] ?? "NULL"}`).join(", "));
  return texts.map((text) => cut(text));
}

/** A text that is cut tells its length, by which two of the same beginning differ. */
export function cut(text: string, length = longest): string {
  let count = 0;
  for (const _ of text) count++;
  if (count <= length) return text;
  const rest = `… (${count} characters)`;
  return [...text.slice(0, 2 * length)].slice(0, Math.max(0, length - rest.length)).join("") + rest;
}
