import type { Client } from "pg";
import { cut } from "../evidence/row-examples";
import { isSecretColumn } from "../evidence/secret-columns";
import type { RecordedStatement } from "../model/statement";
import { dataQueries, type KnownObjects } from "../operations/data-query";

/** Columns of a row that are shown: its key, then the first others. */
const mostColumns = 5;

/**
 * A row that made this statement fail, e.g. `id = 3, email = NULL`, where the server's error names none (SET NOT NULL, a CHECK on
 * rows that are there): the first that the question for production finds. The database is as it was before the statement.
 */
export async function failingRow(
  client: Client,
  statement: RecordedStatement | undefined,
  known: KnownObjects,
): Promise<string | undefined> {
  const error = statement?.error;
  if (statement === undefined || error === undefined || error.detail !== undefined) return undefined;
  const query = dataQueries(statement.sql, known).find(
    ({ sql, sqlstate }) => sqlstate === error.sqlstate && sql.startsWith(anyRow) && sql.includes(" WHERE "),
  );
  if (query === undefined) return undefined;
  const row = await firstRow(client, `SELECT * FROM${query.sql.slice(anyRow.length)}`);
  if (row === undefined) return undefined;
  const key =
    error.table === undefined ? undefined : known.primaryKeyOf?.({ schema: undefined, name: error.table });
  const told = error.column === undefined ? [] : [error.column];
  return [...new Set([...(key ?? []), ...told, ...Object.keys(row)])]
    .filter((name) => name in row && !isSecretColumn(name))
    .slice(0, mostColumns)
    .map((name) => `${name} = ${cut(row[name] ?? "NULL")}`)
    .join(", ");
}

/** How a question begins that no value explains; one without a condition asks for any row. */
const anyRow = "SELECT 1 AS row FROM";

/** By the server's own texts of its values. What it cannot answer as the database is tells nothing. */
async function firstRow(
  client: Client,
  sql: string,
): Promise<Readonly<Record<string, string | null>> | undefined> {
  try {
    await client.query("begin read only");
    // The session reads the catalog under a path of its own.
    await client.query("set local search_path to default; set local statement_timeout = '2s'");
    const { rows } = await client.query({ text: sql, types: { getTypeParser: () => String } });
    return rows[0] as Readonly<Record<string, string | null>> | undefined;
  } catch {
    return undefined;
  } finally {
    await client.query("rollback");
  }
}
