import { type Client, DatabaseError } from "pg";

const savepoint = "migration_gate_rows";

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
    const inserts = results.filter(({ command }) => command === "INSERT");
    return { rows: inserts.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0) };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await client.query(`rollback to savepoint ${savepoint}; release savepoint ${savepoint}`);
    return new Refusal(error);
  }
}

/** The rows of a query without parameters; undefined where the server refused it, with the open transaction as it was. */
export async function tryQuery<Row extends object>(
  client: Client,
  { text, ...rest }: { readonly text: string; readonly rowMode?: "array" },
): Promise<Row[] | undefined> {
  try {
    // Three statements in one message, and so three results, which the types do not know of.
    const results: unknown = await client.query({
      ...rest,
      text: `savepoint ${savepoint}; ${text}; release savepoint ${savepoint}`,
    });
    return (results as readonly { readonly rows: Row[] }[])[1]?.rows ?? [];
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await client.query(`rollback to savepoint ${savepoint}; release savepoint ${savepoint}`);
    return undefined;
  }
}
