import { type A_Expr, type Node, parseSync, type SelectStmt } from "libpg-query";
import type { QualifiedName } from "../model/operation";
import { nameOf, partsOf, typeOf } from "./names";
import { blockTexts } from "./read-sql";
import { splitSql } from "./split";

/** What statements expect to find in the rows that are there, as far as their text tells it. */
export interface NamedLiterals {
  /** Values that a column is compared with, first those of CHECKs, last those that are inserted; as text. */
  readonly values: readonly { readonly at: ColumnName; readonly values: readonly string[] }[];
  /** Columns whose values become another type's, by its own name, e.g. `int4` or a project's enum. */
  readonly casts: readonly { readonly at: ColumnName; readonly type: string }[];
  /** Labels by the name of the enum that a statement makes, without its schema. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/** A column of one of these tables, whichever has it. */
export interface ColumnName {
  readonly tables: readonly QualifiedName[];
  readonly column: string;
}

/** Larger ones are data that somebody generated. */
const largestStatement = 64 * 1024;

/**
 * What these SQL texts name. Nothing of what is negated, of patterns and of what is put together at run time, as then no
 * single value can be told. `libpg-query`'s loadModule() must have resolved before the first call.
 */
export function namedLiterals(texts: readonly string[]): NamedLiterals {
  const reading: Reading = { checked: [], compared: [], inserted: [], casts: [], labels: new Map() };
  for (const text of texts) readText(text, reading);
  const { checked, compared, inserted, casts, labels } = reading;
  return { values: [...checked, ...compared, ...inserted], casts, labels };
}

type Found = NamedLiterals["values"][number];

interface Reading {
  readonly checked: Found[];
  readonly compared: Found[];
  readonly inserted: Found[];
  readonly casts: NamedLiterals["casts"][number][];
  readonly labels: Map<string, string[]>;
}

function readText(sql: string, reading: Reading): void {
  for (const { from, to } of splitSql(sql).statements) {
    const text = sql.slice(from, to);
    if (text.length > largestStatement) continue;
    const node = parsed(text);
    if (node === undefined) continue;
    if ("DoStmt" in node) for (const block of blockTexts(text)) readText(block, reading);
    else readStatement(node, reading);
  }
}

function parsed(sql: string): Node | undefined {
  try {
    return parseSync(sql).stmts?.[0]?.stmt;
  } catch {
    return undefined;
  }
}

function readStatement(node: Node, reading: Reading): void {
  const { labels } = reading;
  if ("CreateEnumStmt" in node) {
    const name = (node.CreateEnumStmt.typeName ?? []).flatMap(partsOf).at(-1) ?? "";
    labels.set(name, (node.CreateEnumStmt.vals ?? []).flatMap(partsOf));
    return;
  }
  if ("AlterEnumStmt" in node) {
    const { typeName = [], newVal } = node.AlterEnumStmt;
    const name = typeName.flatMap(partsOf).at(-1) ?? "";
    if (newVal !== undefined) labels.set(name, [...(labels.get(name) ?? []), newVal]);
    return;
  }
  const tables = tablesIn(node);
  if (tables.length === 0) return;
  if ("InsertStmt" in node) readInsert(node, reading);
  walk(node, tables, reading, reading.compared);
}

/** The rows of VALUES, by the columns that the statement names. */
function readInsert({ InsertStmt: insert }: Extract<Node, { InsertStmt: object }>, reading: Reading): void {
  const columns = (insert.cols ?? []).map((node) => ("ResTarget" in node ? (node.ResTarget.name ?? "") : ""));
  const select: SelectStmt =
    insert.selectStmt !== undefined && "SelectStmt" in insert.selectStmt ? insert.selectStmt.SelectStmt : {};
  const rows = (select.valuesLists ?? []).map((row) => ("List" in row ? (row.List.items ?? []) : []));
  for (const [index, column] of columns.entries()) {
    const values = rows.flatMap((row) => constantOf(row[index]) ?? []);
    if (values.length > 0)
      reading.inserted.push({ at: { tables: [nameOf(insert.relation)], column }, values });
  }
}

function tablesIn(node: Node): QualifiedName[] {
  const tables: QualifiedName[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      // Of a single table the tree has the relation without its tag.
      if (key === "RangeVar" || key === "relation")
        tables.push(nameOf(inner as Parameters<typeof nameOf>[0]));
      visit(inner);
    }
  };
  visit(node);
  return tables.filter(({ name }) => name !== "");
}

