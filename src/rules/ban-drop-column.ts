import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const banDropColumn: Rule = {
  severity: "error",
  title: "Do not drop a column that a running release may still name.",
  why: "Until the last old process has ended, each of its statements that names the column fails; what the column held is gone, and a downgrade cannot bring it back.",
  do: "Release a version that no longer maps the column first. Then drop it, and say so above the call: # migration-gate: allow ban-drop-column because <since which release it is unmapped>",
  aliases: ["squawk/ban-drop-column", "strong_migrations/remove_column", "atlas/DS103"],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.drop_column("users", "visits")`,
      downgrade: `op.add_column("users", sa.Column("visits", sa.Integer))`,
    },
    good: {
      upgrade: `op.alter_column("users", "visits", comment="unused since v1.8")`,
      downgrade: `op.alter_column("users", "visits", comment=None)`,
    },
  },
  check: ({ operations }) =>
    only(operations, "dropColumn").map(({ origin, table, column }) => ({
      at: origin,
      object: `column ${shownName(table)}.${column}`,
      what: `The column "${column}" of "${shownName(table)}" is dropped.`,
    })),
};
