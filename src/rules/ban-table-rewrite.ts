import type { Operation } from "../model/operation";
import { shownName } from "../operations/names";
import { rewrites } from "../operations/type-change";
import { type Objection, type Rule, usersTable } from "./rule";

export const banTableRewrite: Rule = {
  severity: "warning",
  title: "Do not write an existing table anew.",
  why: "The server copies every row and builds every index again under ACCESS EXCLUSIVE: all reads and writes of the table wait until the copy ends.",
  do: "Add a new nullable column, write both, fill it in batches, then switch over to it. A default that is evaluated once (a constant, now()) needs no rewrite.",
  aliases: [
    "squawk/changing-column-type",
    "squawk/adding-field-with-default",
    "squawk/ban-char-field",
    "strong_migrations/change_column",
    "eugene/E5",
    "atlas/PG303",
  ],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.alter_column("users", "visits", existing_type=sa.Integer(), type_=sa.BigInteger())`,
      downgrade: `op.alter_column("users", "visits", existing_type=sa.BigInteger(), type_=sa.Integer())`,
    },
    good: {
      upgrade: `op.alter_column("users", "email", existing_type=sa.String(100), type_=sa.String(200))`,
      downgrade: `op.alter_column("users", "email", existing_type=sa.String(200), type_=sa.String(100))`,
    },
  },
  check: ({ operations }) => operations.flatMap(objection),
};

const filled: Readonly<Record<string, string>> = {
  volatile: "a default that is evaluated for each row",
  identity: "an identity",
  generated: "a stored generated value",
};

function objection(operation: Operation): Objection[] {
  const { origin } = operation;
  if (operation.kind === "rewriteTable") {
    const name = shownName(operation.table);
    return [
      { at: origin, object: `table ${name}`, what: `${operation.how} writes the table "${name}" anew.` },
    ];
  }
  if (operation.kind === "addColumn") {
    const how = filled[operation.column.default];
    if (how === undefined) return [];
    const name = shownName(operation.table);
    return [
      {
        at: origin,
        object: `column ${name}.${operation.column.name}`,
        what: `The new column "${operation.column.name}" has ${how}, for which the table "${name}" is written anew.`,
      },
    ];
  }
  if (operation.kind !== "changeType") return [];
  const { table, column, from, to, computed } = operation;
  if (rewrites(from, to, computed) !== "yes") return [];
  return [
    {
      at: origin,
      object: `column ${shownName(table)}.${column}`,
      what: `The column "${column}" gets another type${to === undefined ? "" : ` (${to.name})`}, for which the table "${shownName(table)}" is written anew.`,
    },
  ];
}
