import { type Client, escapeIdentifier } from "pg";
import { tryQuery, tryStatements } from "./savepoint";
import type { ForeignKey, Table } from "./shape";

/** Savepoints have ids of their own, and get them later than their transaction. */
const ofThisTransaction =
  "u.xmin::pg_catalog.text::pg_catalog.int8 >= pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 % 4294967296";

/**
 * Sets keys that had to stay NULL because their parents came later: row by row, each to another parent; the first one
 * keeps its NULL in the hostile tier. What is refused (a CHECK that ties the key to another column) stays NULL.
 */
export async function setLateKeys(
  client: Client,
  { table, key }: { readonly table: Table; readonly key: ForeignKey },
  { keepsOneNull }: { readonly keepsOneNull: boolean },
): Promise<void> {
  const nullable = key.columns.filter((name) =>
    table.columns.some((column) => column.name === name && !column.isRequired),
  );
  const pairs = key.columns.map((name, index) => ({
    own: escapeIdentifier(name),
    parent: escapeIdentifier(key.parentColumns[index]!),
    isSet: nullable.includes(name),
  }));
  const target = table.isPartitioned ? table.key : `only ${table.key}`;
  const fixed = pairs
    .filter(({ isSet }) => !isSet)
    .map(({ own, parent }) => ` and p.${parent} = u.${own}`)
    .join("");
  const rows = await tryQuery<{ place: string; relation: string }>(client, {
    text: `select ctid::text as place, tableoid::text as relation from ${target} as u
     where ${pairs
       .filter(({ isSet }) => isSet)
       .map(({ own }) => `u.${own} is null`)
       .join(" and ")} and ${ofThisTransaction}
     order by tableoid::pg_catalog.regclass::text collate "C", ctid limit 50`,
  });
  const open = (rows ?? []).slice(keepsOneNull ? 1 : 0);
  const update = ({ place, relation }: { place: string; relation: string }, at: number) =>
    `update ${target} as u set ${pairs
      .filter(({ isSet }) => isSet)
      .map(({ own, parent }) => `${own} = p.${parent}`)
      .join(
        ", ",
      )} from (select p.*, pg_catalog.row_number() over (order by ${pairs.map(({ parent }) => `p.${parent}`).join(", ")}) as "migration gate row",
       pg_catalog.count(*) over () as "migration gate rows" from ${key.parent} as p) as p
     where u.ctid = '${place}' and u.tableoid = ${relation}${fixed} and p."migration gate row" = 1 + ${at} % p."migration gate rows"`;
  const all = await tryStatements(client, open.map(update).join("; ") || "select 1");
  if ("rows" in all) return;
  for (const [at, row] of open.entries()) await tryStatements(client, update(row, at));
}
