import type { AlterTableCmd, AlterTableStmt, Node } from "libpg-query";
import type { Change, QualifiedName } from "../model/operation";
import { columnOf, constraintOf, defaultOf } from "./column";
import { nameOf, partsOf, perhaps, typeOf } from "./names";

const rewriting: Partial<Record<NonNullable<AlterTableCmd["subtype"]>, string>> = {
  AT_SetLogged: "SET LOGGED",
  AT_SetUnLogged: "SET UNLOGGED",
  AT_SetTableSpace: "SET TABLESPACE",
  AT_SetAccessMethod: "SET ACCESS METHOD",
};

/** One change for each command of ALTER TABLE, in its order. */
export function alterTable(statement: AlterTableStmt): Change[] {
  const table = nameOf(statement.relation);
  if (statement.objtype !== "OBJECT_TABLE") {
    return [{ kind: "otherSql", statement: "AlterTableStmt" }];
  }
  return (statement.cmds ?? []).flatMap((node) =>
    "AlterTableCmd" in node ? changeOf(node.AlterTableCmd, table) : [],
  );
}

function changeOf(command: AlterTableCmd, table: QualifiedName): Change[] {
  const { subtype, name = "", def } = command;
  const how = subtype === undefined ? undefined : rewriting[subtype];
  if (how !== undefined) return [{ kind: "rewriteTable", table, how }];
  switch (subtype) {
    case "AT_AddColumn": {
      if (def === undefined || !("ColumnDef" in def)) return [];
      const { column, constraints } = columnOf(def.ColumnDef);
      return [
        { kind: "addColumn", table, column, ...perhaps(command.missing_ok) },
        ...constraints.map((constraint): Change => ({ kind: "addConstraint", table, constraint })),
      ];
    }
    case "AT_DropColumn":
      return [{ kind: "dropColumn", table, column: name }];
    case "AT_AlterColumnType":
      return [changedType(def, table, name)];
    case "AT_SetNotNull":
    case "AT_DropNotNull":
      return [{ kind: "changeNullable", table, column: name, nullable: subtype === "AT_DropNotNull" }];
    case "AT_ColumnDefault":
      return [
        { kind: "changeDefault", table, column: name, default: def === undefined ? "none" : defaultOf(def) },
      ];
    case "AT_AddConstraint": {
      const constraint = def !== undefined && "Constraint" in def ? constraintOf(def.Constraint) : undefined;
      return constraint === undefined
        ? [{ kind: "otherSql", statement: "AlterTableStmt" }]
        : [{ kind: "addConstraint", table, constraint }];
    }
    case "AT_ValidateConstraint":
      return [{ kind: "validateConstraint", table, constraint: name }];
    case "AT_DropConstraint":
      return [{ kind: "dropConstraint", table, constraint: name }];
    case "AT_DetachPartition": {
      const partition = def !== undefined && "PartitionCmd" in def ? def.PartitionCmd : undefined;
      return [
        {
          kind: "detachPartition",
          table,
          partition: nameOf(partition?.name),
          concurrently: partition?.concurrent === true,
        },
      ];
    }
    default:
      return [{ kind: "otherSql", statement: "AlterTableStmt" }];
  }
}

function changedType(def: Node | undefined, table: QualifiedName, column: string): Change {
  const definition = def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined;
  return {
    kind: "changeType",
    table,
    column,
    from: undefined,
    to: typeOf(definition?.typeName),
    computed:
      definition?.raw_default !== undefined && !isSameColumn(definition.raw_default, column, definition),
  };
}

/** `USING c` and `USING c::the_new_type` say what happens anyway. */
function isSameColumn(expression: Node, column: string, definition: Parameters<typeof columnOf>[0]): boolean {
  if ("ColumnRef" in expression) return expression.ColumnRef.fields?.flatMap(partsOf).at(-1) === column;
  if (!("TypeCast" in expression)) return false;
  const { arg, typeName } = expression.TypeCast;
  return (
    arg !== undefined &&
    "ColumnRef" in arg &&
    JSON.stringify(typeOf(typeName)) === JSON.stringify(typeOf(definition.typeName))
  );
}
