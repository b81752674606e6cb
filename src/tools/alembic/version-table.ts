import { type Node, type ParseResult, parseSync, type RangeVar } from "libpg-query";
import type { VersionTable, VersionWrite } from "../contract";

type Verb = VersionWrite["verb"];

/** Its usual name, and its only column in every release. */
export const versionTable = { name: "alembic_version", column: "version_num" } as const;
const { column } = versionTable;

/** Statements that name the table and leave its rows alone. */
const harmless =
  /^(Comment|Grant|Index|Lock|Explain|Cluster|Vacuum|VariableSet|Transaction|CreateStats)Stmt$/;

/**
 * Finds writes of Alembic's version table in one SQL text. Without `table` these are the statements that Alembic
 * itself writes (alembic/ddl/impl.py and HeadMaintainer, 1.20.1), known by their one column `version_num`; a CREATE
 * counts when it has no other column. With `table`, every statement that may change the table's rows.
 */
export function versionWrites(sql: string, table?: VersionTable): readonly VersionWrite[] {
  // A quote in a name is doubled in the text.
  if (!mentions(sql, table?.table.replaceAll('"', '""') ?? column)) return [];
  const own = ownWrite(sql);
  if (own !== undefined) return table === undefined || isSame(own, table) ? [own] : [];
  const writes = parsed(sql).flatMap(({ stmt }) => (stmt === undefined ? [] : writesOf(stmt, table)));
  return table === undefined ? writes : writes.filter((write) => isSame(write, table));
}

/** SQLAlchemy's question whether a table exists (1.3 to 2.1), or the read of the one column that only this table has. */
export function readsVersions(sql: string): boolean {
  return /\bversion_num\b/i.test(sql) || (/\bpg_class\b/i.test(sql) && /\brelname\b/i.test(sql));
}

/** A SELECT of the applied heads as text, one a row, sorted. */
export function versionsSql({ schema, table }: VersionTable): string {
  const name = schema === undefined ? quoted(table) : `${quoted(schema)}.${quoted(table)}`;
  return `SELECT ${column}::text FROM ${name} WHERE ${column} IS NOT NULL ORDER BY 1`;
}

/**
 * HeadMaintainer's three statements, letter by letter and with names that need no quotes: nearly all that is asked
 * for, and the parser, which is WebAssembly, costs more than the rest of a boundary.
 */
const name = "(?:([a-z_][a-z0-9_]*)\\.)?([a-z_][a-z0-9_]*)";
const equals = "(?:[a-z_][a-z0-9_]*\\.){0,2}version_num = '[\\w-]+'";
const ownStatements = [
  ["insert", new RegExp(`^INSERT INTO ${name} \\(version_num\\) VALUES \\('[\\w-]+'\\)$`)],
  ["update", new RegExp(`^UPDATE ${name} SET version_num='[\\w-]+' WHERE ${equals}$`)],
  ["delete", new RegExp(`^DELETE FROM ${name} WHERE ${equals}$`)],
] as const;

function ownWrite(sql: string): VersionWrite | undefined {
  for (const [verb, pattern] of ownStatements) {
    const [, schema, table] = pattern.exec(sql) ?? [];
    if (table !== undefined) return { verb, schema, table };
  }
  return undefined;
}

function mentions(sql: string, word: string): boolean {
  return sql.includes(word) || sql.toLowerCase().includes(word.toLowerCase());
}

/** A text that does not parse here is the server's to refuse: it writes nothing that we know of. */
function parsed(sql: string): NonNullable<ParseResult["stmts"]> {
  try {
    return parseSync(sql).stmts ?? [];
  } catch {
    return [];
  }
}

function writesOf(statement: Node, known: VersionTable | undefined): VersionWrite[] {
  const usual = usualWrite(statement, known !== undefined);
  if (usual !== undefined) return [usual];
  if (known === undefined) return [];
  if ("DropStmt" in statement && statement.DropStmt.removeType === "OBJECT_TABLE") {
    return (statement.DropStmt.objects ?? []).flatMap((object) => droppedTable(object));
  }
  const [kind = ""] = Object.keys(statement);
  const isRead = "SelectStmt" in statement && !hasWritingClause(JSON.stringify(statement));
  if (
    harmless.test(kind) ||
    isRead ||
    !mentions(JSON.stringify(statement), JSON.stringify(known.table).slice(1, -1))
  )
    return [];
  return [{ verb: "other", schema: known.schema, table: known.table }];
}

/** CREATE, INSERT, UPDATE, DELETE; the statement must look like Alembic's own unless the table is known. */
function usualWrite(statement: Node, isKnown: boolean): VersionWrite | undefined {
  if ("CreateStmt" in statement) {
    const { relation, tableElts = [] } = statement.CreateStmt;
    const columns = tableElts.flatMap((element) =>
      "ColumnDef" in element ? [element.ColumnDef.colname] : [],
    );
    return isKnown || (columns.length === 1 && columns[0] === column) ? write("create", relation) : undefined;
  }
  if ("InsertStmt" in statement) {
    const { relation, cols, withClause } = statement.InsertStmt;
    if (withClause !== undefined) return undefined;
    return isKnown || isOnlyVersion(cols) ? write("insert", relation) : undefined;
  }
  if ("UpdateStmt" in statement) {
    const { relation, targetList, whereClause, withClause } = statement.UpdateStmt;
    if (withClause !== undefined) return undefined;
    return isKnown || (isOnlyVersion(targetList) && comparesVersion(whereClause))
      ? write("update", relation)
      : undefined;
  }
  if ("DeleteStmt" in statement) {
    const { relation, whereClause, withClause } = statement.DeleteStmt;
    if (withClause !== undefined) return undefined;
    return isKnown || comparesVersion(whereClause) ? write("delete", relation) : undefined;
  }
  return undefined;
}

function write(verb: Verb, relation: RangeVar | undefined): VersionWrite | undefined {
  return relation?.relname === undefined
    ? undefined
    : { verb, schema: relation.schemaname, table: relation.relname };
}

function isOnlyVersion(targets: readonly Node[] | undefined): boolean {
  const [only] = targets ?? [];
  return targets?.length === 1 && only !== undefined && "ResTarget" in only && only.ResTarget.name === column;
}

/** `[table.]version_num = …` and nothing else. */
function comparesVersion(condition: Node | undefined): boolean {
  if (condition === undefined || !("A_Expr" in condition)) return false;
  const { lexpr } = condition.A_Expr;
  const last = lexpr !== undefined && "ColumnRef" in lexpr ? lexpr.ColumnRef.fields?.at(-1) : undefined;
  return last !== undefined && "String" in last && last.String.sval === column;
}

function droppedTable(object: Node): VersionWrite[] {
  const items = "List" in object ? (object.List.items ?? []) : [];
  const names = items.flatMap((item) => ("String" in item ? (item.String.sval ?? []) : []));
  const table = names.at(-1);
  return table === undefined ? [] : [{ verb: "drop", schema: names.at(-2), table }];
}

function hasWritingClause(json: string): boolean {
  return /"(InsertStmt|UpdateStmt|DeleteStmt|MergeStmt|intoClause)"/.test(json);
}

function isSame(write: VersionWrite, table: VersionTable): boolean {
  const sameSchema =
    write.schema === undefined || table.schema === undefined || write.schema === table.schema;
  return write.table === table.table && sameSchema;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
