import type { Constant } from "./constants";
import { importedNames } from "./imports";
import type { PythonModule } from "./module";
import { parsePython } from "./node";
import type { PythonSource } from "./source";
import { statements } from "./tree";

/** What is read of a revision file before its first function. */
export interface ModuleHead extends Pick<PythonModule, "source" | "constants" | "docstring"> {
  readonly places: ReadonlyMap<string, { readonly from: number }>;
}

/** A head of which no tree was made. */
export interface PlainHead extends ModuleHead, Pick<PythonModule, "imports"> {}

const name = String.raw`[A-Za-z_]\w*`;
const end = String.raw`[ \t]*(?:#[^\n]*)?\n`;
const item = String.raw`(?:None|"[^"\\\n]*"|'[^'\\\n]*')`;
const imported = String.raw`${name}(?:\.${name})*(?:[ \t]+as[ \t]+${name})?`;
const list = String.raw`${imported}(?:[ \t]*,[ \t]*${imported})*`;
const sticky = (pattern: string): RegExp => new RegExp(pattern, "y");

const blank = sticky(end);
const docstring = sticky(
  String.raw`(?:"""([^"\\]*(?:"(?!"")[^"\\]*)*)"""|'''([^'\\]*(?:'(?!'')[^'\\]*)*)'''|"([^"\\\n]*)"|'([^'\\\n]*)')${end}`,
);
const importLine = sticky(
  String.raw`(?:import[ \t]+${list}|from[ \t]+${name}(?:\.${name})*[ \t]+import[ \t]+(?:${list}|\([\w \t\n,]*\)))${end}`,
);
const assignment = sticky(
  String.raw`(${name})[ \t]*(:[\w.\[\], \t|]*)?=[ \t]*(${item}|\([^()\n#]*\)|\[[^[\]\n#]*\])${end}`,
);
const items = new RegExp(String.raw`^[ \t]*(?:${item}[ \t]*(?:,[ \t]*${item}[ \t]*)*(,)?[ \t]*)?$`);
const texts = /"[^"\\\n]*"|'[^'\\\n]*'/g;
const known = new Map<string, ReadonlyMap<string, string> | undefined>();
const attribute = /\b(?:revision|down_revision|branch_labels|depends_on)\b/;

/**
 * The head of a file as Alembic's template writes it: a docstring, imports, and names that are given texts, None, or
 * tuples and lists of them. Undefined for anything else, which a parser must read: it costs ten times as much.
 */
export function plainHead(source: PythonSource, length: number): PlainHead | undefined {
  const text = source.text.slice(0, length);
  // Python ends lines at \r as well, and passes over \f.
  if (/[\r\f\0\uFEFF]/.test(text)) return undefined;
  const constants = new Map<string, Constant>();
  const places = new Map<string, { readonly from: number }>();
  const imports = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text) ?? undefined;
    at += found?.[0].length ?? 0;
    return found;
  };
  const skipBlank = (): void => {
    while (at < text.length && take(blank) !== undefined);
  };

  skipBlank();
  const doc =
    take(docstring)
      ?.slice(1)
      .find((group) => group !== undefined) ?? "";
  for (skipBlank(); at < text.length; skipBlank()) {
    const from = at;
    const line = take(importLine)?.[0];
    if (line !== undefined) {
      const bound = attribute.test(line) ? undefined : importsOf(line);
      if (bound === undefined) return undefined;
      for (const [own, dotted] of bound) imports.set(own, dotted);
      continue;
    }
    const [whole = "", target, type, value] = take(assignment) ?? [];
    const constant = target === undefined || value === undefined ? undefined : plainValue(value);
    if (target === undefined || constant === undefined) return undefined;
    // A type without an end, a keyword for a name.
    const isSure = type === undefined && attribute.test(target);
    if (!isSure && importsOf(whole.replaceAll(texts, '""')) === undefined) return undefined;
    constants.set(target, constant);
    places.set(target, { from });
  }
  return { source, constants, places, imports, docstring: doc };
}

/** What these lines import, by the parser: nearly all files have the same few. Undefined where they do not parse. */
function importsOf(lines: string): ReadonlyMap<string, string> | undefined {
  if (known.has(lines)) return known.get(lines);
  const top = parsePython(lines);
  const imports = statements(top).filter((statement) => statement.name === "ImportStatement");
  const bound = top.hasError
    ? undefined
    : new Map(imports.flatMap((statement) => [...importedNames(statement, lines)]));
  known.set(lines, bound);
  return bound;
}

function plainValue(value: string): Constant | undefined {
  if (!/^[([]/.test(value)) return plainItem(value);
  const inner = value.slice(1, -1);
  const found = items.exec(inner);
  if (found === null) return undefined;
  const parts = [...inner.matchAll(new RegExp(item, "g"))].map(([text]) => plainItem(text));
  // ("a") is no tuple.
  return value.startsWith("(") && parts.length === 1 && found[1] === undefined ? undefined : parts;
}

function plainItem(value: string): string | null {
  return value === "None" ? null : value.slice(1, -1);
}
