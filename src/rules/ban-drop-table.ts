import type { Operation } from "../model/operation";
import { shownName } from "../operations/names";
import { type Objection, type Rule, usersTable } from "./rule";

export const banDropTable: Rule = {
  severity: "error",
  title: "Do not drop or empty a table that a running release may still use.",
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
  check: ({ operations }) => operations.flatMap(objection),
};

function objection(operation: Operation): Objection[] {
  const { origin: at } = operation;
  if (operation.kind === "dropTable") {
    const name = shownName(operation.table);
    return [{ at, object: `table ${name}`, what: `The table "${name}" is dropped.` }];
  }
  if (operation.kind === "dropSchema") {
    const { schema } = operation;
    return [
      {
        at,
        object: `schema ${schema}`,
        what: `The schema "${schema}" is dropped with all the tables in it.`,
        do: "Drop its tables by their names, each once no release uses it, then the schema without CASCADE.",
      },
    ];
  }
  if (operation.kind !== "dataChange" || operation.verb !== "truncate") return [];
  const name = operation.table === undefined ? undefined : shownName(operation.table);
  return [
    {
      at,
      object: name === undefined ? undefined : `table ${name}`,
      what: `TRUNCATE empties ${name === undefined ? "a table" : `the table "${name}"`} under ACCESS EXCLUSIVE.`,
      do: "Keep the rows, or say above the call why they may go: # migration-gate: allow ban-drop-table because <why nobody needs them>",
    },
  ];
}
