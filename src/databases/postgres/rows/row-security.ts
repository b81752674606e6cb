import type { Client } from "pg";
import { tryStatements } from "./savepoint";
import type { DatabaseShape } from "./shape";

/**
 * Does the work while FORCE ROW LEVEL SECURITY is off, where it would bind this session: an owner may take it off, and
 * within one transaction nobody sees it. A role that is not the owner stays bound.
 */
export async function withOpenRowSecurity<T>(
  client: Client,
  { tables, bypassesRowSecurity }: DatabaseShape,
  work: () => Promise<T>,
): Promise<T> {
  const forced = bypassesRowSecurity ? [] : tables.filter(({ isRowSecurityForced }) => isRowSecurityForced);
  const opened: string[] = [];
  for (const { key } of forced) {
    const answer = await tryStatements(client, `alter table ${key} no force row level security`);
    if ("rows" in answer) opened.push(key);
  }
  const result = await work();
  for (const key of opened) await client.query(`alter table ${key} force row level security`);
  return result;
}