function walk(value: unknown, tables: readonly QualifiedName[], reading: Reading, into: Found[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    if (key === "BoolExpr" && (inner as { boolop?: string }).boolop === "NOT_EXPR") continue;
    if (key === "A_Expr") into.push(...comparison(inner as A_Expr, tables));
    if (key === "CaseExpr") into.push(...cases(inner as CaseTree, tables));
    if (key === "TypeCast") {
      const { arg, typeName } = inner as { arg?: Node; typeName?: Parameters<typeof typeOf>[0] };
      const column = columnOf(arg);
      const type = typeOf(typeName);
      if (column !== undefined && type !== undefined && !type.array)
        reading.casts.push({ at: { tables, column }, type: type.name });
    }
    const isCheck = key === "Constraint" && (inner as { contype?: string }).contype === "CONSTR_CHECK";
    walk(inner, tables, reading, isCheck ? reading.checked : into);
  }
}

interface CaseTree {
  readonly arg?: Node;
  readonly args?: readonly Node[];
}

/** CASE column WHEN 'a' THEN … */
function cases({ arg, args = [] }: CaseTree, tables: readonly QualifiedName[]): Found[] {
  const column = columnOf(arg);
  if (column === undefined) return [];
  const values = args.flatMap((node) => ("CaseWhen" in node ? (constantOf(node.CaseWhen.expr) ?? []) : []));
  return values.length === 0 ? [] : [{ at: { tables, column }, values }];
}

const mirrored: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=" };

/** Values that meet it, of a column that it compares with constants. */
function comparison({ kind, name = [], lexpr, rexpr }: A_Expr, tables: readonly QualifiedName[]): Found[] {
  const operator = name.flatMap(partsOf).at(-1) ?? "";
  const left = columnOf(lexpr);
  const right = columnOf(rexpr);
  const column = left ?? right;
  if (column === undefined || (left !== undefined && right !== undefined)) return [];
  const other = left === undefined ? lexpr : rexpr;
  const values = valuesMeeting(kind, left === undefined ? (mirrored[operator] ?? "") : operator, other);
  return values.length === 0 ? [] : [{ at: { tables, column }, values }];
}

function valuesMeeting(kind: A_Expr["kind"], operator: string, other: Node | undefined): string[] {
  const listed = listOf(other).flatMap((item) => constantOf(item) ?? []);
  if (kind === "AEXPR_BETWEEN") return listed;
  if (kind === "AEXPR_IN" || kind === "AEXPR_OP_ANY") return operator === "=" ? listed : [];
  const value = constantOf(other);
  if (kind !== "AEXPR_OP" || value === undefined) return [];
  if (operator === "=" || operator === "<=" || operator === ">=") return [value];
  const number = Number(value);
  if ((operator !== "<" && operator !== ">") || !Number.isSafeInteger(number)) return [];
  return [String(operator === "<" ? number - 1 : number + 1)];
}

function listOf(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  if ("List" in node) return node.List.items ?? [];
  if ("A_ArrayExpr" in node) return node.A_ArrayExpr.elements ?? [];
  return "TypeCast" in node ? listOf(node.TypeCast.arg) : [];
}

/** A constant as text, with what it is cast to left aside; NULL is none. */
function constantOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if ("TypeCast" in node) return constantOf(node.TypeCast.arg);
  if ("A_Expr" in node) {
    const { lexpr, rexpr, name = [] } = node.A_Expr;
    const value = lexpr === undefined && name.flatMap(partsOf).at(-1) === "-" ? constantOf(rexpr) : undefined;
    return value === undefined ? undefined : `-${value}`;
  }
  if (!("A_Const" in node)) return undefined;
  const { sval, ival, fval, boolval } = node.A_Const;
  if (sval !== undefined) return sval.sval ?? "";
  if (ival !== undefined) return String(ival.ival ?? 0);
  if (fval !== undefined) return fval.fval;
  return boolval === undefined ? undefined : String(boolval.boolval === true);
}

/** Functions that leave alone what is already as they make it. */
const keepers = ["lower", "btrim", "ltrim", "rtrim"];

/** The column that an expression is, but for casts and functions that leave most values as they are. */
function columnOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if ("ColumnRef" in node) return (node.ColumnRef.fields ?? []).flatMap(partsOf).at(-1);
  if ("TypeCast" in node) return columnOf(node.TypeCast.arg);
  if ("CoalesceExpr" in node) return columnOf(node.CoalesceExpr.args?.[0]);
  if (!("FuncCall" in node)) return undefined;
  const { funcname = [], args = [] } = node.FuncCall;
  return keepers.includes(funcname.flatMap(partsOf).at(-1) ?? "") ? columnOf(args[0]) : undefined;
}
