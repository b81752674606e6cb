import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const banRenameTable: Rule = {
  severity: "error",
  title: "Do not rename or move a table under a running release.",
  why: "No order of steps is right: before the deploy the old release fails on the new name, after it the new one on the old name.",
  do: 'Keep the table\'s name and give only the class another: __tablename__ = "old_name". Or rename it and create a view with the old name in the same revision, and say so: # migration-gate: allow ban-rename-table because <the view that stands in>',
  doInSql:
    "Keep the table's name and rename only what the code calls it. Or rename it and create a view with the old name in the same migration, and say so: -- migration-gate: allow ban-rename-table because <the view that stands in>",
  aliases: ["squawk/renaming-table", "strong_migrations/rename_table", "atlas/BC101"],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.rename_table("users", "people")`,
      downgrade: `op.rename_table("people", "users")`,
    },
    good: {
      upgrade: `op.execute("CREATE VIEW people AS SELECT id, email, visits FROM users")`,
      downgrade: `op.execute("DROP VIEW people")`,
    },
  },
  check: ({ operations }) =>
    only(operations, "renameTable").map(({ origin, table, to }) => ({
      at: origin,
      object: `table ${shownName(table)}`,
      what: `The table "${shownName(table)}" is renamed to "${shownName(to)}".`,
    })),
};
