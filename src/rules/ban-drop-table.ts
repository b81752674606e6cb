import { shownName } from "../operations/names";
import { only, type Rule, usersTable } from "./rule";

export const banDropTable: Rule = {
  severity: "error",
  title: "Do not drop a table that a running release may still use.",
  why: "Until the last old process has ended, each of its statements on the table fails; the rows are gone, and a downgrade cannot bring them back.",
  do: "Release a version that no longer uses the table first. Then drop it, and say so above the call: # migration-gate: allow ban-drop-table because <since which release it is unused>",
  aliases: ["squawk/ban-drop-table", "atlas/DS102"],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.drop_table("users")`,
      downgrade: `op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(100)),
    sa.Column("visits", sa.Integer),
)`,
    },
    good: {
      upgrade: `op.execute("COMMENT ON TABLE users IS 'unused since v1.8'")`,
      downgrade: `op.execute("COMMENT ON TABLE users IS NULL")`,
    },
  },
  check: ({ operations }) =>
    only(operations, "dropTable").map(({ origin, table }) => ({
      at: origin,
      object: `table ${shownName(table)}`,
      what: `The table "${shownName(table)}" is dropped.`,
    })),
};
