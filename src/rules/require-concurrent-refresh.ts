import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const requireConcurrentRefresh: Rule = {
  severity: "warning",
  title: "Refresh a materialized view CONCURRENTLY.",
  why: "A plain REFRESH takes ACCESS EXCLUSIVE on the view: all its readers wait until the query behind it has run.",
  do: "REFRESH MATERIALIZED VIEW CONCURRENTLY <view>, which needs a unique index on the view; better outside of the deploy.",
  aliases: ["squawk/require-concurrent-refresh"],
  examples: {
    given: {
      upgrade: `${usersTable.upgrade}
op.execute("CREATE MATERIALIZED VIEW totals AS SELECT id, visits FROM users")
op.execute("CREATE UNIQUE INDEX totals_id ON totals (id)")`,
      downgrade: `op.execute("DROP MATERIALIZED VIEW totals")
op.drop_table("users")`,
    },
    bad: {
      upgrade: `op.execute("REFRESH MATERIALIZED VIEW totals")`,
      downgrade: "pass",
    },
    good: {
      upgrade: `op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")`,
      downgrade: "pass",
    },
  },
  check: ({ operations }) =>
    only(operations, "refreshView")
      .filter(({ concurrently }) => !concurrently)
      .map(({ origin, view }) => ({
        at: origin,
        object: `materialized view ${shownName(view)}`,
        what: `The materialized view "${shownName(view)}" is refreshed without CONCURRENTLY: its readers wait.`,
      })),
};
