import { parseSync } from "libpg-query";
import type { ColumnDefault, ColumnType, NewColumn, NewConstraint } from "../../../model/operation";
import { constraintOf, defaultOf } from "../../../operations/column";
import { later, once, withLater } from "../later";
import { type CallValue, given, isNone, lastName, textValue, truth, type Value } from "./values";

/** What a `sa.Column(…)` makes: the column, and what Alembic adds to the table right after it. */
export interface WrittenColumn {
  readonly column: NewColumn;
  readonly constraints: readonly NewConstraint[];
  readonly hasIndex: boolean;
}

/** Reads `sa.Column(name, type, *items, …)` (SQLAlchemy 2.0); undefined where it is not one, or its name is not known. */
export function columnOf(value: Value | undefined): WrittenColumn | undefined {
  if (value?.kind !== "call" || lastName(value.name) !== "Column" || !value.complete) return undefined;
  const [first, ...rest] = value.positional;
  const name = textValue(first) ?? textValue(value.keywords.get("name"));
  if (name === undefined) return undefined;
  const items = textValue(first) === undefined ? value.positional : rest;
  const type = items.map(typeOf).find((found) => found !== undefined) ?? typeOf(value.keywords.get("type_"));
  const calls = items.flatMap((item) => (item.kind === "call" ? [item] : []));
  const has = (wanted: string): CallValue | undefined => calls.find((call) => lastName(call.name) === wanted);
  const option = (key: string): boolean | undefined => truth(value.keywords.get(key));
  const isKey = option("primary_key") === true;
  const filled =
    has("Identity") !== undefined
      ? "identity"
      : has("Computed") !== undefined
        ? "generated"
        : defaultIn(value);
  const known = { name, type, nullable: option("nullable") ?? !(isKey || filled === "identity") };
  return {
    column:
      typeof filled === "string"
        ? { ...known, default: filled }
        : withLater(
            known,
            once(() => ({ default: sqlDefault(filled.sql) })),
            defaultLater,
          ),
    hasIndex: option("index") === true && option("unique") !== true,
    constraints: [
      ...(has("ForeignKey") === undefined ? [] : [constraint("foreignKey", name, false)]),
      // A unique index is built either way.
      ...(option("unique") === true ? [constraint("unique", name, false)] : []),
    ],
  };
}

function constraint(kind: NewConstraint["kind"], column: string, trivial: boolean): NewConstraint {
  return {
    kind,
    name: undefined,
    columns: [column],
    notValid: false,
    usingIndex: false,
    trivial,
    notNullColumn: undefined,
  };
}

/** Few columns' defaults are asked for: SQL is parsed when one is. */
interface SqlDefault {
  readonly sql: string;
}

const defaultLater = later<NewColumn, "default">("default");

function defaultIn(column: CallValue): ColumnDefault | SqlDefault {
  const value = column.keywords.get("server_default");
  return value === undefined ? "none" : writtenDefault(value);
}

/** `server_default=`: a string is a constant of the column's type, `sa.text("…")` is SQL, `sa.func.now()` a call. */
export function serverDefault(value: Value): ColumnDefault {
  const written = writtenDefault(value);
  return typeof written === "string" ? written : sqlDefault(written.sql);
}

function writtenDefault(value: Value): ColumnDefault | SqlDefault {
  if (isNone(value)) return "none";
  if (value.kind === "constant") return "constant";
  if (value.kind !== "call") return "unknown";
  const name = lastName(value.name);
  if (name === "text" || name === "literal_column") {
    const sql = textValue(value.positional[0]);
    return sql === undefined ? "unknown" : { sql };
  }
  if (name === "Identity") return "identity";
  if (name === "Computed") return "generated";
  if (name === "true" || name === "false" || name === "null") return name === "null" ? "none" : "constant";
  if (/(?:^|\.)func\.\w+$/.test(value.name)) return { sql: `${name}()` };
  if (name === "inline_literal" || name === "literal") return "constant";
  return "unknown";
}

const sqlDefault = byText((sql): ColumnDefault => {
  try {
    const [statement] = parseSync(`SELECT ${sql}`).stmts ?? [];
    const node = statement?.stmt;
    const [target] = node !== undefined && "SelectStmt" in node ? (node.SelectStmt.targetList ?? []) : [];
    const value = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
    return value === undefined ? "unknown" : defaultOf(value);
  } catch {
    return "unknown";
  }
});

