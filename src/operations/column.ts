import type { ColumnDef, ColumnRef, Constraint, Node } from "libpg-query";
import type { ColumnDefault, ConstraintKind, NewColumn, NewConstraint } from "../model/operation";
import { partsOf, typeOf } from "./names";

/** A column of CREATE TABLE or ADD COLUMN, and the constraints that are written with it. */
export function columnOf(column: ColumnDef): { column: NewColumn; constraints: NewConstraint[] } {
  const written = (column.constraints ?? []).flatMap((node) =>
    "Constraint" in node ? [node.Constraint] : [],
  );
  const has = (type: Constraint["contype"]): boolean => written.some(({ contype }) => contype === type);
  const type = typeOf(column.typeName);
  const isSerial = /^(?:big|small)?serial[248]?$/.test(type?.name ?? "");
  const expression = written.find(({ contype }) => contype === "CONSTR_DEFAULT")?.raw_expr;
  const name = column.colname ?? "";
  const filled: ColumnDefault = has("CONSTR_IDENTITY")
    ? "identity"
    : has("CONSTR_GENERATED")
      ? "generated"
      : isSerial
        ? "volatile"
        : expression === undefined
          ? "none"
          : defaultOf(expression);
  return {
    column: {
      name,
      type,
      nullable: !(has("CONSTR_NOTNULL") || has("CONSTR_PRIMARY") || has("CONSTR_IDENTITY") || isSerial),
      default: filled,
    },
    constraints: written.flatMap((constraint) => {
      const made = constraintOf(constraint);
      if (made === undefined) return [];
      return [{ ...made, columns: [name], trivial: made.kind === "foreignKey" && filled === "none" }];
    }),
  };
}

const kinds: Partial<Record<NonNullable<Constraint["contype"]>, ConstraintKind>> = {
  CONSTR_FOREIGN: "foreignKey",
  CONSTR_CHECK: "check",
  CONSTR_UNIQUE: "unique",
  CONSTR_PRIMARY: "primaryKey",
  CONSTR_EXCLUSION: "exclude",
};

/** A table's constraint; undefined for NOT NULL, DEFAULT and the like. */
export function constraintOf(constraint: Constraint): NewConstraint | undefined {
  const kind = constraint.contype === undefined ? undefined : kinds[constraint.contype];
  if (kind === undefined) return undefined;
  const names = (kind === "foreignKey" ? constraint.fk_attrs : constraint.keys) ?? [];
  return {
    kind,
    name: constraint.conname,
    columns: kind === "check" ? columnsIn(constraint.raw_expr) : names.flatMap(partsOf),
    notValid: constraint.skip_validation === true,
    usingIndex: constraint.indexname !== undefined,
    trivial: false,
    notNullColumn: kind === "check" ? notNullColumn(constraint.raw_expr) : undefined,
  };
}

/** The columns that an expression names, each once. */
function columnsIn(expression: unknown): string[] {
  if (typeof expression !== "object" || expression === null) return [];
  const found = Object.entries(expression).flatMap(([key, value]: [string, unknown]) =>
    key === "ColumnRef" ? ((value as ColumnRef).fields?.flatMap(partsOf).at(-1) ?? []) : columnsIn(value),
  );
  return [...new Set(found)];
}

function notNullColumn(expression: Node | undefined): string | undefined {
  if (expression === undefined || !("NullTest" in expression)) return undefined;
  const { arg, nulltesttype } = expression.NullTest;
  if (nulltesttype !== "IS_NOT_NULL" || arg === undefined || !("ColumnRef" in arg)) return undefined;
  return arg.ColumnRef.fields?.flatMap(partsOf).at(-1);
}

/** Functions that are called once a row (pg_proc.provolatile = v in PostgreSQL 15 and 18, and uuid-ossp's). */
const volatileFunctions = new Set([
  "clock_timestamp",
  "timeofday",
  "random",
  "gen_random_uuid",
  "uuidv4",
  "uuidv7",
  "nextval",
  "setval",
  "lastval",
  "currval",
  "gen_random_bytes",
  "uuid_generate_v1",
  "uuid_generate_v1mc",
  "uuid_generate_v4",
]);

const stableFunctions = new Set([
  "now",
  "transaction_timestamp",
  "statement_timestamp",
  "current_database",
  "current_schema",
  "current_setting",
  "timezone",
  "date_trunc",
  "to_char",
  "lower",
  "upper",
  "md5",
  "make_interval",
  "jsonb_build_object",
  "jsonb_build_array",
  "json_build_object",
  "json_build_array",
  "to_jsonb",
]);

/** How often a default is evaluated when it fills the rows that are there. */
export function defaultOf(expression: Node): ColumnDefault {
  let found: ColumnDefault = "constant";
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node) as [string, unknown][]) {
      if (key === "FuncCall") found = worst(found, calledFunction(value as { funcname?: Node[] }));
      else if (key === "SQLValueFunction") found = worst(found, "stable");
      else if (key === "ColumnRef" || key === "SubLink") found = worst(found, "unknown");
      visit(value);
    }
  };
  visit(expression);
  if (found !== "constant" || !("A_Const" in expression)) return found;
  return expression.A_Const.isnull === true ? "none" : "constant";
}

const order: readonly ColumnDefault[] = ["constant", "stable", "unknown", "volatile"];

function worst(left: ColumnDefault, right: ColumnDefault): ColumnDefault {
  return order.indexOf(left) < order.indexOf(right) ? right : left;
}

function calledFunction({ funcname = [] }: { readonly funcname?: Node[] }): ColumnDefault {
  const name = funcname.flatMap(partsOf).at(-1) ?? "";
  if (volatileFunctions.has(name)) return "volatile";
  return stableFunctions.has(name) ? "stable" : "unknown";
}
