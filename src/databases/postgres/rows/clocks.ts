import { type Client, escapeIdentifier } from "pg";
import { tryQuery, tryStatements } from "./savepoint";
import type { Column, Table } from "./shape";
import { nthValue } from "./values";

/** Types, and what of this transaction is the earliest that their clock can tell. */
const clocks: Readonly<Record<string, string>> = {
  timestamptz: "pg_catalog.now()",
  timestamp: "localtimestamp",
  date: "current_date",
};

/**
 * Puts a fixed time wherever a trigger wrote the clock's during this transaction, so that two fills are equal. Without
 * the right to switch triggers off, a table whose triggers look at updates keeps what it has.
 */
export async function settleClocks(client: Client, tables: readonly Table[]): Promise<void> {
  if (tables.every(({ triggers }) => triggers.length === 0)) return;
  const suspects = tables.flatMap((table) => {
    const columns = table.columns.filter(
      ({ type, generated }) => clocks[type.name] !== undefined && generated === undefined,
    );
    return columns.length === 0 ? [] : [{ table, columns }];
  });
  if (suspects.length === 0) return;
  const rows = await tryQuery<{ at: number }>(client, {
    text: suspects
      .map(
        ({ table, columns }, at) =>
          `select ${at} as at where exists (select from ${table.key} where ${columns.map(isFresh).join(" or ")})`,
      )
      .join(" union all "),
  });
  for (const { at } of rows ?? []) {
    const { table, columns } = suspects[at]!;
    const update = columns
      .map(
        (column) =>
          `update ${table.key} set ${escapeIdentifier(column.name)} = '${fixed(column)}' where ${isFresh(column)}`,
      )
      .join("; ");
    const answer = await tryStatements(
      client,
      `set local session_replication_role = replica; ${update}; set local session_replication_role = origin`,
    );
    if (!("rows" in answer) && !table.hasUpdateTrigger) await tryStatements(client, update);
  }
}

function isFresh(column: Column): string {
  const name = escapeIdentifier(column.name);
  return `${name} >= ${clocks[column.type.name]} and ${name} <= pg_catalog.clock_timestamp()`;
}

function fixed({ name, number, type }: Column): string {
  return nthValue(type, -1, 0, { salt: "", name, number, isKey: false })!;
}
