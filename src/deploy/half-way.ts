import { loadModule } from "libpg-query";
import { type NamedObject, type PresentObject, presentObjects } from "../databases/postgres/present";
import type { Problem } from "../model/deployment";
import type { Change, Operation, QualifiedName } from "../model/operation";
import type { Revision } from "../model/revision";
import { namedTable } from "../tools/named-table";
import { shellWord } from "../tools/shell-words";
import type { SeenDatabase } from "./status";
import type { Target } from "./target";

export interface HalfWay {
  readonly present: readonly PresentObject[];
  readonly problem: Problem;
}

/**
 * Whether objects of a revision that is not applied are there already, by the names that its own statements give them:
 * a try stopped half way outside of its transaction, or somebody was there by hand. Undefined where none is.
 */
export async function halfWay(
  target: Target,
  seen: Pick<SeenDatabase, "versionTable">,
  revision: Revision,
): Promise<HalfWay | undefined> {
  await loadModule();
  const operations = target.read.body(revision).operations;
  const made = madeBy(operations.filter(({ origin }) => origin.direction === "upgrade"));
  const found = await presentObjects(await target.client(), made);
  if (found.size === 0) return undefined;
  const present = [...found.values()];
  const missing = made.filter((object) => !found.has(object));
  const names = present.map(({ kind, name, isInvalid }) => `${kind} ${name}${isInvalid ? " (invalid)" : ""}`);
  const rest =
    missing.length === 0
      ? "all that its statements name is there; rows that it writes are not seen"
      : `not there: ${missing.map(shown).join(", ")}; rows that it writes are not seen`;
  return {
    present,
    problem: {
      what: `Revision ${revision.id} is pending, and objects of it are there already: ${names.join(", ")}.`,
      where: target.where,
      why: "A try before stopped half way (CONCURRENTLY, a COMMIT of its own), or somebody made them; the next try stops at them again.",
      do: [
        "Undo it, and run the same job again:",
        ...[...present].reverse().map(({ drop }) => `${drop};`),
        `Or finish it by hand (${rest}), and then tell the version table:`,
        rowLine(target, seen, revision),
      ].join("\n"),
    },
  };
}

function rowLine(
  { tool, project, run, bytesOf }: Target,
  { versionTable }: Pick<SeenDatabase, "versionTable">,
  revision: Revision,
): string {
  const table = versionTable ?? namedTable(tool);
  const row = tool.rows?.insertion(table, revision, bytesOf(revision));
  if (row !== undefined) return `${row};`;
  const stamp = tool.commands(project).stamp ?? [];
  return [...run, ...stamp, revision.id].map(shellWord).join(" ");
}

/** What a revision makes and does not drop before; what it makes inside of a table of its own goes with that. */
export function madeBy(operations: readonly Operation[]): NamedObject[] {
  const made: NamedObject[] = [];
  const dropped = new Set<string>();
  const tables = new Set<string>();
  for (const operation of operations) {
    const gone = droppedBy(operation);
    if (gone !== undefined) dropped.add(gone);
    const object = objectOf(operation);
    if (object === undefined || dropped.has(`${object.kind} ${object.name}`)) continue;
    if (object.kind === "table") tables.add(object.name);
    else if (object.table !== undefined && tables.has(object.table) && object.kind !== "index") continue;
    made.push(object);
  }
  return made;
}

function objectOf(change: Change): NamedObject | undefined {
  if ("ifNotExists" in change) return undefined;
  const whole = (kind: NamedObject["kind"], { schema, name }: QualifiedName): NamedObject => ({
    kind,
    schema,
    table: undefined,
    name,
  });
  const part = (kind: NamedObject["kind"], table: QualifiedName, name: string): NamedObject => ({
    kind,
    schema: table.schema,
    table: table.name,
    name,
  });
  switch (change.kind) {
    case "createTable":
      return whole("table", change.table);
    case "createMaterializedView":
      return whole("materialized view", change.view);
    case "createType":
      return whole("type", change.type);
    case "createIndex":
      return change.index === undefined ? undefined : part("index", change.table, change.index);
    case "addColumn":
      return part("column", change.table, change.column.name);
    case "addConstraint":
      return change.constraint.name === undefined
        ? undefined
        : part("constraint", change.table, change.constraint.name);
    default:
      return undefined;
  }
}

function droppedBy(change: Change): string | undefined {
  switch (change.kind) {
    case "dropTable":
      return `table ${change.table.name}`;
    case "dropType":
      return `type ${change.type.name}`;
    case "dropIndex":
      return `index ${change.index.name}`;
    case "dropColumn":
      return `column ${change.column}`;
    case "dropConstraint":
      return `constraint ${change.constraint ?? ""}`;
    default:
      return undefined;
  }
}

function shown({ kind, schema, table, name }: NamedObject): string {
  const holder = kind === "index" ? undefined : table;
  return `${kind} ${[schema, holder, name].filter((part) => part !== undefined).join(".")}`;
}
