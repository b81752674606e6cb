import type { Change, NewConstraint, QualifiedName } from "../../../model/operation";
import { perhaps } from "../../../operations/names";
import { later, once, withLater } from "../later";
import { checkOf, columnOf, serverDefault, typeOf } from "./columns";
import { type CallValue, given, isNone, lastName, tableOf, textValue, truth, type Value } from "./values";

/** Parameters of Alembic's operations in their order (alembic 1.20, operations/base.py). */
const parameters: Readonly<Record<string, readonly string[]>> = {
  add_column: ["table_name", "column"],
  drop_column: ["table_name", "column_name"],
  alter_column: ["table_name", "column_name"],
  create_table: ["table_name"],
  drop_table: ["table_name"],
  rename_table: ["old_table_name", "new_table_name"],
  create_index: ["index_name", "table_name", "columns"],
  drop_index: ["index_name", "table_name"],
  create_foreign_key: ["constraint_name", "source_table", "referent_table", "local_cols", "remote_cols"],
  create_check_constraint: ["constraint_name", "table_name", "condition"],
  create_unique_constraint: ["constraint_name", "table_name", "columns"],
  create_primary_key: ["constraint_name", "table_name", "columns"],
  create_exclude_constraint: ["constraint_name", "table_name"],
  drop_constraint: ["constraint_name", "table_name", "type_"],
  bulk_insert: ["table", "rows"],
};

/** Alembic's operations that have no kind of their own here. */
const others = /^(?:create_table_comment|drop_table_comment|run_async|implementation_for)$/;
const looks = /^(?:get_bind|get_context|f|batch_alter_table|inline_literal|register_operation|invoke)$/;

const tableParameter = /^(?:table_name|source_table)$/;

/** The changes of `op.…(…)` or `batch_op.…(…)`; undefined where the call is not one of Alembic's operations. */
export function operationCall(call: CallValue): Change[] | undefined {
  const batch = call.receiver?.kind === "batch" ? call.receiver.call : undefined;
  const isOperation = call.name.startsWith("alembic.op.") || call.name.startsWith("alembic.operations.");
  if (batch === undefined && !isOperation) return undefined;
  const name = lastName(call.name);
  if (looks.test(name)) return [];
  if (name === "execute") return undefined;
  const names = parameters[name];
  if (names === undefined) {
    if (others.test(name)) return [{ kind: "otherSql", statement: name }];
    return [{ kind: "unknown", reason: `op.${name} is not one of Alembic's own operations` }];
  }
  if (!call.complete) {
    return [{ kind: "unknown", reason: `the arguments of op.${name} are put together when it runs` }];
  }
  const own = batch === undefined ? names : names.filter((parameter) => !tableParameter.test(parameter));
  const argument = given(call, own);
  const of = batch === undefined ? argument : withTable(argument, batch);
  const changes = changesOf(name, of, call);
  return changes ?? [{ kind: "unknown", reason: `an argument of op.${name} is not known before it runs` }];
}

type Argument = (name: string) => Value | undefined;

function withTable(argument: Argument, batch: CallValue): Argument {
  const ofBatch = given(batch, ["table_name", "schema"]);
  return (name) => {
    if (tableParameter.test(name)) return ofBatch("table_name");
    return name === "schema" || name === "source_schema" ? ofBatch("schema") : argument(name);
  };
}

function changesOf(name: string, of: Argument, call: CallValue): Change[] | undefined {
  const text = (parameter: string): string | undefined => textValue(of(parameter));
  const table = qualifiedBy(of, "table_name", "schema");
  const column = text("column_name");
  switch (name) {
    case "add_column":
      return table === undefined ? undefined : addedColumn(table, of);
    case "drop_column":
      return table === undefined || column === undefined
        ? undefined
        : [{ kind: "dropColumn", table, column }];
    case "alter_column":
      return table === undefined || column === undefined ? undefined : alteredColumn(table, column, of);
    case "create_table":
      return table === undefined ? undefined : createdTable(table, of, call);
    case "drop_table":
      return table === undefined ? undefined : [{ kind: "dropTable", table }];
    case "rename_table": {
      const from = qualifiedBy(of, "old_table_name", "schema");
      const to = qualifiedBy(of, "new_table_name", "schema");
      return from === undefined || to === undefined ? undefined : [{ kind: "renameTable", table: from, to }];
    }
    case "create_index":
      return table === undefined ? undefined : createdIndex(table, of);
    case "drop_index": {
      const index = qualifiedBy(of, "index_name", "schema");
      return index === undefined
        ? undefined
        : [{ kind: "dropIndex", index, concurrently: truth(of("postgresql_concurrently")) === true }];
    }
    case "drop_constraint":
      return table === undefined
        ? undefined
        : [{ kind: "dropConstraint", table, constraint: text("constraint_name") }];
    case "bulk_insert": {
      const [first] = call.positional;
      return [{ kind: "dataChange", verb: "insert", table: tableOf(first), limited: true }];
    }
    default:
      return addedConstraint(name, of);
  }
}

function qualifiedBy(of: Argument, name: string, schema: string): QualifiedName | undefined {
  const known = textValue(of(name));
  const given = of(schema);
  if (known === undefined || (given !== undefined && !isNone(given) && textValue(given) === undefined)) {
    return undefined;
  }
  return { schema: textValue(given), name: known };
}

