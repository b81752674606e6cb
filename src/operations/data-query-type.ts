import type { AlterTableCmd, ColumnDef } from "libpg-query";
import type { DataQuery } from "../model/rows";
import { mentionedIn, quoted, typeSql } from "./data-query-names";
import { type AskedTable, shown } from "./data-query-table";
import { typeOf } from "./names";

const lengthOf: Readonly<Record<string, (value: string, length: number) => string>> = {
  // Blanks that are too many at the end are cut silently (manual, 8.3).
  varchar: (value, length) => `length(rtrim(${value}::text, ' ')) > ${length}`,
  bpchar: (value, length) => `length(rtrim(${value}::text, ' ')) > ${length}`,
  varbit: (value, length) => `length(${value}) > ${length}`,
  bit: (value, length) => `length(${value}) <> ${length}`,
};

const rounding = new Set(["int2", "int4", "int8", "numeric", "date"]);

/** ALTER COLUMN … TYPE: values that are too long, that the cast does not take, or that it changes. */
export function changedTypeQueries(table: AskedTable, { name = "", def }: AlterTableCmd): DataQuery[] {
  if (def === undefined || !("ColumnDef" in def)) return [];
  const column = def.ColumnDef;
  const type = typeSql(column.typeName);
  const read = typeOf(column.typeName);
  const value = column.raw_default === undefined ? quoted(name) : using(table, column);
  if (type === undefined || read === undefined || value === undefined) return [];
  const found = mentionedIn(column.raw_default);
  const mentioned = { ...found, columns: [...found.columns, name] };
  const [length] = read.modifiers;
  const tooLong = read.array ? undefined : lengthOf[read.name];
  if (tooLong !== undefined) {
    // Without a length each value is one bit or character; varchar and varbit then take all.
    if (length === undefined) return [];
    return table.ask(
      mentioned,
      {
        words: `fails if a value of ${name} is longer than ${length}`,
        effect: "fails",
        sqlstate: read.name.endsWith("bit") ? "22026" : "22001",
      },
      (from) => `SELECT length(${value}) AS length FROM ${from} WHERE ${tooLong(value, length)} ${shown}`,
    );
  }
  const shownType = shortType(type);
  const cast = table.ask(
    mentioned,
    {
      words: `fails if a value of ${name} cannot become ${shownType}`,
      effect: "fails",
      sqlstate: read.name === "numeric" || /^int[248]$/.test(read.name) ? "22003" : "22P02",
    },
    // Never true: the server computes the cast of each row to know, and says which value it does not take.
    (from) => `SELECT 1 AS row FROM ${from} WHERE num_nulls(${value}::${type}) > 1 ${shown}`,
  );
  if (column.raw_default !== undefined || read.array || !rounding.has(read.name)) return cast;
  const changed = table.ask(
    mentioned,
    {
      words: `changes values of ${name} that ${shownType} rounds or cuts`,
      effect: "changes",
      sqlstate: undefined,
    },
    (from) => `SELECT ${value} FROM ${from} WHERE ${value} <> ${value}::${type} ${shown}`,
  );
  return [...cast, ...changed];
}

/** The expression after USING. */
function using({ text }: AskedTable, column: ColumnDef): string | undefined {
  const start = text.find("using", text.at(column.location) + 1);
  return start === undefined ? undefined : text.expression(start + 1, text.find(",", start) ?? text.end);
}

/** As people write it. */
function shortType(type: string): string {
  return type.replaceAll('"', "");
}
