import { changed, type GeneratedOperation, misnamed, removed } from "./operation";
import type { SchemaState } from "./schema-state";
import { createIndexSource } from "./source";

export function createIndex(schema: SchemaState): GeneratedOperation | undefined {
  const found = schema.tableAndColumn((column) => column.role !== "enum");
  if (found === undefined) return undefined;
  const [table, column] = found;
  const second = schema.random.pick(table.columns);
  const columns = second === column ? [column] : [column, second];
  for (const used of columns) used.uses++;
  const index = { name: schema.name(`ix_${table.name}_`), columns: columns.map(({ name }) => name) };
  table.indexes.push(index);
  const isConcurrent = schema.random.chance(0.3);
  const block = (line: string) =>
    isConcurrent ? ["with op.get_context().autocommit_block():", `    ${line}`] : [line];
  const how = isConcurrent ? ", postgresql_concurrently=True" : "";
  const drop = (name: string) => block(`op.drop_index("${name}", table_name="${table.name}"${how})`);
  const object = `index public.${index.name}`;
  return {
    upgrade: block(createIndexSource(table, index.name, index.columns, how)),
    downgrade: drop(index.name),
    defects: [
      removed("the index is not dropped", object),
      misnamed("the index is dropped under another name", object, drop(`${index.name}_gone`)),
    ],
  };
}

/** Drops an index; the downgrade makes it again. */
export function replaceIndex(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table((candidate) => candidate.indexes.length > 0);
  if (table === undefined) return undefined;
  const index = schema.random.pick(table.indexes);
  table.indexes.splice(table.indexes.indexOf(index), 1);
  const object = `index public.${index.name}`;
  return {
    upgrade: [`op.drop_index("${index.name}", table_name="${table.name}")`],
    downgrade: [createIndexSource(table, index.name, index.columns)],
    defects: [
      changed("the index comes back on another column", object, [
        createIndexSource(table, index.name, ["id"]),
      ]),
      changed("the index comes back as a partial one", object, [
        createIndexSource(table, index.name, index.columns, ', postgresql_where=sa.text("id > 10")'),
      ]),
      {
        kind: "removed",
        what: "the index does not come back",
        object,
        effect: "blocks",
        downgrade: [],
      },
    ],
  };
}
