import type { Node, RangeVar, TypeName } from "libpg-query";
import type { ColumnType, QualifiedName } from "../model/operation";

export function nameOf(relation: RangeVar | undefined): QualifiedName {
  return { schema: relation?.schemaname, name: relation?.relname ?? "" };
}

/** The parts of a dotted name in a tree: `List` of `String`. */
export function partsOf(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if ("String" in node) return [node.String.sval ?? ""];
  if ("List" in node) return (node.List.items ?? []).flatMap(partsOf);
  if ("TypeName" in node) return (node.TypeName.names ?? []).flatMap(partsOf);
  return [];
}

export function qualified(parts: readonly string[]): QualifiedName {
  return { schema: parts.at(-2), name: parts.at(-1) ?? "" };
}

/** As the statement names it; PostgreSQL's grammar has already put its own names, e.g. `int8` for bigint. */
export function typeOf(type: TypeName | undefined): ColumnType | undefined {
  const parts = (type?.names ?? []).flatMap(partsOf);
  const name = parts.at(-1);
  if (type === undefined || name === undefined) return undefined;
  const modifiers = (type.typmods ?? []).map((node) =>
    "A_Const" in node && node.A_Const.ival !== undefined ? (node.A_Const.ival.ival ?? 0) : Number.NaN,
  );
  return { name, modifiers, array: (type.arrayBounds ?? []).length > 0 };
}

/** A name as SQL shows it. */
export function shownName({ schema, name }: QualifiedName): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

/** Marks what is made with IF NOT EXISTS. */
export function perhaps(ifNotExists: boolean | undefined): { readonly ifNotExists?: true } {
  return ifNotExists === true ? { ifNotExists } : {};
}
