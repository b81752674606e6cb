import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

const words = { unique: "unique constraint", primaryKey: "primary key" } as const;

export const requireConstraintUsingIndex: Rule = {
  severity: "warning",
  title: "Add a unique constraint or a primary key USING INDEX.",
  why: "The server builds the index under ACCESS EXCLUSIVE: all reads and writes of the table wait until it is done.",
  do: 'Build it first, in `with op.get_context().autocommit_block():`, by op.create_index("<name>", "<table>", […], unique=True, postgresql_concurrently=True); then op.execute("ALTER TABLE <table> ADD CONSTRAINT <name> UNIQUE USING INDEX <name>").',
  doInSql:
    "CREATE UNIQUE INDEX CONCURRENTLY <name> ON <table> (…) first, alone in a file that begins with -- no-transaction; then ALTER TABLE <table> ADD CONSTRAINT <name> UNIQUE USING INDEX <name>.",
  aliases: [
    "squawk/disallowed-unique-constraint",
    "squawk/adding-serial-primary-key-field",
    "eugene/E7",
    "atlas/PG104",
  ],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.create_unique_constraint("users_email", "users", ["email"])`,
      downgrade: `op.drop_constraint("users_email", "users", type_="unique")`,
    },
    good: {
      upgrade: `with op.get_context().autocommit_block():
    op.create_index("users_email", "users", ["email"], unique=True, postgresql_concurrently=True)
op.execute("ALTER TABLE users ADD CONSTRAINT users_email UNIQUE USING INDEX users_email")`,
      downgrade: `op.drop_constraint("users_email", "users", type_="unique")`,
    },
  },
  check: ({ operations }) =>
    only(operations, "addConstraint").flatMap(({ origin, table, constraint }) => {
      const { kind, name, usingIndex } = constraint;
      if ((kind !== "unique" && kind !== "primaryKey") || usingIndex) return [];
      const title =
        name === undefined
          ? `A ${words[kind]} on (${constraint.columns.join(", ")})`
          : `The ${words[kind]} "${name}"`;
      return [
        {
          at: origin,
          object: `constraint ${shownName(table)}.${name ?? constraint.columns.join("_")}`,
          what: `${title} of "${shownName(table)}" builds its index under ACCESS EXCLUSIVE.`,
        },
      ];
    }),
};
