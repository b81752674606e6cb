import { escapeIdentifier, escapeLiteral } from "pg";
import type { Row } from "./build-row";
import type { Table } from "./shape";

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

/** Fails where a row of the table has a key without a parent, which triggers that are off let pass. */
export function verifyKeys({ key: child, foreignKeys }: Table): string {
  const orphans = foreignKeys.map(({ columns, parent, parentColumns }) => {
    const own = columns.map((name) => `c.${escapeIdentifier(name)}`);
    const same = parentColumns.map((name, at) => `p.${escapeIdentifier(name)} = ${own[at]}`);
    return `exists (select from ${child} as c where pg_catalog.num_nulls(${own.join(", ")}) = 0
      and not exists (select from ${parent} as p where ${same.join(" and ")}))`;
  });
  return orphans.length === 0 ? "" : `; select 1 / (case when ${orphans.join(" or ")} then 0 else 1 end)`;
}
