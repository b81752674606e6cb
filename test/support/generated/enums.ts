import { type GeneratedOperation, misnamed, removed } from "./operation";
import type { SchemaState } from "./schema-state";
import { execute } from "./source";

export function createEnum(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table();
  if (table === undefined) return undefined;
  const name = schema.name("kind");
  const column = schema.name("k");
  table.columns.push({
    name: column,
    type: name,
    nullable: false,
    default: "'one'",
    comment: undefined,
    role: "enum",
    uses: 1,
    hasHistory: true,
  });
  schema.enums.push({ name, table, column, labels: ["one", "two"] });
  const dropType = execute(`DROP TYPE ${name}`);
  const dropColumnLine = `op.drop_column("${table.name}", "${column}")`;
  const object = `enum type public.${name}`;
  return {
    upgrade: [
      execute(`CREATE TYPE ${name} AS ENUM ('one', 'two')`),
      execute(`ALTER TABLE ${table.name} ADD COLUMN ${column} ${name} NOT NULL DEFAULT 'one'`),
    ],
    downgrade: [dropColumnLine, dropType],
    defects: [
      { ...removed("the enum type is not dropped", object), downgrade: [dropColumnLine] },
      {
        ...misnamed("the enum type is dropped before its column", object, [dropType, dropColumnLine]),
        kind: "altered",
      },
    ],
  };
}

export function addEnumValue(schema: SchemaState): GeneratedOperation | undefined {
  const type = schema.free(schema.enums, ({ table }) => schema.isOurs(table) && !schema.isTouched(table));
  if (type === undefined) return undefined;
  schema.touch(type.table);
  const before = type.labels.map((label) => `'${label}'`).join(", ");
  const label = schema.name("more");
  type.labels.push(label);
  const column = `ALTER TABLE ${type.table.name} ALTER COLUMN ${type.column}`;
  return {
    upgrade: [
      "with op.get_context().autocommit_block():",
      `    ${execute(`ALTER TYPE ${type.name} ADD VALUE '${label}'`)}`,
    ],
    downgrade: [
      execute(`${column} DROP DEFAULT`),
      execute(`ALTER TYPE ${type.name} RENAME TO ${type.name}_before`),
      execute(`CREATE TYPE ${type.name} AS ENUM (${before})`),
      execute(`${column} TYPE ${type.name} USING ${type.column}::text::${type.name}`),
      execute(`${column} SET DEFAULT 'one'`),
      execute(`DROP TYPE ${type.name}_before`),
    ],
    defects: [removed("the value stays in the enum type", `enum type public.${type.name}`)],
  };
}
