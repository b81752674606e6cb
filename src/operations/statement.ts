import type { Node, WithClause } from "libpg-query";
import type { Change, NewColumn, QualifiedName } from "../model/operation";
import { columnOf } from "./column";
import { isAlwaysTrue } from "./condition";
import { nameOf, partsOf, perhaps, qualified } from "./names";

const noTrace =
  /^(?:VariableSet|VariableShow|Explain|Lock|Transaction|Discard|Checkpoint|Listen|Unlisten|Notify|Load|Deallocate|Prepare|Reindex)Stmt$/;

/** The changes that one parsed statement makes, ALTER TABLE left aside. */
export function changesOf(node: Node, sql: string): Change[] {
  if ("CreateStmt" in node) {
    const { relation, tableElts = [], if_not_exists } = node.CreateStmt;
    return [createdTable(relation, tableElts, if_not_exists)];
  }
  if ("CreateTableAsStmt" in node) {
    const { into, objtype, if_not_exists } = node.CreateTableAsStmt;
    return objtype === "OBJECT_MATVIEW"
      ? [{ kind: "createMaterializedView", view: nameOf(into?.rel), ...perhaps(if_not_exists) }]
      : [createdTable(into?.rel, [], if_not_exists)];
  }
  if ("IndexStmt" in node) {
    const { idxname, relation, unique, concurrent, if_not_exists } = node.IndexStmt;
    return [
      {
        kind: "createIndex",
        index: idxname,
        table: nameOf(relation),
        unique: unique === true,
        concurrently: concurrent === true,
        // The tree leaves false out.
        ...(relation?.inh === true ? {} : { parentOnly: true as const }),
        ...perhaps(if_not_exists),
      },
    ];
  }
  if ("DropStmt" in node) return dropped(node);
  if ("RenameStmt" in node) return renamed(node);
  if ("AlterObjectSchemaStmt" in node) {
    const { objectType, relation, newschema } = node.AlterObjectSchemaStmt;
    const table = nameOf(relation);
    if (objectType !== "OBJECT_TABLE") return other(node);
    return [{ kind: "renameTable", table, to: { schema: newschema, name: table.name } }];
  }
  if ("RefreshMatViewStmt" in node) {
    const { relation, concurrent } = node.RefreshMatViewStmt;
    return [{ kind: "refreshView", view: nameOf(relation), concurrently: concurrent === true }];
  }
  if ("CreateEnumStmt" in node || "CompositeTypeStmt" in node) {
    const parts =
      "CreateEnumStmt" in node
        ? (node.CreateEnumStmt.typeName ?? []).flatMap(partsOf)
        : [node.CompositeTypeStmt.typevar?.relname ?? ""];
    return [{ kind: "createType", type: qualified(parts) }];
  }
  if ("AlterEnumStmt" in node) {
    const { typeName = [], newVal = "", oldVal } = node.AlterEnumStmt;
    if (oldVal !== undefined) return other(node);
    return [{ kind: "addEnumValue", type: qualified(typeName.flatMap(partsOf)), value: newVal }];
  }
  if ("ClusterStmt" in node)
    return [{ kind: "rewriteTable", table: nameOf(node.ClusterStmt.relation), how: "CLUSTER" }];
  if ("VacuumStmt" in node) return vacuumed(node, sql);
  const members = memberChanges(node, sql);
  const own = dataChange(node, sql) ?? other(node);
  return members.length > 0 && own.every(({ kind }) => kind === "noTrace") ? members : [...members, ...own];
}

function other(node: Node): Change[] {
  return [{ kind: "otherSql", statement: Object.keys(node)[0] ?? "" }];
}

function createdTable(
  relation: Parameters<typeof nameOf>[0],
  elements: readonly Node[],
  ifNotExists?: boolean,
): Change {
  const columns = elements.flatMap((element): NewColumn[] =>
    "ColumnDef" in element ? [columnOf(element.ColumnDef).column] : [],
  );
  return { kind: "createTable", table: nameOf(relation), columns, ...perhaps(ifNotExists) };
}

function dropped(node: Extract<Node, { DropStmt: object }>): Change[] {
  const { objects = [], removeType, concurrent, behavior } = node.DropStmt;
  const names = objects.map((object) => qualified(partsOf(object)));
  switch (removeType) {
    case "OBJECT_TABLE":
      return names.map((table) => ({ kind: "dropTable", table }));
    case "OBJECT_INDEX":
      return names.map((index) => ({ kind: "dropIndex", index, concurrently: concurrent === true }));
    case "OBJECT_TYPE":
      return names.map((type) => ({ kind: "dropType", type }));
    case "OBJECT_SCHEMA":
      // Without CASCADE the server refuses it while anything is in it.
      if (behavior !== "DROP_CASCADE") return other(node);
      return names.map(({ name }) => ({ kind: "dropSchema", schema: name }));
    default:
      return other(node);
  }
}

