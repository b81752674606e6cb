import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

const words = { foreignKey: "foreign key", check: "check" } as const;

export const requireNotValidConstraint: Rule = {
  severity: "warning",
  title: "Add a foreign key or a check NOT VALID, and validate it later.",
  why: "The server reads the whole table while it holds a lock that writes wait for (of a check also reads; of a foreign key writes to both tables). VALIDATE CONSTRAINT reads it with a lock that nobody waits for.",
  do: 'Add postgresql_not_valid=True to the call (SQL: NOT VALID), and in a later revision op.execute("ALTER TABLE <table> VALIDATE CONSTRAINT <name>").',
  doInSql: "Add NOT VALID, and in a later migration ALTER TABLE <table> VALIDATE CONSTRAINT <name>.",
  aliases: [
    "squawk/constraint-missing-not-valid",
    "squawk/adding-foreign-key-constraint",
    "strong_migrations/add_foreign_key",
    "eugene/E1",
  ],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.create_check_constraint("visits_positive", "users", "visits >= 0")`,
      downgrade: `op.drop_constraint("visits_positive", "users", type_="check")`,
    },
    good: {
      upgrade: `op.create_check_constraint("visits_positive", "users", "visits >= 0", postgresql_not_valid=True)`,
      downgrade: `op.drop_constraint("visits_positive", "users", type_="check")`,
    },
  },
  check: ({ operations }) =>
    only(operations, "addConstraint").flatMap(({ origin, table, constraint }) => {
      const { kind, name, notValid, trivial } = constraint;
      if ((kind !== "foreignKey" && kind !== "check") || notValid || trivial) return [];
      const title =
        name === undefined
          ? `A ${words[kind]} on (${constraint.columns.join(", ")})`
          : `The ${words[kind]} "${name}"`;
      return [
        {
          at: origin,
          object: `constraint ${shownName(table)}.${name ?? constraint.columns.join("_")}`,
          what: `${title} of "${shownName(table)}" is added without NOT VALID: all rows are read under its lock.`,
        },
      ];
    }),
};