/** A check by its condition, as PostgreSQL reads it; undefined where it does not. */
export const checkOf = byText((condition): NewConstraint | undefined => {
  try {
    const [statement] = parseSync(`ALTER TABLE t ADD CHECK (${condition})`).stmts ?? [];
    const node = statement?.stmt;
    const [command] = node !== undefined && "AlterTableStmt" in node ? (node.AlterTableStmt.cmds ?? []) : [];
    const def = command !== undefined && "AlterTableCmd" in command ? command.AlterTableCmd.def : undefined;
    return def !== undefined && "Constraint" in def ? constraintOf(def.Constraint) : undefined;
  } catch {
    return undefined;
  }
});

/** A history says `now()` and the like again and again; PostgreSQL's parser reads each text once. */
function byText<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, { readonly value: T }>();
  return (text) => {
    const found = known.get(text) ?? { value: read(text) };
    known.set(text, found);
    return found.value;
  };
}

/** SQLAlchemy's generic types and those of its PostgreSQL dialect, as PostgreSQL stores them (SQLAlchemy 2.0). */
const types: Readonly<Record<string, string>> = {
  Integer: "int4",
  INTEGER: "int4",
  INT: "int4",
  BigInteger: "int8",
  BIGINT: "int8",
  SmallInteger: "int2",
  SMALLINT: "int2",
  Boolean: "bool",
  BOOLEAN: "bool",
  Date: "date",
  DATE: "date",
  Text: "text",
  TEXT: "text",
  UnicodeText: "text",
  JSON: "json",
  JSONB: "jsonb",
  UUID: "uuid",
  Uuid: "uuid",
  LargeBinary: "bytea",
  BYTEA: "bytea",
  Double: "float8",
  DOUBLE_PRECISION: "float8",
  REAL: "float4",
  INET: "inet",
  CIDR: "cidr",
  CITEXT: "citext",
  TSVECTOR: "tsvector",
};

const sized: Readonly<Record<string, string>> = {
  String: "varchar",
  Unicode: "varchar",
  VARCHAR: "varchar",
  Numeric: "numeric",
  NUMERIC: "numeric",
  DECIMAL: "numeric",
  CHAR: "bpchar",
};

/** The type of `sa.String(20)`, `sa.Integer`, `postgresql.ENUM(…, name="x")`; undefined where it is not known. */
export function typeOf(value: Value | undefined): ColumnType | undefined {
  if (value?.kind !== "call" && value?.kind !== "name") return undefined;
  const name = lastName(value.name);
  if (!/^(?:sqlalchemy|geoalchemy|)/.test(value.name)) return undefined;
  const plain = (type: string, modifiers: readonly number[] = [], array = false): ColumnType => ({
    name: type,
    modifiers,
    array,
  });
  const call = value.kind === "call" ? value : undefined;
  const known = types[name];
  if (known !== undefined) return plain(known);
  const sizedName = sized[name];
  if (sizedName !== undefined) {
    if (call === undefined) return plain(sizedName);
    const argument = given(call, sizedName === "numeric" ? ["precision", "scale"] : ["length"]);
    const numbers = ["length", "precision", "scale"].flatMap((key) => {
      const size = argument(key);
      return size?.kind === "constant" && typeof size.value === "number" ? [size.value] : [];
    });
    return plain(sizedName, numbers);
  }
  const option = call === undefined ? () => undefined : given(call, ["timezone"]);
  if (name === "DateTime" || name === "TIMESTAMP") {
    return plain(truth(option("timezone")) === true ? "timestamptz" : "timestamp");
  }
  if (name === "Time" || name === "TIME")
    return plain(truth(option("timezone")) === true ? "timetz" : "time");
  if (name === "Interval" || name === "INTERVAL") return plain("interval");
  if (name === "Float" || name === "FLOAT") return plain("float8");
  if (name === "ARRAY") {
    const item = typeOf(call?.positional[0]);
    return item === undefined ? undefined : { ...item, array: true };
  }
  if (name !== "Enum" && name !== "ENUM") return undefined;
  if (truth(call?.keywords.get("native_enum")) === false) return undefined;
  const type = textValue(call?.keywords.get("name"));
  return type === undefined ? undefined : plain(type);
}
