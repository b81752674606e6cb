import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const banRenameColumn: Rule = {
  severity: "error",
  title: "Do not rename a column under a running release.",
  why: "No order of steps is right: before the deploy the old release fails on the new name, after it the new one on the old name.",
  do: 'Add a column with the new name, write both, copy the rows, read the new one, and drop the old one in a later release. Or keep the database\'s name and give only the attribute another: mapped_column("old_name", …).',
  doInSql:
    'Add a column with the new name, write both, copy the rows, read the new one, and drop the old one in a later release. Or keep the database\'s name and rename the field only: #[sqlx(rename = "old_name")].',
  aliases: ["squawk/renaming-column", "strong_migrations/rename_column", "atlas/BC102"],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.alter_column("users", "email", new_column_name="address")`,
      downgrade: `op.alter_column("users", "address", new_column_name="email")`,
    },
    good: {
      upgrade: `op.add_column("users", sa.Column("address", sa.String(100)))`,
      downgrade: `op.drop_column("users", "address")`,
    },
  },
  check: ({ operations }) =>
    only(operations, "renameColumn").map(({ origin, table, column, to }) => ({
      at: origin,
      object: `column ${shownName(table)}.${column}`,
      what: `The column "${column}" of "${shownName(table)}" is renamed to "${to}".`,
    })),
};
