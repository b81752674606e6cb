import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const requireConcurrentIndexDeletion: Rule = {
  severity: "warning",
  title: "Drop an index CONCURRENTLY.",
  why: "A plain DROP INDEX takes ACCESS EXCLUSIVE on the table: it waits for every statement that runs there, and all others wait behind it.",
  do: "Put the call into `with op.get_context().autocommit_block():` with postgresql_concurrently=True (SQL: DROP INDEX CONCURRENTLY), alone in its revision. PostgreSQL refuses that for the index of a partitioned table, and the indexes of its partitions cannot go alone: drop it plainly after op.execute(\"SET LOCAL lock_timeout = '2s'\"), and say so above the call: # migration-gate: allow require-concurrent-index-deletion because <table> is partitioned",
  doInSql:
    "DROP INDEX CONCURRENTLY, alone in a file that begins with -- no-transaction. PostgreSQL refuses that for the index of a partitioned table, and the indexes of its partitions cannot go alone: drop it plainly after SET LOCAL lock_timeout = '2s', and say so above it: -- migration-gate: allow require-concurrent-index-deletion because <it is of a partitioned table>",
  aliases: ["squawk/require-concurrent-index-deletion", "strong_migrations/remove_index", "atlas/PG102"],
  examples: {
    given: {
      upgrade: `${usersTable.upgrade}
op.create_index("users_email", "users", ["email"])`,
      downgrade: usersTable.downgrade,
    },
    bad: {
      upgrade: `op.drop_index("users_email")`,
      downgrade: `op.create_index("users_email", "users", ["email"])`,
    },
    good: {
      upgrade: `with op.get_context().autocommit_block():
    op.drop_index("users_email", postgresql_concurrently=True)`,
      downgrade: `with op.get_context().autocommit_block():
    op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)`,
    },
  },
  check: ({ operations }) =>
    only(operations, "dropIndex")
      .filter(({ concurrently }) => !concurrently)
      .map(({ origin, index }) => ({
        at: origin,
        object: `index ${shownName(index)}`,
        what: `The index "${shownName(index)}" is dropped without CONCURRENTLY: reads and writes of its table wait.`,
      })),
};
