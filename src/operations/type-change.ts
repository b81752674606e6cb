import type { ColumnType } from "../model/operation";

/**
 * Whether ALTER COLUMN … TYPE writes the table anew (ALTER TABLE, notes; tried on PostgreSQL 15 and 18). "unknown" where
 * it depends on what the column is today, or on a type of the project's own.
 */
export function rewrites(
  from: ColumnType | undefined,
  to: ColumnType | undefined,
  computed: boolean,
): "yes" | "no" | "unknown" {
  if (to === undefined) return "unknown";
  if (from === undefined) return computed || alwaysWritten.has(to.name) || to.array ? "yes" : "unknown";
  if (computed) return "yes";
  if (from.array !== to.array) return "yes";
  if (from.name !== to.name) {
    if (!to.array && free.has(`${from.name} ${to.name}`))
      return from.name === "text" && to.modifiers.length > 0 ? "yes" : "no";
    return !builtIn.has(from.name) ||
      !builtIn.has(to.name) ||
      from.name === "timestamp" ||
      from.name === "timestamptz"
      ? whereKnown(from, to)
      : "yes";
  }
  return sameTypeRewrites(from, to);
}

/** Between a built-in type and one of the project's own there is a conversion of every value. */
function whereKnown(from: ColumnType, to: ColumnType): "yes" | "unknown" {
  return builtIn.has(from.name) !== builtIn.has(to.name) &&
    /^(?:text|varchar|bpchar|int[248])$/.test(`${from.name}`)
    ? "yes"
    : "unknown";
}

function sameTypeRewrites(from: ColumnType, to: ColumnType): "yes" | "no" {
  const [before, after] = [from.modifiers, to.modifiers];
  if (JSON.stringify(before) === JSON.stringify(after) || after.length === 0) return "no";
  if (!widening.has(to.name) || before.length === 0) return "yes";
  const [size = 0, scale = 0] = before;
  const [newSize = 0, newScale = 0] = after;
  return newSize >= size && newScale === scale ? "no" : "yes";
}

/** Casts that cost nothing (pg_cast.castmethod = b). */
const free = new Set(["varchar text", "text varchar", "cidr inet"]);

/** Their length or precision may grow without a rewrite. */
const widening = new Set([
  "varchar",
  "varbit",
  "numeric",
  "timestamp",
  "timestamptz",
  "time",
  "timetz",
  "interval",
]);

/** Types into which nearly everything is converted; what needs no conversion is this very type. */
const alwaysWritten = new Set([
  "int2",
  "int4",
  "int8",
  "float4",
  "float8",
  "bool",
  "uuid",
  "json",
  "jsonb",
  "date",
  "bytea",
  "money",
  "xml",
]);

const builtIn = new Set([
  ...alwaysWritten,
  ...widening,
  "text",
  "bpchar",
  "bit",
  "inet",
  "cidr",
  "macaddr",
  "citext",
  "tsvector",
]);
