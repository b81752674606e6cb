import { type AlterTableCmd, type AlterTableStmt, type Constraint, type Node, parseSync } from "libpg-query";
import type { QualifiedName } from "../model/operation";
import type { DataQuery } from "../model/rows";
import { columnOf } from "./column";
import { exclusionQueries, notNullQueries, uniqueIndexQueries, uniqueQueries } from "./data-query-index";
import { quoted, quotedTable } from "./data-query-names";
import { checkQueries, droppedColumnQueries, droppedRowsQueries, foreignKeyQueries } from "./data-query-rows";
import { AskedTable } from "./data-query-table";
import { StatementText } from "./data-query-text";
import { changedTypeQueries } from "./data-query-type";
import { nameOf, partsOf, qualified } from "./names";
import { blockTexts } from "./read-sql";
import { splitSql } from "./split";

/** What the text does not say and a catalog knows. */
export interface KnownObjects {
  /** In the key's order. */
  readonly primaryKeyOf?: (table: QualifiedName) => readonly string[] | undefined;
  /** As `pg_get_constraintdef` prints it. */
  readonly constraintOf?: (table: QualifiedName, constraint: string) => string | undefined;
}

/** Larger ones are data that somebody generated. */
const largestStatement = 256 * 1024;

/**
 * The questions whether the statements of a SQL text can fail on the rows of a database, or lose some. There is none for
 * what needs no look at the rows (NOT VALID, USING INDEX), for tables that the text creates, for a statement with bound
 * values, for VALIDATE CONSTRAINT where neither the text nor `constraintOf` tells what it is, for partitions and domains.
 * They ask for the rows as they are before the text; of a DO block, as if each of its statements ran. `libpg-query`'s loadModule() must have resolved before the first call.
 */
export function dataQueries(sql: string, known: KnownObjects = {}): readonly DataQuery[] {
  return textQueries(sql, { known, created: new Set(), unvalidated: new Map() });
}

/** What the text said so far. */
interface Reading {
  readonly known: KnownObjects;
  /** Tables that it makes, quoted. */
  readonly created: Set<string>;
  /** What to ask for constraints that it adds as NOT VALID, by table and name, quoted. */
  readonly unvalidated: Map<string, () => DataQuery[]>;
}

function textQueries(sql: string, reading: Reading): DataQuery[] {
  return splitSql(sql).statements.flatMap(({ from, to }) => {
    const statement = sql.slice(from, to);
    return statement.length > largestStatement ? [] : statementQueries(statement, reading);
  });
}

function statementQueries(sql: string, reading: Reading): DataQuery[] {
  const { created } = reading;
  let node: Node | undefined;
  try {
    node = parseSync(sql).stmts?.[0]?.stmt;
  } catch {
    return [];
  }
  if (node === undefined) return [];
  if ("CreateStmt" in node) created.add(quotedTable(nameOf(node.CreateStmt.relation)));
  if ("CreateTableAsStmt" in node) created.add(quotedTable(nameOf(node.CreateTableAsStmt.into?.rel)));
  if ("DoStmt" in node) return blockTexts(sql).flatMap((text) => textQueries(text, reading));
  const isOld = (table: QualifiedName): boolean => !created.has(quotedTable(table));
  if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_TABLE") {
    const names = (node.DropStmt.objects ?? []).map((object) => qualified(partsOf(object)));
    return names.filter(isOld).flatMap(droppedRowsQueries);
  }
  if ("TruncateStmt" in node) {
    const relations = node.TruncateStmt.relations ?? [];
    const names = relations.flatMap((relation) =>
      "RangeVar" in relation ? [nameOf(relation.RangeVar)] : [],
    );
    return names.filter(isOld).flatMap(droppedRowsQueries);
  }
  const relation =
    "AlterTableStmt" in node
      ? node.AlterTableStmt.relation
      : "IndexStmt" in node
        ? node.IndexStmt.relation
        : undefined;
  if (relation === undefined || !isOld(nameOf(relation))) return [];
  const text = new StatementText(sql);
  if (text.hasParameter) return [];
  const table = new AskedTable(relation, text);
  if ("AlterTableStmt" in node) return alterTableQueries(table, node.AlterTableStmt, reading);
  return "IndexStmt" in node && node.IndexStmt.unique === true
    ? uniqueIndexQueries(table, node.IndexStmt)
    : [];
}

