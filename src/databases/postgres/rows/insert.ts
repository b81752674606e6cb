import { type Client, DatabaseError, escapeIdentifier, escapeLiteral } from "pg";
import type { Row } from "./build-row";
import type { Table } from "./shape";

const savepoint = "migration_gate_row";

/** The error of the server that refused a row. */
export class Refusal {
  readonly code: string;
  readonly constraint: string | undefined;
  readonly column: string | undefined;
  readonly table: string | undefined;
  readonly schema: string | undefined;
  readonly type: string | undefined;
  readonly message: string;

  constructor({ code, constraint, column, table, schema, dataType, message }: Partial<DatabaseError>) {
    this.code = code ?? "";
    this.constraint = constraint;
    this.column = column;
    this.table = table;
    this.schema = schema;
    this.type = dataType;
    this.message = message ?? "";
  }
}

/** Rows by the server's count, which a trigger or a rule can make smaller; or why none went in. */
export type Answer = { readonly rows: number } | Refusal;

/** Runs statements so that all or none of them stay; the open transaction goes on either way. */
export async function tryStatements(client: Client, statements: string): Promise<Answer> {
  try {
    const results = (await client.query(
      `savepoint ${savepoint}; ${statements}; release savepoint ${savepoint}`,
    )) as unknown as readonly { readonly command: string; readonly rowCount: number | null }[];
    return { rows: results.findLast(({ command }) => command === "INSERT")?.rowCount ?? 0 };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await client.query(`rollback to savepoint ${savepoint}; release savepoint ${savepoint}`);
    return new Refusal(error);
  }
}

/** One INSERT of all these rows; a column that only some of them have takes its default in the others. */
export function insertStatement(table: Table, rows: readonly Row[]): string {
  const names = table.columns.map(({ name }) => name).filter((name) => rows.some((row) => row.has(name)));
  if (names.length === 0) return rows.map(() => `insert into ${table.key} default values`).join("; ");
  const written = (value: string | null | undefined) =>
    value === undefined ? "default" : value === null ? "null" : escapeLiteral(value);
  const lists = rows.map((row) => `(${names.map((name) => written(row.get(name))).join(", ")})`);
  return `insert into ${table.key} (${names.map(escapeIdentifier).join(", ")}) overriding system value values ${lists.join(", ")}`;
}

/** One statement for a row each of several tables: foreign keys are looked at when all of them are there. */
export function insertTogether(rows: readonly { readonly table: Table; readonly row: Row }[]): string {
  const inserts = rows.map(({ table, row }) => insertStatement(table, [row]));
  const last = inserts.pop()!;
  if (inserts.length === 0) return last;
  return `with ${inserts.map((text, index) => `row${index} as (${text})`).join(", ")} ${last}`;
}
