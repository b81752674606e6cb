import type { Change } from "../../../model/operation";
import { readSql } from "../../../operations/read-sql";
import { tableOf } from "./calls";
import { lastName } from "./columns";
import type { CallValue, Value } from "./values";

/** A change that SQL text makes, and where that text stands in the file if it does so letter by letter. */
export interface ExecutedChange {
  readonly change: Change;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** A comment in SQL text, and the statement that it speaks of, as offsets in the file. */
export interface SqlComment {
  readonly text: string;
  readonly from: number | undefined;
  readonly covers: { readonly from: number; readonly to: number } | undefined;
}

export interface Executed {
  readonly changes: readonly ExecutedChange[];
  readonly comments: readonly SqlComment[];
}

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
    return fromText(name === "exec_driver_sql" ? text.value : withoutParameters(text.value), text.offset);
  }
  const built = builtStatement(statement);
  if (built !== undefined)
    return { changes: built.map((change) => ({ change, from: undefined, to: undefined })), comments: [] };
  // `cursor.execute(x)` of something else than a database is not held against the file.
  if (!runsOnly.test(name)) return undefined;
  const reason = `the SQL that ${name}() runs is put together when it runs`;
  return { changes: [{ change: { kind: "unknown", reason }, from: undefined, to: undefined }], comments: [] };
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

function fromText(sql: string, offset: number | undefined): Executed {
  const reading = readSql(sql);
  const at = (position: number): number | undefined => (offset === undefined ? undefined : offset + position);
  return {
    changes: reading.changes.map(({ change, from, to }) => ({ change, from: at(from), to: at(to) })),
    comments: reading.comments.map(({ from, to }) => ({
      text: sql.slice(from, to),
      from: at(from),
      covers: offset === undefined ? undefined : covered(sql, from, to, reading.statements, offset),
    })),
  };
}

/** The statement that the comment is in or ends the line of, else the one that follows it. */
function covered(
  sql: string,
  from: number,
  to: number,
  statements: readonly { readonly from: number; readonly to: number }[],
  offset: number,
): { from: number; to: number } | undefined {
  const sameLine = statements.findLast(
    (statement) => statement.from < from && !sql.slice(Math.min(statement.to, from), from).includes("\n"),
  );
  const found = sameLine ?? statements.find((statement) => statement.from >= to);
  return found === undefined ? undefined : { from: offset + found.from, to: offset + found.to };
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
