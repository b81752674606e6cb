import { changed, type GeneratedOperation, misnamed, removed } from "./operation";
import type { Named, SchemaState } from "./schema-state";
import { execute } from "./source";

export function createView(schema: SchemaState): GeneratedOperation | undefined {
  const isFree = schema.random.chance(0.5);
  const table = isFree ? undefined : schema.table();
  const view: Named = { name: schema.name("v"), version: 1, ...(table === undefined ? {} : { table }) };
  schema.views.push(view);
  schema.touch(view);
  const object = `view public.${view.name}`;
  return {
    upgrade: [viewSource(view, 1)],
    downgrade: [execute(`DROP VIEW ${view.name}`)],
    defects: [
      {
        ...removed("the view is not dropped", object),
        effect: table === undefined ? "residue" : "blocks",
      },
      misnamed("the view is dropped under another name", object, [execute(`DROP VIEW ${view.name}_gone`)]),
    ],
  };
}

export function replaceView(schema: SchemaState): GeneratedOperation | undefined {
  const view = schema.free(schema.views, ({ table }) => table === undefined || schema.isOurs(table));
  if (view === undefined || (schema.half !== undefined && view.table === undefined)) return undefined;
  const before = view.version++;
  const replace = (version: number) => [execute(`DROP VIEW ${view.name}`), viewSource(view, version)];
  const object = `view public.${view.name}`;
  return {
    upgrade: replace(view.version),
    downgrade: replace(before),
    defects: [
      removed("the view keeps its new query", object),
      changed("the view gets another query than it had", object, replace(before + 100)),
    ],
  };
}

export function createFunction(schema: SchemaState): GeneratedOperation {
  const made: Named = { name: schema.name("f"), version: 1 };
  schema.functions.push(made);
  schema.touch(made);
  const drop = (name: string) => execute(`DROP FUNCTION ${name}(integer)`);
  const object = `function public.${made.name}(integer)`;
  return {
    upgrade: [functionSource(made, "CREATE")],
    downgrade: [drop(made.name)],
    defects: [
      removed("the function is not dropped", object),
      misnamed("the function is dropped under another name", object, [drop(`${made.name}_gone`)]),
    ],
  };
}

export function replaceFunction(schema: SchemaState): GeneratedOperation | undefined {
  // A function belongs to no table, so a branch leaves those of others alone.
  const made = schema.half === undefined ? schema.free(schema.functions) : undefined;
  if (made === undefined) return undefined;
  const before = { ...made };
  made.version++;
  const object = `function public.${made.name}(integer)`;
  return {
    upgrade: [functionSource(made, "CREATE OR REPLACE")],
    downgrade: [functionSource(before, "CREATE OR REPLACE")],
    defects: [
      removed("the function keeps its new body", object),
      changed("the function gets another body than it had", object, [
        functionSource({ ...before, version: before.version + 100 }, "CREATE OR REPLACE"),
      ]),
    ],
  };
}

export function createSequence(schema: SchemaState): GeneratedOperation {
  const made: Named = { name: schema.name("sq"), version: 1 };
  schema.sequences.push(made);
  schema.touch(made);
  const drop = (name: string) => execute(`DROP SEQUENCE ${name}`);
  const object = `sequence public.${made.name}`;
  return {
    upgrade: [execute(`CREATE SEQUENCE ${made.name}`)],
    downgrade: [drop(made.name)],
    defects: [
      removed("the sequence is not dropped", object),
      misnamed("the sequence is dropped under another name", object, [drop(`${made.name}_gone`)]),
    ],
  };
}

export function alterSequence(schema: SchemaState): GeneratedOperation | undefined {
  const made = schema.half === undefined ? schema.free(schema.sequences) : undefined;
  if (made === undefined) return undefined;
  const before = made.version++;
  const alter = (increment: number) => execute(`ALTER SEQUENCE ${made.name} INCREMENT BY ${increment}`);
  const object = `sequence public.${made.name}`;
  return {
    upgrade: [alter(made.version)],
    downgrade: [alter(before)],
    defects: [
      removed("the sequence keeps its new increment", object),
      changed("the sequence gets another increment than it had", object, [alter(before + 100)]),
    ],
  };
}

function viewSource(view: Named, version: number): string {
  const query =
    view.table === undefined
      ? `SELECT ${version} AS number`
      : `SELECT id FROM ${view.table.name} WHERE id > ${version}`;
  return execute(`CREATE VIEW ${view.name} AS ${query}`);
}

function functionSource(made: Named, verb: string): string {
  return execute(
    `${verb} FUNCTION ${made.name}(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT $1 + ${made.version} $$`,
  );
}