function renamed(node: Extract<Node, { RenameStmt: object }>): Change[] {
  const { renameType, relationType, relation, subname = "", newname = "" } = node.RenameStmt;
  const table = nameOf(relation);
  if (renameType === "OBJECT_TABLE") {
    return [{ kind: "renameTable", table, to: { schema: table.schema, name: newname } }];
  }
  if (renameType === "OBJECT_COLUMN" && relationType === "OBJECT_TABLE") {
    return [{ kind: "renameColumn", table, column: subname, to: newname }];
  }
  return other(node);
}

function vacuumed(node: Extract<Node, { VacuumStmt: object }>, sql: string): Change[] {
  const { options = [], rels = [] } = node.VacuumStmt;
  const isFull = options.some((option) => "DefElem" in option && option.DefElem.defname === "full");
  const tables = rels.flatMap((rel): QualifiedName[] =>
    "VacuumRelation" in rel ? [nameOf(rel.VacuumRelation.relation)] : [],
  );
  if (!isFull) return [{ kind: "noTrace", sql }];
  return tables.map((table) => ({ kind: "rewriteTable", table, how: "VACUUM FULL" }));
}

function dataChange(node: Node, sql: string): Change[] | undefined {
  if ("InsertStmt" in node) {
    return [{ kind: "dataChange", verb: "insert", table: nameOf(node.InsertStmt.relation), limited: true }];
  }
  if ("UpdateStmt" in node) {
    const { relation, whereClause } = node.UpdateStmt;
    return [
      { kind: "dataChange", verb: "update", table: nameOf(relation), limited: !isAlwaysTrue(whereClause) },
    ];
  }
  if ("DeleteStmt" in node) {
    const { relation, whereClause } = node.DeleteStmt;
    return [
      { kind: "dataChange", verb: "delete", table: nameOf(relation), limited: !isAlwaysTrue(whereClause) },
    ];
  }
  if ("MergeStmt" in node) {
    return [{ kind: "dataChange", verb: "merge", table: nameOf(node.MergeStmt.relation), limited: true }];
  }
  if ("TruncateStmt" in node) {
    return (node.TruncateStmt.relations ?? []).map((relation) => ({
      kind: "dataChange",
      verb: "truncate",
      table: "RangeVar" in relation ? nameOf(relation.RangeVar) : undefined,
      limited: true,
    }));
  }
  if ("SelectStmt" in node) {
    const { intoClause } = node.SelectStmt;
    if (intoClause !== undefined) return [createdTable(intoClause.rel, [])];
    // A function that it calls may do anything; of a plain question nothing stays.
    return /"FuncCall"/.test(JSON.stringify(node)) && callsMore(node)
      ? other(node)
      : [{ kind: "noTrace", sql }];
  }
  const [kind = ""] = Object.keys(node);
  return noTrace.test(kind) ? [{ kind: "noTrace", sql }] : undefined;
}

/** What the members of a statement's WITH write. */
function memberChanges(node: Node, sql: string): Change[] {
  const [statement] = Object.values(node) as { readonly withClause?: WithClause }[];
  return (statement?.withClause?.ctes ?? []).flatMap((member) => {
    const query = "CommonTableExpr" in member ? member.CommonTableExpr.ctequery : undefined;
    return query === undefined || "SelectStmt" in query ? [] : changesOf(query, sql);
  });
}

/** Functions in a question that only look. */
const looking =
  /^(?:count|min|max|sum|avg|now|coalesce|lower|upper|length|exists|array_agg|string_agg|to_regclass|current_setting|version|current_database|current_schema|bool_or|bool_and|row_number|pg_get_\w+)$/;

function callsMore(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(callsMore);
  if (typeof node !== "object" || node === null) return false;
  return (Object.entries(node) as [string, unknown][]).some(([key, value]) => {
    // Members of a WITH, which are changes of their own.
    if (/^(?:Insert|Update|Delete|Merge)Stmt$/.test(key)) return false;
    if (key === "FuncCall") {
      const { funcname = [] } = value as { readonly funcname?: Node[] };
      if (!looking.test(funcname.flatMap(partsOf).at(-1) ?? "")) return true;
    }
    return callsMore(value);
  });
}
