import type { Column, Table } from "./schema-state";

export function referenceColumn(name: string): Column {
  return {
    name,
    type: "sa.Integer()",
    nullable: true,
    default: undefined,
    comment: undefined,
    role: "reference",
    uses: 0,
    hasHistory: true,
  };
}

export function columnKey(table: Table, column: Column): string {
  return `column public.${table.name}.${column.name}`;
}

export function defaultSource(value: string | undefined): string {
  return value === undefined ? "None" : `sa.text("${value}")`;
}

export function columnSource(column: Column): string {
  const parts = [`"${column.name}"`, column.type, `nullable=${column.nullable ? "True" : "False"}`];
  if (column.default !== undefined) parts.push(`server_default=${defaultSource(column.default)}`);
  if (column.comment !== undefined) parts.push(`comment="${column.comment}"`);
  return `sa.Column(${parts.join(", ")})`;
}

export function addColumnSource(table: Table, column: Column): string {
  return `op.add_column("${table.name}", ${columnSource(column)})`;
}

export function dropColumnSource(table: Table, column: Column): string {
  return `op.drop_column("${table.name}", "${column.name}")`;
}

export function createIndexSource(table: Table, name: string, columns: readonly string[], how = ""): string {
  return `op.create_index("${name}", "${table.name}", [${columns.map((column) => `"${column}"`).join(", ")}]${how})`;
}

export function execute(sql: string): string {
  return `op.execute(${JSON.stringify(sql)})`;
}
