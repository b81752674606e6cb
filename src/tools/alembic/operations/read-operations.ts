import type { Change, CoveredLines, Operation, OperationOrigin, Remark } from "../../../model/operation";
import type { Direction } from "../../../model/revision";
import { readSql } from "../../../operations/read-sql";
import { remarksIn } from "../../sql-remarks";
import { foundByName } from "../database-functions";
import type { PythonModule } from "../python/module";
import { firstError } from "../python/tree";
import { operationCall } from "./calls";
import { executedBy } from "./executed";
import { runFunction } from "./run";
import { type CallValue, lastName, textValue, type Value } from "./values";

export interface ReadOperations {
  readonly operations: readonly Operation[];
  readonly remarks: readonly Remark[];
}

/**
 * What `upgrade` or `downgrade` does to the database, as far as it can be told without running it; of several databases
 * what they do to `bind`, to all without it.
 */
export function readOperations(
  module: PythonModule,
  direction: Direction,
  file: string,
  bind?: string,
): ReadOperations {
  const ofDatabases = foundByName(module, direction).filter(
    (name) => bind === undefined || name === `${direction}_${bind}`,
  );
  const read = [direction, ...ofDatabases].map((name) => readFunction(module, name, direction, file));
  return {
    operations: read.flatMap(({ operations }) => operations),
    remarks: read.flatMap(({ remarks }) => remarks),
  };
}

/** The function that does it to one of several databases; the direction's own where there is none of that name. */
export function functionOf(module: PythonModule, direction: Direction, bind: string | undefined): string {
  const name = `${direction}_${bind}`;
  return bind !== undefined && foundByName(module, direction).includes(name) ? name : direction;
}

function readFunction(
  module: PythonModule,
  name: string,
  direction: Direction,
  file: string,
): ReadOperations {
  const fn = module.functions.get(name);
  const operations: Operation[] = [];
  const remarks: Remark[] = [];
  const place = (from: number, to: number): OperationOrigin => ({
    file,
    ...module.source.position(from),
    endLine: module.source.position(Math.max(from, to - 1)).line,
    direction,
  });
  const covered = (from: number, to: number): CoveredLines => {
    const [start, end] = [module.source.position(from), module.source.position(to)];
    return { from: start.line, to: end.line, columns: { from: start.column, to: end.column } };
  };
  const add = (change: Change, origin: OperationOrigin, autocommit: boolean): void => {
    operations.push({ ...change, origin, autocommit });
  };
  if (fn === undefined) {
    const at = module.places.get(name);
    const reason = `${direction} is not a function of this file`;
    if (at !== undefined) add({ kind: "unknown", reason }, place(at.from, at.to), false);
    return { operations, remarks };
  }
  const { calls, complete } = runFunction(fn, module);
  for (const { call, autocommit, isStatement } of calls) {
    const whole = place(call.from, call.to);
    const executed = executedBy(call);
    if (executed?.kind === "text") {
      const { offset } = executed;
      // Put together from parts, it stands nowhere as such: the call is its place.
      const at = (from: number, to: number): OperationOrigin =>
        offset === undefined ? whole : place(offset + from, offset + to);
      const reading = readSql(executed.sql);
      for (const { change, from, to } of reading.changes) add(change, at(from, to), autocommit);
      // A lone statement is its call: what the proof finds stands there.
      const isLone = offset === undefined || reading.statements.length === 1;
      const spoken = (from: number, to: number): CoveredLines =>
        isLone ? covered(call.from, call.to) : covered(offset + from, offset + to);
      remarks.push(...remarksIn(executed.sql, reading, at, spoken));
      continue;
    }
    const changes =
      executed?.changes ?? operationCall(call) ?? typeCall(call) ?? foreignCall(call, isStatement);
    for (const change of changes) add(change, whole, autocommit);
  }
  const error = firstError(fn.node);
  if (error !== undefined) {
    add({ kind: "unknown", reason: "the file does not parse here" }, place(error, error + 1), false);
  }
  if (!complete) {
    add(
      { kind: "unknown", reason: "it does more than can be followed" },
      place(fn.node.from, fn.node.to),
      false,
    );
  }
  return { operations, remarks };
}

/** `sa.Enum(…, name="x").create(bind)` and `.drop(bind)`. */
function typeCall(call: CallValue): Change[] | undefined {
  const name = lastName(call.name);
  const of = call.receiver;
  if (
    (name !== "create" && name !== "drop") ||
    of?.kind !== "call" ||
    !/^(?:Enum|ENUM)$/.test(lastName(of.name))
  ) {
    return undefined;
  }
  const type = {
    schema: textValue(of.keywords.get("schema")),
    name: textValue(of.keywords.get("name")) ?? "",
  };
  return [{ kind: name === "create" ? "createType" : "dropType", type }];
}

/** Modules whose functions change no database. */
const harmless =
  /^(?:sqlalchemy|sqlmodel|alembic|logging|structlog|loguru|warnings|time|os|sys|re|json|uuid|datetime)(?:\.|$)/;

/** A function of another file that is handed `op` or the connection, or is called for what it does. */
function foreignCall(call: CallValue, isStatement: boolean): Change[] {
  if (call.receiver !== undefined || call.name === "" || harmless.test(call.name)) return [];
  const hands = [...call.positional, ...call.keywords.values()].some(isDatabase);
  // What is dotted was imported; the rest is Python's own, or a parameter.
  const isForeign = hands || (isStatement && call.name.includes("."));
  return isForeign ? [{ kind: "unknown", reason: `what ${call.name}() does is not in this file` }] : [];
}

function isDatabase(value: Value): boolean {
  if (value.kind === "name") return value.name === "alembic.op";
  return value.kind === "batch" || (value.kind === "call" && value.name === "alembic.op.get_bind");
}
