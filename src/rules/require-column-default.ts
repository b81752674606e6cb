import type { Operation } from "../model/operation";
import { shownName } from "../operations/names";
import { only, type Rule, type RuleContext, usersTable } from "./rule";

export const requireColumnDefault: Rule = {
  severity: "error",
  title: "Give a new NOT NULL column a default of the server, and keep it.",
  why: "Without a default the statement fails on a table that has rows. When the default is dropped again in the same revision, each INSERT of the running release fails, as it does not know the column.",
  do: 'Give it server_default="…" and leave that there, or add it nullable, fill it, and make it NOT NULL in a later release.',
  doInSql:
    "Give it a DEFAULT and leave that there, or add it nullable, fill it, and make it NOT NULL in a later release.",
  aliases: [
    "squawk/adding-required-field",
    "squawk/adding-not-nullable-field",
    "strong_migrations/add_column",
    "atlas/MF103",
  ],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.add_column("users", sa.Column("country", sa.String(2), nullable=False))`,
      downgrade: `op.drop_column("users", "country")`,
    },
    good: {
      upgrade: `op.add_column("users", sa.Column("country", sa.String(2), nullable=False, server_default="DE"))`,
      downgrade: `op.drop_column("users", "country")`,
    },
  },
  check: (context) =>
    only(context.operations, "addColumn").flatMap((operation) => {
      const { origin, table, column } = operation;
      if (column.nullable) return [];
      const name = `"${column.name}" of "${shownName(table)}"`;
      const object = `column ${shownName(table)}.${column.name}`;
      if (column.default === "none" && !isFilledLater(operation, context)) {
        return [{ at: origin, object, what: `The new column ${name} is NOT NULL and has no default.` }];
      }
      const dropped = lastDefault(operation, context);
      return dropped?.default === "none"
        ? [
            {
              at: dropped.origin,
              object,
              what: `The new column ${name} is NOT NULL, and its default is dropped in the same revision.`,
            },
          ]
        : [];
    }),
};

type AddColumn = Extract<Operation, { readonly kind: "addColumn" }>;

function lastDefault({ table, column }: AddColumn, { upgrade }: RuleContext) {
  return only(upgrade, "changeDefault").findLast(
    (change) => change.table.name === table.name && change.column === column.name,
  );
}

/** A default that the same revision sets comes too late for rows, unless the tool made the column nullable first. */
function isFilledLater(operation: AddColumn, context: RuleContext): boolean {
  const { table, column } = operation;
  return only(context.upgrade, "changeNullable").some(
    (change) => change.nullable && change.table.name === table.name && change.column === column.name,
  );
}
