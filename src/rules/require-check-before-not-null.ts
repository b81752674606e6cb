import { shownName } from "../operations/names";
import { only, type Rule, type RuleContext, usersTable } from "./rule";

export const requireCheckBeforeNotNull: Rule = {
  severity: "error",
  title: "Make a column NOT NULL only behind a check that is validated.",
  why: "SET NOT NULL reads the whole table under ACCESS EXCLUSIVE, with all reads and writes waiting; it fails on the first NULL, and from then on each INSERT of a running release that leaves the column out fails. With a validated CHECK (… IS NOT NULL) the server skips the reading (PostgreSQL 12 and later).",
  do: 'op.create_check_constraint("<name>", "<table>", "<column> IS NOT NULL", postgresql_not_valid=True) in one release, which shows what still writes NULL; op.execute("ALTER TABLE <table> VALIDATE CONSTRAINT <name>"), then SET NOT NULL and drop the check in the next.',
  aliases: ["squawk/adding-not-nullable-field", "strong_migrations/change_column_null", "eugene/E2"],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.alter_column("users", "email", nullable=False)`,
      downgrade: `op.alter_column("users", "email", nullable=True)`,
    },
    good: {
      upgrade: `op.create_check_constraint("email_there", "users", "email IS NOT NULL", postgresql_not_valid=True)`,
      downgrade: `op.drop_constraint("email_there", "users", type_="check")`,
    },
  },
  check: (context) =>
    only(context.operations, "changeNullable")
      .filter(({ nullable }) => !nullable)
      .filter((change) => !isChecked(change.table.name, context))
      .map(({ origin, table, column }) => ({
        at: origin,
        object: `column ${shownName(table)}.${column}`,
        what: `The column "${column}" of "${shownName(table)}" becomes NOT NULL, and no check on it is validated before.`,
      })),
};

/** A check of the table is validated in this revision; which column it is on may stand in an older one. */
function isChecked(table: string, { upgrade }: RuleContext): boolean {
  return only(upgrade, "validateConstraint").some((operation) => operation.table.name === table);
}
