import type { RowValues } from "../model/rows";
import type { ColumnPair } from "./row-columns";

const most = 3;
const longest = 60;

/** The first few different values of a column, cut; none of a secret one. */
export function examplesOf(isSecret: boolean, values: readonly string[]): string[] {
  return isSecret ? [] : [...new Set(values)].slice(0, most).map((value) => cut(value));
}

/** What became of values, e.g. `1.25 → 1.3`. */
export function changeExamples(
  isSecret: boolean,
  changes: readonly { readonly from: string | null; readonly to: string | null }[],
): string[] {
  return examplesOf(
    isSecret,
    changes.map(
      ({ from, to }) => `${cut(from ?? "NULL", longest / 2)} → ${cut(to ?? "NULL", longest / 2 - 3)}`,
    ),
  );
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

function cut(text: string, length = longest): string {
  const characters = [...text.slice(0, 2 * length + 2)];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}
