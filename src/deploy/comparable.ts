import { type CatalogKind, kindOf } from "../model/catalog";

export type Definition = Readonly<Record<string, unknown>>;

/** Of the server or of whoever runs it: roles, and what a throwaway database has no reason to have. */
const ignored: ReadonlySet<CatalogKind> = new Set([
  "role",
  "default privileges",
  "user mapping",
  "publication",
  "subscription",
]);

/** Who owns it, where it lies, and how it is looked after. */
const everywhere = ["owner", "privileges", "tablespace", "statistics", "clustered", "notPopulated"];

const ofKind: Partial<Record<CatalogKind, readonly string[]>> = {
  extension: ["version", "comment"],
  server: ["options", "version"],
  "foreign table": ["serverOptions"],
};

/** What the server prints from its parse tree, which each major version does a little differently. */
const printed = ["query", "definition", "default", "expression", "partitionBound", "using", "check"];

/**
 * A definition without what may differ between a shadow and production: undefined where the whole object may. `loose`:
 * the two servers have different major versions.
 */
export function comparable(key: string, definition: string, loose: boolean): Definition | undefined {
  const kind = kindOf(key);
  if (ignored.has(kind)) return undefined;
  const value: unknown = JSON.parse(definition);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { definition: value };
  const without = new Set([...everywhere, ...(ofKind[kind] ?? [])]);
  const fields = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    if (without.has(name)) return [];
    const kept = name === "options" ? withoutUpkeep(field) : name === "notNull" ? validity(field) : field;
    if (kept === undefined) return [];
    const squeezed = loose && kind !== "function" && printed.includes(name) && typeof kept === "string";
    return [[name, squeezed ? squeeze(kept) : kept]];
  });
  return Object.fromEntries(fields);
}

/** Autovacuum is tuned where the rows are. */
function withoutUpkeep(options: unknown): unknown {
  if (!Array.isArray(options)) return options;
  const kept = options.filter(
    (option) => !/^(?:toast\.)?autovacuum_|^(?:toast\.)?vacuum_/.test(String(option)),
  );
  return kept.length === 0 ? undefined : kept;
}

/** PostgreSQL 18 has a constraint for it, with more to say; before, and mostly, it is true. */
function validity(notNull: unknown): unknown {
  const isObject = typeof notNull === "object" && notNull !== null;
  return isObject && "notValid" in notNull && notNull.notValid === true ? "not valid" : true;
}

/** Without spaces, brackets and the table's name before a column. */
function squeeze(text: string): string {
  return text.replace(/(?:"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*)\./gu, "").replace(/[\s()]+/g, "");
}
