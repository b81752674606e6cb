import { changed, type Defect, type GeneratedOperation, misnamed, removed } from "./operation";
import type { Column, SchemaState } from "./schema-state";
import { addColumnSource, columnKey, defaultSource, dropColumnSource, execute } from "./source";

export function newColumn(schema: SchemaState): Column {
  const [type, value] = schema.random.pick([
    ["sa.String(40)", "'new'"],
    ["sa.String(120)", "'none'"],
    ["sa.Integer()", "7"],
    ["sa.Numeric(10, 2)", "1.50"],
    ["sa.Boolean()", "false"],
    ["sa.DateTime(timezone=True)", "now()"],
  ] as const);
  const hasDefault = schema.random.chance(0.5);
  return {
    name: schema.name("c"),
    type,
    nullable: !hasDefault || schema.random.chance(0.5),
    default: hasDefault ? value : undefined,
    comment: schema.random.chance(0.25) ? "first words" : undefined,
    role: "plain",
    uses: 0,
    hasHistory: false,
  };
}

export function addColumn(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table();
  if (table === undefined) return undefined;
  const column = { ...newColumn(schema), hasHistory: true };
  table.columns.push(column);
  const object = columnKey(table, column);
  return {
    upgrade: [addColumnSource(table, column)],
    downgrade: [dropColumnSource(table, column)],
    defects: [
      removed("the column is not dropped", object),
      misnamed("the column is dropped under another name", object, [
        `op.drop_column("${table.name}", "${column.name}_gone")`,
      ]),
    ],
  };
}

export function dropColumn(schema: SchemaState): GeneratedOperation | undefined {
  const isDroppable = (column: Column) => column.uses === 0 && column.role === "plain";
  const found = schema.tableAndColumn((column) => isDroppable(column));
  if (found === undefined) return undefined;
  const [table, column] = found;
  table.columns.splice(table.columns.indexOf(column), 1);
  const object = columnKey(table, column);
  const altered: Defect[] = [];
  const variant = (what: string, change: Partial<Column>) =>
    altered.push(changed(what, object, [addColumnSource(table, { ...column, ...change })]));
  const narrower = { "sa.String(40)": "sa.String(20)", "sa.String(120)": "sa.String(60)" }[column.type];
  if (narrower !== undefined) variant("the column comes back with a narrower type", { type: narrower });
  if (column.default !== undefined && column.nullable) {
    variant("the column comes back without its default", { default: undefined });
  }
  if (column.comment !== undefined) {
    variant("the column comes back without its comment", { comment: undefined });
  }
  return {
    upgrade: [dropColumnSource(table, column)],
    downgrade: [addColumnSource(table, column)],
    defects: [
      ...altered,
      {
        kind: "removed",
        what: "the column does not come back",
        object,
        effect: column.hasHistory ? "blocks" : "residue",
        downgrade: [],
      },
    ],
  };
}

export function alterType(schema: SchemaState): GeneratedOperation | undefined {
  const wider: Readonly<Record<string, readonly [string, string]>> = {
    "sa.String(40)": ["sa.String(80)", "sa.String(20)"],
    "sa.String(120)": ["sa.Text()", "sa.String(60)"],
    "sa.Integer()": ["sa.BigInteger()", "sa.SmallInteger()"],
    "sa.Numeric(10, 2)": ["sa.Numeric(12, 2)", "sa.Numeric(8, 2)"],
  };
  const found = schema.tableAndColumn(
    (column) => column.uses === 0 && column.role === "plain" && column.type in wider,
  );
  if (found === undefined) return undefined;
  const [table, column] = found;
  const [to, narrower] = wider[column.type]!;
  const from = column.type;
  const alter = (type: string) => `op.alter_column("${table.name}", "${column.name}", type_=${type})`;
  column.type = to;
  column.hasHistory = true;
  // The server keeps the old type in the default ('new'::character varying), which a new column would not have.
  if (column.default !== undefined) column.uses++;
  const object = columnKey(table, column);
  return {
    upgrade: [alter(to)],
    downgrade: [alter(from)],
    defects: [
      removed("the column keeps its new type", object),
      changed("the column gets a narrower type than it had", object, [alter(narrower)]),
    ],
  };
}

export function alterDefault(schema: SchemaState): GeneratedOperation | undefined {
  const values: Readonly<Record<string, readonly [string, string]>> = {
    "sa.String(40)": ["'b'", "'other'"],
    "sa.String(80)": ["'b'", "'other'"],
    "sa.String(120)": ["'b'", "'other'"],
    "sa.Integer()": ["11", "12"],
    "sa.BigInteger()": ["11", "12"],
    "sa.Numeric(10, 2)": ["2.25", "3.75"],
    "sa.Boolean()": ["true", "NULL"],
  };
  const found = schema.tableAndColumn(
    (column) =>
      column.uses === 0 &&
      column.role === "plain" &&
      column.type in values &&
      column.default !== values[column.type]![0],
  );
  if (found === undefined) return undefined;
  const [table, column] = found;
  const [to, other] = values[column.type]!;
  const from = column.default;
  const alter = (value: string | undefined) =>
    `op.alter_column("${table.name}", "${column.name}", server_default=${defaultSource(value)})`;
  column.default = to;
  column.hasHistory = true;
  const object = columnKey(table, column);
  const isOther = other !== "NULL" && other !== from;
  return {
    upgrade: [alter(to)],
    downgrade: [alter(from)],
    defects: [
      removed("the column keeps its new default", object),
      ...(isOther ? [changed("the column gets another default than it had", object, [alter(other)])] : []),
    ],
  };
}

export function setNotNull(schema: SchemaState): GeneratedOperation | undefined {
  const found = schema.tableAndColumn(
    (column) => column.role === "plain" && column.nullable && column.default !== undefined,
  );
  if (found === undefined) return undefined;
  const [table, column] = found;
  const alter = (nullable: string) =>
    `op.alter_column("${table.name}", "${column.name}", nullable=${nullable})`;
  column.nullable = false;
  column.hasHistory = true;
  return {
    upgrade: [
      execute(`UPDATE ${table.name} SET ${column.name} = DEFAULT WHERE ${column.name} IS NULL`),
      alter("False"),
    ],
    downgrade: [alter("True")],
    defects: [removed("the column stays NOT NULL", columnKey(table, column))],
  };
}

export function commentColumn(schema: SchemaState): GeneratedOperation | undefined {
  const found = schema.tableAndColumn((column) => column.role === "plain");
  if (found === undefined) return undefined;
  const [table, column] = found;
  const from = column.comment;
  const to = schema.name("words ");
  const comment = (text: string | undefined) =>
    execute(`COMMENT ON COLUMN ${table.name}.${column.name} IS ${text === undefined ? "NULL" : `'${text}'`}`);
  column.comment = to;
  column.hasHistory = true;
  const object = columnKey(table, column);
  return {
    upgrade: [comment(to)],
    downgrade: [comment(from)],
    defects: [
      removed("the column keeps its new comment", object),
      changed("the column gets another comment than it had", object, [comment("other words")]),
    ],
  };
}
