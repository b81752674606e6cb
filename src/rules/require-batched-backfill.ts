import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const requireBatchedBackfill: Rule = {
  severity: "warning",
  title: "Do not change every row of a table in one statement.",
  why: "The rows stay locked, and what the same transaction did to the schema holds its locks, until the last row is written; the table doubles in size.",
  do: "Change a range of keys at a time, each in a transaction of its own (with op.get_context().autocommit_block():), or outside of the deploy.",
  doInSql:
    "Change a range of keys at a time, each in a transaction of its own: a procedure that COMMITs, called from a file that begins with -- no-transaction, or a job outside of the deploy.",
  aliases: ["strong_migrations/backfill", "safemigrate/backfill"],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.execute("UPDATE users SET visits = 0")`,
      downgrade: `pass  # migration-gate: irreversible because the counts are not kept`,
    },
    good: {
      upgrade: `with op.get_context().autocommit_block():
    for first in range(0, 3000, 1000):
        op.execute(f"UPDATE users SET visits = 0 WHERE id >= {first} AND id < {first + 1000}")`,
      downgrade: `pass  # migration-gate: irreversible because the counts are not kept`,
    },
  },
  check: ({ operations }) =>
    only(operations, "dataChange")
      .filter(({ verb, limited }) => (verb === "update" || verb === "delete") && !limited)
      .map(({ origin, verb, table }) => ({
        at: origin,
        object: table === undefined ? undefined : `table ${shownName(table)}`,
        what: `One ${verb.toUpperCase()} changes every row of ${table === undefined ? "a table" : `"${shownName(table)}"`}: no WHERE leaves any out.`,
      })),
};
