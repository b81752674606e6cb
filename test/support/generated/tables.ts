import { newColumn } from "./columns";
import { type GeneratedOperation, misnamed, removed } from "./operation";
import type { SchemaState, Table } from "./schema-state";
import { columnSource, execute, referenceColumn } from "./source";

export function createTable(schema: SchemaState): GeneratedOperation {
  const parent = schema.free(schema.tables, (table) => schema.isOurs(table));
  schema.counter += schema.half === undefined ? 0 : (schema.counter + 1 + schema.half) % 2;
  const sequence = schema.counter + 1;
  const table: Table = {
    name: schema.name("t"),
    sequence,
    columns: Array.from({ length: schema.random.between(2, 5) }, () => newColumn(schema)),
    indexes: [],
    comment: undefined,
    rows: 0,
    hasPolicy: false,
  };
  const parts = ['sa.Column("id", sa.Integer(), primary_key=True)', ...table.columns.map(columnSource)];
  const hasReference = parent !== undefined && schema.random.chance(0.6);
  if (hasReference) {
    const reference = referenceColumn(schema.name("ref"));
    reference.uses = 1;
    table.columns.push(reference);
    parts.push(columnSource(reference));
    parts.push(
      `sa.ForeignKeyConstraint(["${reference.name}"], ["${parent.name}.id"], name="fk_${table.name}_${reference.name}")`,
    );
  }
  const upgrade = [`op.create_table("${table.name}", ${parts.join(", ")})`];
  const downgrade = [`op.drop_table("${table.name}")`];
  if (schema.random.chance(0.4)) {
    upgrade.push(`op.create_index("ix_${table.name}_own", "${table.name}", ["${table.columns[0]!.name}"])`);
    table.columns[0]!.uses++;
    downgrade.unshift(`op.drop_index("ix_${table.name}_own", table_name="${table.name}")`);
  }
  schema.tables.push(table);
  schema.touch(table);
  const object = `table public.${table.name}`;
  return {
    upgrade,
    downgrade,
    defects: [
      {
        kind: "removed",
        what: "the table is not dropped",
        object,
        effect: hasReference ? "blocks" : "residue",
        downgrade: [],
        notWith: table.name,
      },
      misnamed("the table is dropped under another name", object, [`op.drop_table("${table.name}_gone")`]),
    ],
  };
}

export function commentTable(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table();
  if (table === undefined) return undefined;
  const from = table.comment;
  const to = schema.name("about ");
  table.comment = to;
  const set = (text: string) => `op.create_table_comment("${table.name}", "${text}")`;
  return {
    upgrade: [set(to)],
    downgrade: [from === undefined ? `op.drop_table_comment("${table.name}")` : set(from)],
    defects: [removed("the table keeps its new comment", `table public.${table.name}`)],
  };
}

export function createPolicy(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table((candidate) => !candidate.hasPolicy);
  if (table === undefined) return undefined;
  table.hasPolicy = true;
  const policy = `only_${table.name}`;
  const dropPolicy = execute(`DROP POLICY ${policy} ON ${table.name}`);
  const disable = execute(`ALTER TABLE ${table.name} DISABLE ROW LEVEL SECURITY`);
  return {
    upgrade: [
      execute(`CREATE POLICY ${policy} ON ${table.name} USING (id > 0)`),
      execute(`ALTER TABLE ${table.name} ENABLE ROW LEVEL SECURITY`),
    ],
    downgrade: [disable, dropPolicy],
    defects: [
      {
        ...removed("the policy is not dropped", `policy public.${table.name}.${policy}`),
        downgrade: [disable],
      },
      {
        ...removed("row level security stays on", `table public.${table.name}`),
        downgrade: [dropPolicy],
      },
    ],
  };
}

export function insertRows(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table((candidate) =>
    candidate.columns.every((column) => column.nullable || column.default),
  );
  if (table === undefined) return undefined;
  const first = 1000 * ++table.rows;
  const last = first + schema.random.between(1, 20);
  return {
    upgrade: [execute(`INSERT INTO ${table.name} (id) SELECT generate_series(${first}, ${last})`)],
    downgrade: [execute(`DELETE FROM ${table.name} WHERE id BETWEEN ${first} AND ${last}`)],
    // Rows are not compared, so nothing is seen of a defect here.
    defects: [],
  };
}

export function createTrigger(schema: SchemaState): GeneratedOperation | undefined {
  const table = schema.table();
  if (table === undefined) return undefined;
  const called = schema.name("touch");
  const trigger = `tr_${called}`;
  const dropTrigger = execute(`DROP TRIGGER ${trigger} ON ${table.name}`);
  const dropFunction = execute(`DROP FUNCTION ${called}()`);
  return {
    upgrade: [
      execute(`CREATE FUNCTION ${called}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$`),
      execute(
        `CREATE TRIGGER ${trigger} BEFORE UPDATE ON ${table.name} FOR EACH ROW EXECUTE FUNCTION ${called}()`,
      ),
    ],
    downgrade: [dropTrigger, dropFunction],
    defects: [
      {
        ...removed("the trigger's function is not dropped", `function public.${called}()`),
        downgrade: [dropTrigger],
      },
      {
        kind: "removed",
        what: "the trigger is not dropped before its function",
        object: `trigger public.${table.name}.${trigger}`,
        effect: "fails",
        downgrade: [dropFunction],
      },
    ],
  };
}
