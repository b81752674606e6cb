import { type Node, parsePlPgSQLSync, parseSync } from "libpg-query";
import type { Change } from "../model/operation";
import { alterTable } from "./alter-table";
import { splitSql } from "./split";
import { changesOf } from "./statement";

/** One change of a SQL text; offsets count UTF-16 units. */
export interface SqlChange {
  readonly change: Change;
  /** The statement that makes it. */
  readonly from: number;
  readonly to: number;
}

export interface SqlReading {
  readonly changes: readonly SqlChange[];
  readonly statements: readonly { readonly from: number; readonly to: number }[];
  readonly comments: readonly { readonly from: number; readonly to: number }[];
}

/** Larger statements are data that somebody generated; the parser's tree would be many times as large. */
const largestStatement = 256 * 1024;
const largestText = 16 * 1024 * 1024;

/**
 * The changes that a SQL text makes, read with PostgreSQL's own grammar. Each statement that does not parse is one
 * `unknown`. `libpg-query`'s loadModule() must have resolved before the first call.
 */
export function readSql(sql: string): SqlReading {
  if (sql.length > largestText) {
    const change: Change = { kind: "unknown", reason: "its SQL is larger than 16 MB" };
    return { changes: [{ change, from: 0, to: sql.length }], statements: [], comments: [] };
  }
  const { statements, comments } = splitSql(sql);
  const changes = statements.flatMap(({ from, to }) =>
    readStatement(sql.slice(from, to)).map((change) => ({
      change: change.change,
      from: from + change.from,
      to: from + change.to,
    })),
  );
  return { changes, statements, comments };
}

function readStatement(sql: string): SqlChange[] {
  const whole = { from: 0, to: sql.length };
  if (sql.length > largestStatement) {
    return [{ change: largeChange(sql), ...whole }];
  }
  let nodes: readonly (Node | undefined)[];
  try {
    nodes = (parseSync(sql).stmts ?? []).map(({ stmt }) => stmt);
  } catch {
    const reason = `PostgreSQL's grammar does not take "${firstWords(sql)}"`;
    return [{ change: { kind: "unknown", reason }, ...whole }];
  }
  return nodes.flatMap((node): SqlChange[] => {
    if (node === undefined) return [];
    if ("DoStmt" in node) return readBlock(sql);
    const changes = "AlterTableStmt" in node ? alterTable(node.AlterTableStmt) : changesOf(node, sql);
    return changes.map((change) => ({ change, ...whole }));
  });
}

/** Of generated data the first words tell enough. */
function largeChange(sql: string): Change {
  const [, table] = /^insert\s+into\s+([\w."]+)/i.exec(sql) ?? [];
  if (table === undefined) return { kind: "unknown", reason: "a statement of it is larger than 256 kB" };
  const [schema, name] = table.replaceAll('"', "").split(".");
  return {
    kind: "dataChange",
    verb: "insert",
    table:
      name === undefined ? { schema: undefined, name: schema ?? "" } : { schema: schema ?? undefined, name },
    limited: true,
  };
}

function firstWords(sql: string): string {
  const line = sql.slice(0, 200).replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

/**
 * The statements in a DO block, conditions left aside. PL/pgSQL's parser tells only the line of each (libpg-query
 * 18.1.5), counted from the line on which the body opens.
 */
function readBlock(sql: string): SqlChange[] {
  const whole = { from: 0, to: sql.length };
  let tree: unknown;
  try {
    tree = parsePlPgSQLSync(sql);
  } catch {
    return [
      { change: { kind: "unknown", reason: `its block does not parse: "${firstWords(sql)}"` }, ...whole },
    ];
  }
  const opens = Math.max(0, sql.search(/\$\w*\$|'/));
  const starts = [0, ...[...sql.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const first = starts.filter((start) => start <= opens).length - 1;
  const placeOf = (line: number): { from: number; to: number } => {
    const start = starts[first + line - 1];
    if (start === undefined) return whole;
    const end = starts[first + line] ?? sql.length;
    const blanks = /^\s*/.exec(sql.slice(start, end))?.[0].length ?? 0;
    return { from: start + blanks, to: start + sql.slice(start, end).trimEnd().length };
  };
  return blockStatements(tree).flatMap(({ line, query, dynamic }): SqlChange[] => {
    const place = placeOf(line);
    const text = dynamic ? constantQuery(query) : query;
    if (text === undefined) {
      return [
        { change: { kind: "unknown", reason: "EXECUTE runs a text that is put together there" }, ...place },
      ];
    }
    return readSql(text).changes.map(({ change }) => ({ change, ...place }));
  });
}

/** The texts of the statements in a DO block, conditions left aside; those that it puts together itself are none. */
export function blockTexts(sql: string): string[] {
  try {
    const statements = blockStatements(parsePlPgSQLSync(sql));
    return statements.flatMap(({ query, dynamic }) => (dynamic ? constantQuery(query) : query) ?? []);
  } catch {
    return [];
  }
}

interface BlockStatement {
  readonly line: number;
  readonly query: string;
  readonly dynamic: boolean;
}

/** Every SQL statement of a PL/pgSQL tree, in its order. */
function blockStatements(node: unknown): BlockStatement[] {
  if (Array.isArray(node)) return node.flatMap(blockStatements);
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    if (key === "PLpgSQL_stmt_execsql") return statementOf(value, "sqlstmt", false);
    if (key === "PLpgSQL_stmt_dynexecute" || key === "PLpgSQL_stmt_dynfors") {
      return [...statementOf(value, "query", true), ...blockStatements(bodyOf(value))];
    }
    return blockStatements(value);
  });
}

function bodyOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "body" in value ? value.body : undefined;
}

interface PlExpression {
  readonly PLpgSQL_expr?: { readonly query?: string };
}

function statementOf(value: unknown, field: "sqlstmt" | "query", dynamic: boolean): BlockStatement[] {
  const statement = value as { readonly lineno?: number } & Readonly<Record<string, PlExpression>>;
  const query = statement[field]?.PLpgSQL_expr?.query;
  return query === undefined ? [] : [{ line: statement.lineno ?? 1, query, dynamic }];
}

/** The text that `EXECUTE 'text'` runs. */
function constantQuery(expression: string): string | undefined {
  const quoted = /^\s*'((?:[^'\\]|'')*)'\s*$/.exec(expression)?.[1];
  if (quoted !== undefined) return quoted.replaceAll("''", "'");
  return /^\s*(\$\w*\$)([\s\S]*)\1\s*$/.exec(expression)?.[2];
}
