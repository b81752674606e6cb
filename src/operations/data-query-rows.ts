import type { Constraint } from "libpg-query";
import type { QualifiedName } from "../model/operation";
import type { DataQuery } from "../model/rows";
import { mentionedIn, quoted, quotedTable } from "./data-query-names";
import { type AskedTable, shown } from "./data-query-table";
import { nameOf, partsOf } from "./names";

export function checkQueries(table: AskedTable, constraint: Constraint): DataQuery[] {
  const { text } = table;
  const start = text.find("check", text.at(constraint.location));
  if (start === undefined) return [];
  const condition = text.expression(start + 2, text.closing(start + 1));
  const name = constraint.conname === undefined ? "the CHECK" : `the CHECK ${constraint.conname}`;
  return table.ask(
    mentionedIn(constraint.raw_expr),
    {
      words: `fails if any row breaks ${name}`,
      effect: "fails",
      sqlstate: "23514",
      only: constraint.is_no_inherit === true,
    },
    (from) => `SELECT 1 AS row FROM ${from} WHERE NOT ${condition} ${shown}`,
  );
}

/** Where the statement does not name the parent's columns, `primaryKeyOf` does, or else the query looks it up itself. */
export function foreignKeyQueries(
  table: AskedTable,
  constraint: Constraint,
  primaryKeyOf: (table: QualifiedName) => readonly string[] | undefined,
  column?: string,
): DataQuery[] {
  if (constraint.fk_with_period === true) return [];
  const columns = column === undefined ? (constraint.fk_attrs ?? []).flatMap(partsOf) : [column];
  const parent = nameOf(constraint.pktable);
  const written = (constraint.pk_attrs ?? []).flatMap(partsOf);
  const keys = written.length > 0 ? written : primaryKeyOf(parent);
  const values = columns.map((name) => `c.${quoted(name)}`);
  const parentName = quotedTable(parent);
  const missing =
    keys === undefined || keys.length !== columns.length
      ? `NOT EXISTS (SELECT FROM ${keyTexts(parentName)} p WHERE p.key = ARRAY[${values.map((value) => `${value}::text`).join(", ")}])`
      : `NOT EXISTS (SELECT FROM ${parentName} p WHERE ${keys.map((key, at) => `p.${quoted(key)} = ${values[at]}`).join(" AND ")})`;
  const orphan = `num_nulls(${values.join(", ")}) = 0 AND ${missing}`;
  const half = `num_nulls(${values.join(", ")}) BETWEEN 1 AND ${values.length - 1}`;
  const isFull = constraint.fk_matchtype === "f" && values.length > 1;
  return table.ask(
    { columns, functions: [], hasQuery: false },
    {
      words: `fails if ${columns.join(", ")} points at a row that ${parent.name} does not have`,
      effect: "fails",
      sqlstate: "23503",
      alias: "c",
    },
    (from) =>
      `SELECT ${values.join(", ")} FROM ${from} WHERE ${isFull ? `${half} OR ${orphan}` : orphan} ${shown}`,
  );
}

/** The primary keys of a table's rows as text; which columns they are, the server says. */
function keyTexts(parent: string): string {
  const literal = `'${parent.replaceAll("'", "''")}'::regclass`;
  const names = `(SELECT array_agg(a.attname::text ORDER BY k.place) AS names FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE i.indrelid = ${literal} AND i.indisprimary AND k.place <= i.indnkeyatts) n`;
  return `(SELECT ARRAY(SELECT to_jsonb(p) ->> u.name FROM unnest(n.names) WITH ORDINALITY AS u(name, place) ORDER BY u.place) AS key FROM ${parent} p CROSS JOIN ${names})`;
}

/** DROP COLUMN: how many values go with it. A new column of that name is another one. */
export function droppedColumnQueries(table: AskedTable, column: string): DataQuery[] {
  const value = quoted(column);
  return table.ask(
    { columns: [], functions: [], hasQuery: false },
    { words: `loses the values of ${column}`, effect: "loses", sqlstate: undefined },
    (from) => `SELECT count(${value}) AS lost FROM ${from} HAVING count(${value}) > 0`,
  );
}

/** DROP TABLE and TRUNCATE. */
export function droppedRowsQueries(table: QualifiedName): DataQuery[] {
  const sql = `SELECT count(*) AS lost FROM ${quotedTable(table)} HAVING count(*) > 0`;
  return [
    { words: `loses the rows of ${table.name}`, effect: "loses", sql, sqlstate: undefined, functions: [] },
  ];
}
