/**
 * A catalog snapshot: every object of the stored schema as one entry.
 *
 * The key is `<kind> <identity>`, kind in lower case as PostgreSQL's DROP and COMMENT commands name it
 * ("table", "column", "enum type", "foreign key constraint" is plain "constraint"), identity quoted and
 * schema-qualified as the server prints it, e.g. `column boards.users.email`. The value is the definition
 * as JSON text with sorted keys, so that two values are equal exactly when the definitions are.
 */
export type Catalog = ReadonlyMap<string, string>;

/** One key of a catalog that differs: `before` or `after` is undefined where the object does not exist. */
export interface CatalogChange {
  readonly key: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export type CatalogDelta = readonly CatalogChange[];

/** The kind of a catalog key: the part before the identity. */
export function kindOf(key: string): CatalogKind {
  const kind = catalogKinds.find((candidate) => key.startsWith(`${candidate} `));
  if (kind === undefined) throw new Error(`catalog key without a known kind: ${key}`);
  return kind;
}

/** The identity of a catalog key, as the server prints it. */
export function identityOf(key: string): string {
  return key.slice(kindOf(key).length + 1);
}

/**
 * Longest first where one is the start of another. "column order" is a difference that only a reader of
 * `SELECT *` sees: PostgreSQL puts a column that is added again last.
 */
export const catalogKinds = [
  "column order",
  "column",
  "composite type",
  "foreign table",
  "materialized view",
  "partitioned table",
  "table",
  "view",
  "index",
  "constraint",
  "sequence",
  "aggregate",
  "procedure",
  "function",
  "trigger",
  "policy",
  "rule",
  "enum type",
  "domain",
  "range type",
  "base type",
  "schema",
  "extension",
  "statistics",
  "event trigger",
  "default privileges",
  "operator class",
  "operator family",
  "operator",
  "cast",
  "collation",
  "conversion",
  "text search configuration",
  "text search dictionary",
  "text search parser",
  "text search template",
  "language",
  "transform",
  "access method",
  "foreign-data wrapper",
  "server",
  "user mapping",
  "publication",
  "subscription",
  "role",
] as const;

export type CatalogKind = (typeof catalogKinds)[number];
