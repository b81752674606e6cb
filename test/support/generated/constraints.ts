import { type Effect, type GeneratedOperation, misnamed } from "./operation";
import type { Column, SchemaState, Table } from "./schema-state";
import { addColumnSource, columnKey, dropColumnSource, referenceColumn } from "./source";

export function addUnique(schema: SchemaState): GeneratedOperation | undefined {
  // Without default and NOT NULL every row has NULL there, and NULLs are no duplicates.
  const found = schema.tableAndColumn(
    (column) => column.role === "plain" && column.default === undefined && !column.hasHistory,
  );
  if (found === undefined) return undefined;
  const [table, column] = found;
  column.hasHistory = true;
  const name = schema.name(`uq_${table.name}_`);
  return constraint(
    schema,
    table,
    [column],
    name,
    `op.create_unique_constraint("${name}", "${table.name}", ["${column.name}"])`,
    "residue",
  );
}

export function addCheck(schema: SchemaState): GeneratedOperation | undefined {
  const numbers = ["sa.Integer()", "sa.BigInteger()", "sa.Numeric(10, 2)", "sa.Numeric(12, 2)"];
  const found = schema.tableAndColumn((column) => column.role === "plain" && numbers.includes(column.type));
  if (found === undefined) return undefined;
  const [table, column] = found;
  const name = schema.name(`ck_${table.name}_`);
  const how = schema.random.chance(0.3) ? ", postgresql_not_valid=True" : "";
  return constraint(
    schema,
    table,
    [column],
    name,
    `op.create_check_constraint("${name}", "${table.name}", "${column.name} >= 0"${how})`,
    "residue",
  );
}

export function addForeignKey(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table();
  const target = schema.table();
  if (table === undefined || target === undefined) return undefined;
  const column = { ...referenceColumn(schema.name("ref")), uses: 1 };
  table.columns.push(column);
  const name = `fk_${table.name}_${column.name}`;
  const object = `constraint public.${table.name}.${name}`;
  const drop = (constraint: string) =>
    `op.drop_constraint("${constraint}", "${table.name}", type_="foreignkey")`;
  return {
    upgrade: [
      addColumnSource(table, column),
      `op.create_foreign_key("${name}", "${table.name}", "${target.name}", ["${column.name}"], ["id"])`,
    ],
    downgrade: [drop(name), dropColumnSource(table, column)],
    defects: [
      misnamed("the foreign key is dropped under another name", object, [
        drop(`${name}_gone`),
        dropColumnSource(table, column),
      ]),
      {
        kind: "removed",
        what: "the column of the foreign key is not dropped",
        object: columnKey(table, column),
        effect: "residue",
        downgrade: [drop(name)],
      },
      {
        kind: "removed",
        what: "the foreign key and its column are not dropped",
        object,
        // The referenced table is dropped first when it is the younger one.
        effect: target.sequence > table.sequence ? "blocks" : "residue",
        downgrade: [],
        notWith: table.name,
      },
    ],
  };
}

function constraint(
  _schema: SchemaState,
  table: Table,
  columns: readonly Column[],
  name: string,
  create: string,
  effect: Effect,
): GeneratedOperation {
  for (const column of columns) column.uses++;
  const object = `constraint public.${table.name}.${name}`;
  const drop = (constraint: string) => `op.drop_constraint("${constraint}", "${table.name}")`;
  return {
    upgrade: [create],
    downgrade: [drop(name)],
    defects: [
      { kind: "removed", what: "the constraint is not dropped", object, effect, downgrade: [] },
      misnamed("the constraint is dropped under another name", object, [drop(`${name}_gone`)]),
    ],
  };
}
