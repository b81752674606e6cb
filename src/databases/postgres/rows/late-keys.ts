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
  const pairs = key.columns.map((name, index) => ({
    own: escapeIdentifier(name),
    parent: `p.${escapeIdentifier(key.parentColumns[index]!)}`,
    isOpen: table.columns.some((column) => column.name === name && !column.isRequired),
  }));
  const open = pairs.filter(({ isOpen }) => isOpen);
  const fixed = pairs.filter(({ isOpen }) => !isOpen).map(({ own, parent }) => ` and ${parent} = u.${own}`);
  const parents = pairs.map(({ parent }) => parent).join(", ");
  const from = `from ${key.parent} as p where pg_catalog.num_nulls(${parents}) = 0${fixed.join("")}`;
  const target = `${table.isPartitioned ? "" : "only "}${table.key} as u`;
  const rows = await tryQuery<Place>(client, {
    text: `select ctid::text as place, tableoid::text as relation from ${target}
     where ${open.map(({ own }) => `u.${own} is null`).join(" and ")} and ${ofThisTransaction}
     order by tableoid::pg_catalog.regclass::text collate "C", ctid limit 50`,
  });
  const update = ({ place, relation }: Place, at: number) =>
    `update ${target} set (${open.map(({ own }) => own).join(", ")}) = (select ${open.map(({ parent }) => parent).join(", ")} ${from}
      order by ${parents} offset ${at} % (select greatest(pg_catalog.count(*), 1) ${from}) limit 1)
     where u.ctid = '${place}' and u.tableoid = ${relation} and exists (select ${from})`;
  const updates = (rows ?? []).slice(keepsOneNull ? 1 : 0).map(update);
  if (updates.length === 0 || "rows" in (await tryStatements(client, updates.join("; ")))) return;
  for (const one of updates) await tryStatements(client, one);
}

interface Place {
  readonly place: string;
  readonly relation: string;
}
