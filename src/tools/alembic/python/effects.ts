import { type Constants, constantOf } from "./constants";
import type { PythonFunction, PythonModule } from "./module";
import { assignments, dottedName, isExpression, type Node, statements, textOf } from "./tree";

/** What running a function does: nothing for certain, only `raise NotImplementedError(reason)`, or perhaps something. */
export type Effect =
  | { readonly kind: "nothing" }
  | { readonly kind: "refuses"; readonly reason: string }
  | { readonly kind: "something" };

type StatementEffect = Effect | { readonly kind: "leaves" };

const nothing = { kind: "nothing" } as const;
const something = { kind: "something" } as const;

/** Calls that look, make an object or log, and change nothing in a database. */
const inertCalls = [
  /^(print|len|str|int|bool|range|list|tuple|dict|set|sorted|enumerate|zip|isinstance|getattr|hasattr|repr|format)$/,
  /^(logging|logger|_logger|log|_log|LOG|LOGGER)(\.getLogger)?\.(debug|info|warning|warn|error|critical|exception|getLogger)$/,
  /^warnings\.warn$/,
  /^op\.(get_bind|get_context|f)$/,
  /^context\.(is_offline_mode|get_context|get_bind)$/,
  /^(sa|sqlalchemy|postgresql)\.\w+$/,
  /^(text|inspect)$/,
];

/** Blocks that do nothing when what is in them does nothing. */
const inertBlocks = [
  /^op\.batch_alter_table$/,
  /^(op|context)\.get_context\.(autocommit_block|begin_transaction)$/,
];