function alterTableQueries(table: AskedTable, statement: AlterTableStmt, reading: Reading): DataQuery[] {
  if (statement.objtype !== "OBJECT_TABLE") return [];
  const commands = (statement.cmds ?? []).flatMap((node) =>
    "AlterTableCmd" in node ? [node.AlterTableCmd] : [],
  );
  const dropped = commands.filter(({ subtype }) => subtype === "AT_DropColumn").map(({ name }) => name);
  for (const { subtype, def } of commands) {
    if (subtype !== "AT_AddColumn" || def === undefined || !("ColumnDef" in def)) continue;
    table.add(def.ColumnDef, dropped.includes(def.ColumnDef.colname));
  }
  return commands.flatMap((command) => commandQueries(table, command, reading));
}

function commandQueries(table: AskedTable, command: AlterTableCmd, reading: Reading): DataQuery[] {
  const { subtype, name = "", def } = command;
  switch (subtype) {
    case "AT_AddColumn":
      return def !== undefined && "ColumnDef" in def ? newColumnQueries(table, def, reading) : [];
    case "AT_SetNotNull":
      return notNullQueries(table, name);
    case "AT_AlterColumnType":
      return changedTypeQueries(table, command);
    case "AT_DropColumn":
      return droppedColumnQueries(table, name);
    case "AT_AddConstraint":
      return def !== undefined && "Constraint" in def
        ? constraintQueries(table, def.Constraint, reading)
        : [];
    case "AT_ValidateConstraint":
      return validatedQueries(table, name, reading);
    default:
      return [];
  }
}

function newColumnQueries(
  table: AskedTable,
  { ColumnDef: definition }: Extract<Node, { ColumnDef: object }>,
  reading: Reading,
): DataQuery[] {
  const { column } = columnOf(definition);
  if (!column.nullable && column.default === "none") {
    const words = "fails on any table that has rows";
    const sql = `SELECT 1 AS row FROM ${table.from([])} LIMIT 1`;
    return [{ words, effect: "fails", sql, sqlstate: "23502", functions: [] }];
  }
  const constraints = (definition.constraints ?? []).flatMap((node) =>
    "Constraint" in node ? [node.Constraint] : [],
  );
  return constraints.flatMap((constraint) => {
    const { contype, nulls_not_distinct } = constraint;
    // Only an expression can be NULL in some rows.
    if (contype === "CONSTR_NOTNULL")
      return column.default === "generated" ? notNullQueries(table, column.name) : [];
    // NULL points nowhere and is no duplicate.
    if (column.default === "none" && contype !== "CONSTR_CHECK" && nulls_not_distinct !== true) return [];
    return constraintQueries(table, constraint, reading, column.name);
  });
}

function constraintQueries(
  table: AskedTable,
  constraint: Constraint,
  reading: Reading,
  column?: string,
): DataQuery[] {
  // NOT ENFORCED sets it, too.
  if (constraint.skip_validation === true) {
    const later = { ...constraint, skip_validation: false };
    const key = `${table.name} ${quoted(constraint.conname)}`;
    reading.unvalidated.set(key, () => constraintQueries(table, later, reading, column));
    return [];
  }
  switch (constraint.contype) {
    case "CONSTR_UNIQUE":
    case "CONSTR_PRIMARY":
      return uniqueQueries(table, constraint, column);
    case "CONSTR_CHECK":
      return checkQueries(table, constraint);
    case "CONSTR_FOREIGN":
      return foreignKeyQueries(table, constraint, reading.known.primaryKeyOf ?? (() => undefined), column);
    case "CONSTR_EXCLUSION":
      return exclusionQueries(table, constraint);
    case "CONSTR_NOTNULL":
      return (constraint.keys ?? []).flatMap(partsOf).flatMap((name) => notNullQueries(table, name));
    default:
      return [];
  }
}

/** What is asked for the constraint as if it were new and valid. */
function validatedQueries(table: AskedTable, constraint: string, reading: Reading): DataQuery[] {
  const later = reading.unvalidated.get(`${table.name} ${quoted(constraint)}`);
  if (later !== undefined) return later();
  const definition = reading.known.constraintOf?.(nameOf(table.relation), constraint);
  if (definition === undefined) return [];
  return textQueries(`ALTER TABLE ${table.name} ADD ${definition.replace(/\s+NOT VALID\s*$/i, "")}`, reading);
}
