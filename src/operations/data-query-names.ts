import type { Node, TypeName } from "libpg-query";
import { escapeIdentifier } from "pg";
import type { QualifiedName } from "../model/operation";
import { partsOf, typeOf } from "./names";

export function quoted(...parts: readonly (string | undefined)[]): string {
  return parts.flatMap((part) => (part === undefined ? [] : escapeIdentifier(part))).join(".");
}

export function quotedTable({ schema, name }: QualifiedName): string {
  return quoted(schema, name);
}

/** Names of the manual for those that the grammar puts in their place. */
const plainTypes: Readonly<Record<string, string>> = {
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
  float4: "real",
  float8: "double precision",
  bool: "boolean",
};

/** A type as SQL; undefined where the tree does not tell it (an interval's fields, %TYPE). */
export function typeSql(type: TypeName | undefined): string | undefined {
  const read = typeOf(type);
  if (type === undefined || read === undefined || type.pct_type === true) return undefined;
  const names = (type.names ?? []).flatMap(partsOf);
  const { modifiers } = read;
  if (modifiers.some(Number.isNaN) || (read.name === "interval" && modifiers.length > 0)) return undefined;
  const size = modifiers.length === 0 ? "" : `(${modifiers.join(", ")})`;
  // A name that stands for the server's own type cannot be one of the project's.
  const isPlain = names[0] === "pg_catalog" && /^[a-z0-9]+$/.test(read.name);
  return `${isPlain ? (plainTypes[read.name] ?? read.name) : quoted(...names)}${size}${"[]".repeat(type.arrayBounds?.length ?? 0)}`;
}

/** What an expression of a statement names. */
export interface Mentioned {
  readonly columns: readonly string[];
  /** Without their schema. */
  readonly functions: readonly string[];
  readonly hasQuery: boolean;
}

export function mentionedIn(...expressions: readonly (Node | undefined)[]): Mentioned {
  const columns = new Set<string>();
  const functions = new Set<string>();
  let hasQuery = false;
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node) as [string, unknown][]) {
      if (key === "ColumnRef") {
        const name = ((value as { fields?: Node[] }).fields ?? []).flatMap(partsOf).at(-1);
        if (name !== undefined) columns.add(name);
      } else if (key === "FuncCall") {
        functions.add(((value as { funcname?: Node[] }).funcname ?? []).flatMap(partsOf).at(-1) ?? "");
      } else if (key === "SubLink" || key === "SelectStmt") hasQuery = true;
      visit(value);
    }
  };
  for (const expression of expressions) visit(expression);
  return { columns: [...columns], functions: [...functions], hasQuery };
}
