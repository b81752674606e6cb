import type { NewConstraint } from "../model/operation";
import { shownName } from "../operations/names";
import { maybeSame } from "./born";
import { type OfKind, only, type Rule, type RuleContext, usersTable } from "./rule";

export const requireCheckBeforeNotNull: Rule = {
  severity: "error",
  title: "Make a column NOT NULL only behind a check that is validated.",
  why: "SET NOT NULL reads the whole table under ACCESS EXCLUSIVE, with all reads and writes waiting; it fails on the first NULL, and from then on each INSERT of a running release that leaves the column out fails. With a validated CHECK (… IS NOT NULL) the server skips the reading (PostgreSQL 12 and later).",
  do: 'op.create_check_constraint("<name>", "<table>", "<column> IS NOT NULL", postgresql_not_valid=True) in one release, which shows what still writes NULL; op.execute("ALTER TABLE <table> VALIDATE CONSTRAINT <name>"), then SET NOT NULL and drop the check in the next.',
  doInSql:
    "ALTER TABLE <table> ADD CONSTRAINT <name> CHECK (<column> IS NOT NULL) NOT VALID in one release, which shows what still writes NULL; ALTER TABLE <table> VALIDATE CONSTRAINT <name>, then SET NOT NULL and drop the check in the next.",
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
      .filter((change) => !isChecked(change, context))
      .map(({ origin, table, column }) => ({
        at: origin,
        object: `column ${shownName(table)}.${column}`,
        what: `The column "${column}" of "${shownName(table)}" becomes NOT NULL, and no check on it is validated before.`,
      })),
};

/**
 * A constraint of the table is validated before the change; of one that an older revision made, what it says is not known
 * here.
 */
function isChecked(change: OfKind<"changeNullable">, { upgrade }: RuleContext): boolean {
  const before = upgrade.slice(0, upgrade.indexOf(change));
  const made = only(upgrade, "addConstraint").filter(({ table }) => maybeSame(table, change.table));
  return only(before, "validateConstraint").some(
    ({ table, constraint: name }) =>
      maybeSame(table, change.table) &&
      made.every(({ constraint }) => constraint.name !== name || mayForbidNull(constraint, change.column)),
  );
}

function mayForbidNull({ kind, notNullColumn, columns }: NewConstraint, column: string): boolean {
  if (kind !== "check") return false;
  if (notNullColumn !== undefined) return notNullColumn === column;
  return columns.length === 0 || columns.includes(column);
}
