import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const requireConcurrentIndexCreation: Rule = {
  severity: "warning",
  title: "Create an index on an existing table CONCURRENTLY.",
  why: "A plain CREATE INDEX holds SHARE on the table: every INSERT, UPDATE and DELETE waits until the index is built, and what is queued behind waits with them.",
  do: "Put the call into `with op.get_context().autocommit_block():` with postgresql_concurrently=True (SQL: CREATE INDEX CONCURRENTLY), alone in its revision. On a partitioned table PostgreSQL refuses that: CREATE INDEX <name> ON ONLY <table> (…), then for each partition CREATE INDEX CONCURRENTLY <name of its own> ON <partition> (…) and ALTER INDEX <name> ATTACH PARTITION <name of its own>.",
  doInSql:
    "CREATE INDEX CONCURRENTLY, alone in a file that begins with -- no-transaction. On a partitioned table PostgreSQL refuses that: CREATE INDEX <name> ON ONLY <table> (…), then for each partition CREATE INDEX CONCURRENTLY <name of its own> ON <partition> (…) and ALTER INDEX <name> ATTACH PARTITION <name of its own>.",
  aliases: [
    "squawk/require-concurrent-index-creation",
    "strong_migrations/add_index",
    "eugene/E6",
    "atlas/PG101",
  ],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.create_index("users_email", "users", ["email"])`,
      downgrade: `op.drop_index("users_email")`,
    },
    good: {
      upgrade: `with op.get_context().autocommit_block():
    op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)`,
      downgrade: `with op.get_context().autocommit_block():
    op.drop_index("users_email", postgresql_concurrently=True)`,
    },
  },
  check: ({ operations }) =>
    only(operations, "createIndex")
      .filter(({ concurrently, parentOnly }) => !concurrently && parentOnly !== true)
      .map(({ origin, index, table }) => ({
        at: origin,
        object: `index ${index ?? `on ${shownName(table)}`}`,
        what: `${index === undefined ? "An index" : `The index "${index}"`} on "${shownName(table)}" is created without CONCURRENTLY: writes wait while it is built.`,
      })),
};
