import type { Constraint, IndexElem, IndexStmt, Node } from "libpg-query";
import type { DataQuery } from "../model/rows";
import { mentionedIn, quoted } from "./data-query-names";
import { type AskedTable, shown } from "./data-query-table";
import type { StatementText } from "./data-query-text";
import { partsOf } from "./names";

/** CREATE UNIQUE INDEX: expressions, predicate, NULLS NOT DISTINCT. */
export function uniqueIndexQueries(table: AskedTable, index: IndexStmt): DataQuery[] {
  const { text } = table;
  const elements = (index.indexParams ?? []).flatMap((node) => ("IndexElem" in node ? [node.IndexElem] : []));
  const open = text.find("(", text.at(table.relation?.location));
  if (open === undefined) return [];
  const parts = text.parts(open);
  const values = elements.map((element, at) => elementSql(text, element, parts[at]?.from ?? open));
  const where = index.whereClause === undefined ? undefined : text.find("where", text.closing(open) + 1);
  const predicate = where === undefined ? undefined : text.expression(where + 1, text.end);
  const named = elements.map(({ name }, at) => name ?? values[at] ?? "");
  return duplicates(table, {
    values,
    words: named.join(", "),
    mentioned: [
      ...elements.flatMap(nodesOf),
      ...(index.whereClause === undefined ? [] : [index.whereClause]),
    ],
    columns: elements.flatMap(({ name }) => name ?? []),
    predicate,
    nullsEqual: index.nulls_not_distinct === true,
  });
}

/** UNIQUE and PRIMARY KEY, of a table or of a new column. */
export function uniqueQueries(table: AskedTable, constraint: Constraint, column?: string): DataQuery[] {
  if (constraint.indexname !== undefined || constraint.without_overlaps === true) return [];
  const columns = column === undefined ? (constraint.keys ?? []).flatMap(partsOf) : [column];
  const isKey = constraint.contype === "CONSTR_PRIMARY";
  const unique = duplicates(table, {
    values: columns.map((name) => quoted(name)),
    words: columns.join(", "),
    mentioned: [],
    columns,
    predicate: undefined,
    nullsEqual: constraint.nulls_not_distinct === true,
  });
  return isKey ? [...columns.flatMap((name) => notNullQueries(table, name)), ...unique] : unique;
}

/** SET NOT NULL, a new column that is NOT NULL, a primary key's columns. */
export function notNullQueries(table: AskedTable, column: string): DataQuery[] {
  const value = quoted(column);
  const words = `fails if ${column} is NULL in any row`;
  const mentioned = { columns: [column], functions: [], hasQuery: false };
  return table.ask(
    mentioned,
    { words, effect: "fails", sqlstate: "23502" },
    (from) => `SELECT 1 AS row FROM ${from} WHERE ${value} IS NULL ${shown}`,
  );
}

interface Duplicates {
  readonly values: readonly (string | undefined)[];
  readonly words: string;
  readonly mentioned: readonly Node[];
  readonly columns: readonly string[];
  readonly predicate: string | undefined;
  readonly nullsEqual: boolean;
}

function duplicates(table: AskedTable, { values, words, nullsEqual, ...rest }: Duplicates): DataQuery[] {
  const known = values.flatMap((value) => value ?? []);
  if (known.length < values.length || known.length === 0) return [];
  const found = mentionedIn(...rest.mentioned);
  const filled = nullsEqual ? undefined : `num_nulls(${known.join(", ")}) = 0`;
  return table.ask(
    { ...found, columns: [...found.columns, ...rest.columns] },
    { words: `fails if two rows share ${words}`, effect: "fails", sqlstate: "23505" },
    (from) => {
      const where = whereOf(rest.predicate, filled);
      const groups = known.map((_, at) => at + 1).join(", ");
      return `SELECT ${known.join(", ")}, count(*) AS rows FROM ${from}${where} GROUP BY ${groups} HAVING count(*) > 1 ${shown}`;
    },
  );
}

/** An index computes its expressions only for the rows of its predicate. */
function whereOf(predicate: string | undefined, filled: string | undefined): string {
  if (predicate === undefined) return filled === undefined ? "" : ` WHERE ${filled}`;
  return ` WHERE ${filled === undefined ? predicate : `CASE WHEN ${predicate} THEN ${filled} ELSE false END`}`;
}

/** EXCLUDE: every pair of rows is compared, which is slow on a large table. */
export function exclusionQueries(table: AskedTable, constraint: Constraint): DataQuery[] {
  const { text } = table;
  const start = text.find("exclude", text.at(constraint.location));
  const open = start === undefined ? undefined : text.find("(", start);
  if (open === undefined) return [];
  const parts = text.parts(open);
  const pairs = (constraint.exclusions ?? []).map((node, at) => {
    const [element, operator] = "List" in node ? (node.List.items ?? []) : [];
    const names = operator === undefined ? [] : partsOf(operator);
    const isElement = element !== undefined && "IndexElem" in element;
    return {
      element: isElement ? element.IndexElem : undefined,
      value: isElement ? elementSql(text, element.IndexElem, parts[at]?.from ?? open) : undefined,
      operator: `OPERATOR(${[...names.slice(0, -1).map((name) => quoted(name)), names.at(-1)].join(".")})`,
    };
  });
  const elements = pairs.flatMap(({ element }) => element ?? []);
  const values = pairs.flatMap(({ value }) => value ?? []);
  const found = mentionedIn(...elements.flatMap(nodesOf), constraint.where_clause);
  const columns = [...found.columns, ...elements.flatMap(({ name }) => name ?? [])];
  if (values.length < pairs.length || values.length === 0) return [];
  if (columns.some((column) => table.isAdded(column))) return [];
  const where =
    constraint.where_clause === undefined ? undefined : text.find("where", text.closing(open) + 1);
  const predicate =
    where === undefined ? "" : ` WHERE ${text.expression(where + 2, text.closing(where + 1))}`;
  const words = `fails if two rows exclude each other by ${elements.map(({ name }, at) => name ?? values[at]).join(", ")}`;
  return table.ask({ ...found, columns }, { words, effect: "fails", sqlstate: "23P01" }, (from) => {
    const named = values.map((value, at) => `${value} AS value_${at + 1}`).join(", ");
    const rows = `(SELECT tableoid AS part, ctid AS place, ${named} FROM ${from}${predicate})`;
    const apart = "(a.part, a.place) < (b.part, b.place)";
    const conflicts = pairs.map(({ operator }, at) => `a.value_${at + 1} ${operator} b.value_${at + 1}`);
    const shownValues = values.map((_, at) => `a.value_${at + 1}`).join(", ");
    return `SELECT ${shownValues} FROM ${rows} a JOIN ${rows} b ON ${[apart, ...conflicts].join(" AND ")} ${shown}`;
  });
}

function nodesOf({ expr }: IndexElem): Node[] {
  return expr === undefined ? [] : [expr];
}

/** A column, or an expression, which is in brackets or a call; its collation decides what is equal. */
function elementSql(text: StatementText, element: IndexElem, from: number): string | undefined {
  const collation = (element.collation ?? []).flatMap(partsOf);
  const collate = (value: string): string =>
    collation.length === 0 ? value : `${value} COLLATE ${quoted(...collation)}`;
  if (element.name !== undefined) return collate(quoted(element.name));
  const open = text.is(from, "(") ? from : text.find("(", from);
  return open === undefined ? undefined : collate(text.cut(from, text.closing(open) + 1));
}
