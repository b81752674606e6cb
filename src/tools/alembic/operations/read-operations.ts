import type { Change, Operation, OperationOrigin, Remark } from "../../../model/operation";
import type { Direction } from "../../../model/revision";
import type { PythonModule } from "../python/module";
import { operationCall } from "./calls";
import { lastName } from "./columns";
import { executedBy, type SqlComment } from "./executed";
import { runFunction } from "./run";
import { type CallValue, textValue, type Value } from "./values";

export interface ReadOperations {
  readonly operations: readonly Operation[];
  readonly remarks: readonly Remark[];
}

/** What `upgrade` or `downgrade` does to the database, as far as it can be told without running it. */
export function readOperations(module: PythonModule, direction: Direction, file: string): ReadOperations {
  const fn = module.functions.get(direction);
  const operations: Operation[] = [];
  const remarks: Remark[] = [];
  const place = (from: number, to: number): OperationOrigin => ({
    file,
    ...module.source.position(from),
    endLine: module.source.position(Math.max(from, to - 1)).line,
    direction,
  });
  const add = (change: Change, origin: OperationOrigin, autocommit: boolean): void => {
    operations.push({ ...change, origin, autocommit });
  };
  if (fn === undefined) {
    const at = module.places.get(direction);
    const reason = `${direction} is not a function of this file`;
    if (at !== undefined) add({ kind: "unknown", reason }, place(at.from, at.to), false);
    return { operations, remarks };
  }
  const { calls, complete } = runFunction(fn, module);
  for (const { call, autocommit } of calls) {
    const whole = place(call.from, call.to);
    const executed = executedBy(call);
    for (const { change, from, to } of executed?.changes ?? []) {
      add(change, from === undefined || to === undefined ? whole : place(from, to), autocommit);
    }
    for (const comment of executed?.comments ?? []) remarks.push(...remarkOf(comment, whole, place));
    if (executed !== undefined) continue;
    const changes = operationCall(call) ?? typeCall(call) ?? foreignCall(call);
    for (const change of changes) add(change, whole, autocommit);
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

/** A function of another file that is handed `op` or the connection. */
function foreignCall(call: CallValue): Change[] {
  const isKnown =
    call.receiver !== undefined || /^(?:sqlalchemy|alembic|logging|sqlmodel)(?:\.|$)/.test(call.name);
  const hands = [...call.positional, ...call.keywords.values()].some(isDatabase);
  return isKnown || !hands || call.name === ""
    ? []
    : [{ kind: "unknown", reason: `what ${call.name}() does is not in this file` }];
}

function isDatabase(value: Value): boolean {
  if (value.kind === "name") return value.name === "alembic.op";
  return value.kind === "batch" || (value.kind === "call" && value.name === "alembic.op.get_bind");
}

const addressed = /migration-gate:\s*([\s\S]*)/;

function remarkOf(
  { text, from, covers }: SqlComment,
  whole: OperationOrigin,
  place: (from: number, to: number) => OperationOrigin,
): Remark[] {
  const said = addressed.exec(text)?.[1]?.replace(/\*\/$/, "").trim();
  if (said === undefined) return [];
  const at = from === undefined ? whole : place(from, from + 1);
  const lines = covers === undefined ? whole : place(covers.from, covers.to);
  const { file, line, column } = at;
  return [{ file, line, column, text: said, covers: { from: lines.line, to: lines.endLine } }];
}
