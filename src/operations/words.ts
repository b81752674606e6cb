import type { Change, ColumnType, NewColumn, NewConstraint, QualifiedName } from "../model/operation";
import { shownName } from "./names";

/** One thing that a change does to one object, in plain words. */
export interface Deed {
  /** What it is done to, e.g. `column users.nickname`. */
  readonly object: string;
  /** What is done, e.g. `add column`. */
  readonly verb: string;
  /** How, e.g. `varchar(20) NOT NULL`; "" where there is no more to say. */
  readonly how: string;
  /** The table that it belongs to, or that it is, where it is known. */
  readonly table: string | undefined;
  /** True for a part of something that the same change makes: a column of a new table. */
  readonly isPart: boolean;
}

/** The deeds of a change, a new table's columns one by one; none where it leaves no trace or is not known. */
export function deedsOf(change: Change): Deed[] {
  switch (change.kind) {
    case "createTable": {
      const columns = change.columns.map((column) => ({
        ...onColumn(change.table, column.name, "create table", howOf(column)),
        isPart: true,
      }));
      return [onTable(change.table, "create table"), ...columns];
    }
    case "dropTable":
      return [onTable(change.table, "drop table")];
    case "dropSchema":
      return [deed(`schema ${change.schema}`, "drop schema")];
    case "renameTable":
      return [onTable(change.table, "rename table", `to ${shownName(change.to)}`)];
    case "addColumn":
      return [onColumn(change.table, change.column.name, "add column", howOf(change.column))];
    case "dropColumn":
      return [onColumn(change.table, change.column, "drop column")];
    case "renameColumn":
      return [onColumn(change.table, change.column, "rename column", `to ${change.to}`)];
    case "changeType":
      return [onColumn(change.table, change.column, "change type", typeText(change.to))];
    case "changeNullable":
      return [onColumn(change.table, change.column, change.nullable ? "drop NOT NULL" : "set NOT NULL")];
    case "changeDefault":
      return change.default === "none"
        ? [onColumn(change.table, change.column, "drop default")]
        : [onColumn(change.table, change.column, "set default", change.default)];
    case "createIndex":
      return [
        {
          ...onTable(change.table, "create index", change.unique ? "unique" : ""),
          object:
            change.index === undefined ? `index on ${shownName(change.table)}` : `index ${change.index}`,
        },
      ];
    case "dropIndex":
      return [deed(`index ${shownName(change.index)}`, "drop index")];
    case "addConstraint":
      return [
        {
          ...onTable(change.table, "add constraint"),
          object: constraintText(change.table, change.constraint),
        },
      ];
    case "dropConstraint":
      return [
        {
          ...onTable(change.table, "drop constraint"),
          object: `constraint ${change.constraint ?? "without a name"} on ${shownName(change.table)}`,
        },
      ];
    case "validateConstraint":
      return [
        {
          ...onTable(change.table, "validate constraint"),
          object: `constraint ${change.constraint} on ${shownName(change.table)}`,
        },
      ];
    case "detachPartition":
      return [onTable(change.partition, "detach partition", `from ${shownName(change.table)}`)];
    case "createMaterializedView":
      return [deed(`materialized view ${shownName(change.view)}`, "create")];
    case "refreshView":
      return [deed(`materialized view ${shownName(change.view)}`, "refresh")];
    case "rewriteTable":
      return [onTable(change.table, change.how)];
    case "createType":
      return [deed(`type ${shownName(change.type)}`, "create type")];
    case "dropType":
      return [deed(`type ${shownName(change.type)}`, "drop type")];
    case "addEnumValue":
      return [deed(`value '${change.value}' of type ${shownName(change.type)}`, "add value")];
    case "dataChange":
      return change.table === undefined
        ? [deed("rows", change.verb)]
        : [{ ...onTable(change.table, change.verb), object: `rows of ${shownName(change.table)}` }];
    case "otherSql":
      return [deed(sqlText(change.statement), "run")];
    case "noTrace":
    case "unknown":
      return [];
  }
}

function deed(object: string, verb: string, how = ""): Deed {
  return { object, verb, how, table: undefined, isPart: false };
}

function onTable(table: QualifiedName, verb: string, how = ""): Deed {
  return { ...deed(`table ${shownName(table)}`, verb, how), table: shownName(table) };
}

function onColumn(table: QualifiedName, column: string, verb: string, how = ""): Deed {
  return { ...deed(`column ${shownName(table)}.${column}`, verb, how), table: shownName(table) };
}

function howOf({ type, nullable, default: filled }: NewColumn): string {
  const words = [typeText(type), nullable ? "" : "NOT NULL", filled === "none" ? "" : `default ${filled}`];
  return words.filter((word) => word !== "").join(" ");
}

/** How a type is told that only running the file would show. */
export const unknownType = "a type not known here";

function typeText(type: ColumnType | undefined): string {
  if (type === undefined) return unknownType;
  const modifiers = type.modifiers.filter((modifier) => !Number.isNaN(modifier));
  return `${type.name}${modifiers.length === 0 ? "" : `(${modifiers.join(", ")})`}${type.array ? "[]" : ""}`;
}

const constraintKinds: Readonly<Record<NewConstraint["kind"], string>> = {
  foreignKey: "foreign key",
  check: "check",
  unique: "unique constraint",
  primaryKey: "primary key",
  exclude: "exclusion constraint",
};

function constraintText(table: QualifiedName, { kind, name, columns }: NewConstraint): string {
  const own = name ?? (columns.length === 0 ? "" : `(${columns.join(", ")})`);
  return `${constraintKinds[kind]}${own === "" ? "" : ` ${own}`} on ${shownName(table)}`;
}

/** PostgreSQL's name of a statement as people know it: `CreateFunctionStmt`, `create function`. */
function sqlText(statement: string): string {
  const words = statement.replace(/Stmt$/, "").replace(/(?<=[a-z])(?=[A-Z])/g, " ");
  return statement.endsWith("Stmt") ? `a statement (${words.toLowerCase()})` : `a call (${statement})`;
}
