import type { Change } from "../../../model/operation";
import { type CallValue, lastName, tableOf, type Value } from "./values";

/** What a call runs: SQL text, and where it stands in the file if it does so letter by letter; or known changes. */
export type Executed =
  | { readonly kind: "text"; readonly sql: string; readonly offset: number | undefined }
  | { readonly kind: "changes"; readonly changes: readonly Change[] };

const runs = /^(?:execute|exec_driver_sql|scalar|scalars|executemany)$/;
const runsOnly = /^(?:execute|exec_driver_sql)$/;

/** What `op.execute(…)`, `bind.execute(…)` and the like run; undefined for another call. */
export function executedBy(call: CallValue): Executed | undefined {
  const name = lastName(call.name);
  if (!runs.test(name)) return undefined;
  const statement = call.positional[0] ?? call.keywords.get("sqltext") ?? call.keywords.get("statement");
  if (statement === undefined) return undefined;
  const text = sqlOf(statement);
  if (text?.kind === "constant" && typeof text.value === "string") {
    const sql = name === "exec_driver_sql" ? text.value : withoutParameters(text.value);
    return { kind: "text", sql, offset: text.offset };
  }
  const built = builtStatement(statement);
  if (built !== undefined) return { kind: "changes", changes: built };
  // `cursor.execute(x)` of something else than a database is not held against the file.
  if (!runsOnly.test(name)) return undefined;
  const reason = `the SQL that ${name}() runs is put together when it runs`;
  return { kind: "changes", changes: [{ kind: "unknown", reason }] };
}

/** `"…"`, `sa.text("…")`, `sa.text("…").bindparams(…)`, `sa.DDL("…")`. */
function sqlOf(value: Value): Value | undefined {
  if (value.kind === "constant") return value;
  if (value.kind !== "call") return undefined;
  const name = lastName(value.name);
  if (name === "text" || name === "DDL")
    return value.positional[0] === undefined ? undefined : sqlOf(value.positional[0]);
  return value.receiver !== undefined && /^(?:bindparams|execution_options|columns)$/.test(name)
    ? sqlOf(value.receiver)
    : undefined;
}

/** SQLAlchemy's `:name`, which is no SQL (TextClause's own pattern), as a parameter of the same length. */
function withoutParameters(sql: string): string {
  return sql
    .replace(/(?<![:\w\\]):(\w+)(?!:)/g, (whole) => "$1".padEnd(whole.length))
    .replaceAll("\\:", " :");
}

/** Statements that SQLAlchemy's own constructs make: `table.update().where(…)`, `sa.insert(table)`. */
function builtStatement(value: Value): Change[] | undefined {
  const chain = chainOf(value);
  const start = chain.find((call) => /^(?:update|delete|insert|select|exists)$/.test(lastName(call.name)));
  if (start === undefined) return undefined;
  const verb = lastName(start.name);
  if (verb === "select" || verb === "exists") return [{ kind: "noTrace", sql: "SELECT" }];
  const limited =
    verb === "insert" || chain.some((call) => /^(?:where|filter|filter_by|limit)$/.test(lastName(call.name)));
  const table = tableOf(start.receiver) ?? tableOf(start.positional[0]);
  if (verb !== "update" && verb !== "delete" && verb !== "insert") return undefined;
  return [{ kind: "dataChange", verb, table, limited }];
}

/** `a().b().c()`: the calls from the last to the first. */
function chainOf(value: Value): CallValue[] {
  const calls: CallValue[] = [];
  for (let next: Value | undefined = value; next?.kind === "call"; next = next.receiver) calls.push(next);
  return calls;
}