/** Alembic makes indexes and constraints of the column by statements of their own, right after ADD COLUMN. */
function addedColumn(table: QualifiedName, of: Argument): Change[] | undefined {
  const written = columnOf(of("column"));
  if (written === undefined) return undefined;
  return [
    { kind: "addColumn", table, column: written.column, ...unlessThere(of) },
    ...written.constraints.map((constraint): Change => ({ kind: "addConstraint", table, constraint })),
    ...(written.hasIndex
      ? [{ kind: "createIndex" as const, index: undefined, table, unique: false, concurrently: false }]
      : []),
  ];
}

function createdTable(table: QualifiedName, of: Argument, call: CallValue): Change[] {
  const columns = call.positional.flatMap((item) => columnOf(item)?.column ?? []);
  return [{ kind: "createTable", table, columns, ...unlessThere(of) }];
}

/** `if_not_exists=`, also where its value is not known. */
function unlessThere(of: Argument): { readonly ifNotExists?: true } {
  const value = of("if_not_exists");
  return perhaps(value !== undefined && !isNone(value) && truth(value) !== false);
}

function createdIndex(table: QualifiedName, of: Argument): Change[] {
  const concurrently = of("postgresql_concurrently");
  // What is not known is not held against it.
  const isConcurrent = concurrently === undefined ? false : (truth(concurrently) ?? true);
  return [
    {
      kind: "createIndex",
      index: textValue(of("index_name")),
      table,
      unique: truth(of("unique")) === true,
      concurrently: isConcurrent,
      ...unlessThere(of),
    },
  ];
}

/** In the order in which Alembic's PostgreSQL dialect writes them (ddl/postgresql.py, ddl/impl.py). */
function alteredColumn(table: QualifiedName, column: string, of: Argument): Change[] {
  const changes: Change[] = [];
  const nullable = truth(of("nullable"));
  const filled = of("server_default");
  const type = of("type_");
  const renamed = textValue(of("new_column_name"));
  if (nullable !== undefined) changes.push({ kind: "changeNullable", table, column, nullable });
  // False is Alembic's word for "leave it".
  if (filled !== undefined && truth(filled) !== false) {
    changes.push({ kind: "changeDefault", table, column, default: serverDefault(filled) });
  } else if (isNone(filled)) changes.push({ kind: "changeDefault", table, column, default: "none" });
  if (type !== undefined && !isNone(type)) {
    changes.push({
      kind: "changeType",
      table,
      column,
      from: typeOf(of("existing_type")),
      to: typeOf(type),
      computed: isConversion(of("postgresql_using"), column),
    });
  }
  if (of("comment") !== undefined) changes.push({ kind: "otherSql", statement: "CommentStmt" });
  if (renamed !== undefined && renamed !== column)
    changes.push({ kind: "renameColumn", table, column, to: renamed });
  return changes;
}

/** `c::type` is what happens anyway, unless the type is another. */
function isConversion(using: Value | undefined, column: string): boolean {
  if (using === undefined || isNone(using)) return false;
  const text = textValue(using)?.replaceAll('"', "").replace(/\s+/g, "");
  return text === undefined || !(text === column || /^::[\w()]+$/.test(text.slice(column.length)));
}

const constraintKinds: Readonly<Record<string, NewConstraint["kind"]>> = {
  create_foreign_key: "foreignKey",
  create_check_constraint: "check",
  create_unique_constraint: "unique",
  create_primary_key: "primaryKey",
  create_exclude_constraint: "exclude",
};

function addedConstraint(name: string, of: Argument): Change[] | undefined {
  const kind = constraintKinds[name];
  const isForeign = kind === "foreignKey";
  const table = isForeign
    ? qualifiedBy(of, "source_table", "source_schema")
    : qualifiedBy(of, "table_name", "schema");
  if (kind === undefined || table === undefined) return undefined;
  const columns = of(isForeign ? "local_cols" : "columns");
  const known = {
    kind,
    name: textValue(of("constraint_name")),
    notValid: of("postgresql_not_valid") !== undefined && truth(of("postgresql_not_valid")) !== false,
    usingIndex: false,
    trivial: false,
  };
  const listed = columns?.kind === "list" ? columns.items.flatMap((item) => textValue(item) ?? []) : [];
  const constraint = withCondition(known, listed, textOfCondition(of("condition")));
  return [{ kind: "addConstraint", table, constraint }];
}

const conditionLater = later<NewConstraint, "columns" | "notNullColumn">("columns", "notNullColumn");

/** Few ask what a check is about: its condition is parsed when one does. */
function withCondition(
  known: Omit<NewConstraint, "columns" | "notNullColumn">,
  listed: readonly string[],
  condition: string | undefined,
): NewConstraint {
  if (condition === undefined) return { ...known, columns: listed, notNullColumn: undefined };
  const parsed = once(() => {
    const check = checkOf(condition);
    return { columns: check?.columns ?? listed, notNullColumn: check?.notNullColumn };
  });
  return withLater(known, parsed, conditionLater);
}

function textOfCondition(value: Value | undefined): string | undefined {
  return textValue(value) ?? (value?.kind === "call" ? textValue(value.positional[0]) : undefined);
}