const inertSql =
  /^(\s|;|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)*(select\s+(\d+|null|true|false|'[^']*')\s*;?\s*)?(\s|--[^\n]*(\n|$))*$/i;

/**
 * Whether a function certainly does nothing, or refuses by NotImplementedError as its only effect. Functions of the
 * same file are followed. A coroutine or a generator does nothing either: Alembic calls it and drops what it returns.
 */
export function effectOf(fn: PythonFunction, module: PythonModule): Effect {
  const { source, constants } = module;
  const { text } = source;
  const open = new Set<Node>();
  return ofFunction(fn);

  function ofFunction({ node, body, decorated }: PythonFunction): Effect {
    if (decorated || open.has(node)) return something;
    if (isNeverRun(node, text)) return nothing;
    open.add(node);
    const value = node.children.findLast(isExpression);
    const effect =
      body !== undefined ? ofBody(body) : value !== undefined && isInert(value) ? nothing : something;
    open.delete(node);
    return effect.kind === "leaves" ? nothing : effect;
  }

  function ofBody(body: Node): StatementEffect {
    for (const statement of statements(body)) {
      const effect = ofStatement(statement);
      if (effect.kind !== "nothing") return effect;
    }
    return nothing;
  }

  function ofStatement(statement: Node): StatementEffect {
    const inner = statement.children;
    const bodies = statement.getChildren("Body");
    const expressions = inner.filter(isExpression);
    switch (statement.name) {
      case "PassStatement":
      case "ImportStatement":
      case "ScopeStatement":
      case "PrintStatement":
      case "FunctionDefinition":
        return nothing;
      case "ExpressionStatement":
        return ofExpressions(expressions);
      case "AssignStatement": {
        const plain = assignments(statement, text).every(({ elsewhere }) => !elsewhere);
        return plain && expressions.every(isInert) ? nothing : something;
      }
      case "DeleteStatement":
        return expressions.every((target) => target.name === "VariableName") ? nothing : something;
      case "UpdateStatement":
        return expressions[0]?.name === "VariableName" && expressions.every(isInert) ? nothing : something;
      case "ReturnStatement": {
        const effect = ofExpressions(expressions);
        return effect.kind === "nothing" ? { kind: "leaves" } : effect;
      }
      case "RaiseStatement":
        return refusal(expressions[0]);
      case "IfStatement":
        return expressions.every(isInert) && bodies.every((body) => isDead(body) || isQuiet(body))
          ? nothing
          : something;
      case "TryStatement":
      case "ForStatement":
      case "WhileStatement":
        return expressions.every(isInert) && bodies.every(isQuiet) ? nothing : something;
      case "WithStatement":
        return expressions.every((item) => isInert(item) || isInertBlock(item)) && bodies.every(isQuiet)
          ? nothing
          : something;
      default:
        return something;
    }
  }

  function ofExpressions(expressions: readonly Node[]): Effect {
    const [call] = expressions;
    if (
      expressions.length === 1 &&
      call?.name === "CallExpression" &&
      call.firstChild?.name === "VariableName"
    ) {
      const called = module.functions.get(textOf(call.firstChild, text));
      if (called !== undefined && argumentsOf(call).every(isInert)) return ofFunction(called);
    }
    return expressions.every(isInert) ? nothing : something;
  }

  function isQuiet(body: Node): boolean {
    const { kind } = ofBody(body);
    return kind === "nothing" || kind === "leaves";
  }

  function isDead(body: Node): boolean {
    const condition = body.prevSibling;
    return condition !== null && ["False", "0", "None"].includes(textOf(condition, text));
  }

  function refusal(raised: Node | undefined): Effect {
    if (raised === undefined || dottedName(raised, text) !== "NotImplementedError") return something;
    const [reason] = raised.name === "CallExpression" ? argumentsOf(raised) : [];
    if (reason === undefined) return { kind: "refuses", reason: "" };
    const value = constantOf(reason, text, constants);
    return { kind: "refuses", reason: typeof value === "string" ? value : textOf(reason, text) };
  }

  function isInert(expression: Node): boolean {
    let inert = true;
    expression.iterate((node) => {
      if (/^(AwaitExpression|YieldExpression)$/.test(node.name) || node.isError) inert = false;
      else if (node.name === "CallExpression" && !isInertCall(node)) inert = false;
      return inert && node.name !== "LambdaExpression";
    });
    return inert;
  }

  function isInertCall(call: Node): boolean {
    const callee = call.firstChild;
    // `getattr(op, name)(…)` calls what a call returned: it has no name of its own.
    if (callee?.name !== "VariableName" && !callee?.getChild("PropertyName")) return false;
    const name = dottedName(call, text);
    const called = callee.name === "VariableName" ? module.functions.get(name) : undefined;
    if (called !== undefined) return ofFunction(called).kind === "nothing";
    const isKnown = inertCalls.some((pattern) => pattern.test(name));
    if (isKnown && !isRebound(name.split(".")[0] ?? "")) return true;
    if (!/(^|\.)execute$/.test(name)) return false;
    const sql = sqlText(argumentsOf(call)[0], text, constants);
    return sql !== undefined && inertSql.test(sql);
  }

  /** True for a well-known name that the module gives another meaning; loggers are assigned by nature. */
  function isRebound(name: string): boolean {
    return (module.values.get(name) ?? []).some((value) => !/get_?logger/i.test(textOf(value, text)));
  }

  function isInertBlock(item: Node): boolean {
    const name = dottedName(item, text);
    return inertBlocks.some((pattern) => pattern.test(name)) && !textOf(item, text).includes("recreate");
  }
}

/** True for `async def` and for a generator: calling it runs none of its body. */
function isNeverRun(node: Node, text: string): boolean {
  if (node.getChild("async") !== null) return true;
  if (!textOf(node, text).includes("yield")) return false;
  let yields = false;
  node.iterate((inner) => {
    if (/^Yield(Statement|Expression)$/.test(inner.name)) yields = true;
    return (
      inner.from === node.from || !/^(FunctionDefinition|LambdaExpression|ClassDefinition)$/.test(inner.name)
    );
  });
  return yields;
}

function argumentsOf(call: Node): Node[] {
  const list = call.getChild("ArgList");
  return list === null
    ? []
    : list.children.filter((node) => isExpression(node) && node.nextSibling?.name !== "AssignOp");
}

/** The constant text of `"…"`, `text("…")`, `sa.text("…")`. */
function sqlText(node: Node | undefined, text: string, constants: Constants): string | undefined {
  if (node === undefined) return undefined;
  if (node.name === "CallExpression" && /^(sa\.|sqlalchemy\.)?text$/.test(dottedName(node, text))) {
    return sqlText(argumentsOf(node)[0], text, constants);
  }
  const value = constantOf(node, text, constants);
  return typeof value === "string" ? value : undefined;
}
