import { importedNames } from "../python/imports";
import type { PythonFunction, PythonModule } from "../python/module";
import { assignments, isExpression, type Node, statements, textOf } from "../python/tree";
import { assignedIn, bodiesOf, namesIn } from "./bound-names";
import { builtIn, mostRounds } from "./built-in";
import { evaluate, type Scope } from "./expressions";
import { type CallValue, truth, unknown, type Value } from "./values";

/** One call as it would be made, and whether it stands in an autocommit block. */
export interface MadeCall {
  readonly call: CallValue;
  readonly autocommit: boolean;
  /** True for a statement of its own: it is made for what it does, not for what it gives back. */
  readonly isStatement: boolean;
}

/** Statements that are followed at most: a loop in a loop over constants must end. */
const mostSteps = 20_000;

/**
 * Follows a function as Python would run it, both branches of what is not known, loops over constants round by round,
 * functions of the same file with their arguments, and tells every call of an imported name or of a value's method.
 */
export function runFunction(
  fn: PythonFunction,
  module: PythonModule,
): { calls: MadeCall[]; complete: boolean } {
  const run = new Run(module);
  try {
    run.enter(fn, undefined);
  } catch (error) {
    // Nested deeper than the stack reaches.
    if (!(error instanceof RangeError)) throw error;
    return { calls: run.calls, complete: false };
  }
  return { calls: run.calls, complete: run.steps < mostSteps };
}

type Names = Map<string, Value>;

class Run {
  readonly calls: MadeCall[] = [];
  steps = 0;
  private autocommit = 0;
  private readonly open = new Set<Node>();
  /** Where calls begin that are statements of their own. */
  readonly statementCalls = new Set<number>();
  private readonly moduleNames: Names = new Map();
  private readonly resolving = new Set<string>();

  constructor(private readonly module: PythonModule) {
    for (const [name, dotted] of module.imports) this.moduleNames.set(name, { kind: "name", name: dotted });
  }

  /** The body of a function with its arguments; what it returns where that is one known value. */
  enter(fn: PythonFunction, call: CallValue | undefined): Value {
    if (this.open.has(fn.node)) return unknown;
    this.open.add(fn.node);
    const names: Names = new Map();
    this.bindParameters(fn.node, call, names);
    const frame = new Frame(this, names);
    try {
      if (fn.body !== undefined) return frame.block(fn.body)?.value ?? unknown;
      const expression = fn.node.children.findLast(isExpression);
      return expression === undefined ? unknown : evaluate(expression, frame);
    } finally {
      this.open.delete(fn.node);
    }
  }

  private bindParameters(node: Node, call: CallValue | undefined, names: Names): void {
    const list = node.getChild("ParamList");
    const parts = list === null ? [] : list.children;
    let position = 0;
    for (const [index, part] of parts.entries()) {
      const before = parts[index - 1]?.name;
      if (part.name !== "VariableName" || before === "AssignOp") continue;
      const name = textOf(part, this.text);
      if (before === "*" || before === "**") {
        names.set(name, unknown);
        continue;
      }
      const after = parts.slice(index + 1, index + 4).filter((next) => next.name !== "TypeDef");
      const standard = after[0]?.name === "AssignOp" ? after[1] : undefined;
      const given = call?.keywords.get(name) ?? call?.positional[position];
      position++;
      // A project may hand `op` to its revisions.
      const usual: Value =
        name === "op" && call === undefined ? { kind: "name", name: "alembic.op" } : unknown;
      names.set(
        name,
        given ?? (standard === undefined ? usual : evaluate(standard, new Frame(this, new Map()))),
      );
    }
  }

  get text(): string {
    return this.module.source.text;
  }

  global(name: string): Value {
    const known = this.moduleNames.get(name);
    if (known !== undefined) return known;
    const nodes = this.module.values.get(name);
    const [only] = nodes ?? [];
    // Bound under `if` or `try`: which of them ran is not known.
    const isCertain = this.module.places.get(name)?.parent?.name !== "Body";
    if (only === undefined || !isCertain || this.resolving.has(name)) return unknown;
    this.resolving.add(name);
    const before = this.calls.length;
    const frame = new Frame(this, new Map());
    const value: Value =
      nodes?.length === 1
        ? evaluate(only, frame)
        : { kind: "list", items: (nodes ?? []).map((node) => evaluate(node, frame)) };
    // Made when the file was loaded, not here.
    this.calls.length = before;
    this.resolving.delete(name);
    this.moduleNames.set(name, value);
    return value;
  }

  functionNamed(name: string): PythonFunction | undefined {
    return this.module.functions.get(name);
  }

  inAutocommit<T>(isBlock: boolean, work: () => T): T {
    if (isBlock) this.autocommit++;
    try {
      return work();
    } finally {
      if (isBlock) this.autocommit--;
    }
  }

  made(call: CallValue): void {
    const isStatement = this.statementCalls.has(call.from);
    this.calls.push({ call, autocommit: this.autocommit > 0, isStatement });
  }
}

/** How a block was left: by `return`, with its value, or by raise, break, continue. */
interface Left {
  readonly value: Value;
}

class Frame implements Scope {
  private readonly functions = new Map<string, PythonFunction>();

  constructor(
    private readonly run: Run,
    private readonly names: Names,
  ) {}

  get text(): string {
    return this.run.text;
  }

  lookUp(name: string): Value {
    return this.names.get(name) ?? this.run.global(name);
  }

  without(names: readonly string[]): Scope {
    return new Frame(this.run, new Map([...this.names, ...names.map((name) => [name, unknown] as const)]));
  }

  call(call: CallValue, callee: Node): Value {
    if (callee.name === "VariableName" && !this.names.has(textOf(callee, this.text))) {
      const name = textOf(callee, this.text);
      const fn = this.functions.get(name) ?? this.run.functionNamed(name);
      if (fn !== undefined) return this.run.enter(fn, call);
    }
    const result = this.results(call);
    this.run.made(call);
    return result;
  }

  /** What a call gives back, where that is known; the call itself otherwise. */
  private results(call: CallValue): Value {
    const [first] = call.positional;
    if (/(?:^alembic\.op\.|^)f$/.test(call.name) || call.name === "textwrap.dedent") return first ?? unknown;
    if (call.name === "format" && call.receiver !== undefined) return unknown;
    const isBuiltIn = call.receiver === undefined || call.name === "items";
    return (isBuiltIn ? builtIn(call) : undefined) ?? call;
  }

  /** Runs the statements of a block; tells how it was left, undefined when it came to its end. */
  block(body: Node): Left | undefined {
    for (const statement of statements(body)) {
      if (this.run.steps++ > mostSteps) return { value: unknown };
      const left = this.statement(statement);
      if (left !== undefined) return left;
    }
    return undefined;
  }

  private statement(statement: Node): Left | undefined {
    const expressions = statement.children.filter(isExpression);
    switch (statement.name) {
      case "AssignStatement":
        this.assign(statement);
        return undefined;
      case "UpdateStatement":
        for (const expression of expressions.slice(1)) evaluate(expression, this);
        this.forget(namesIn(expressions[0], this.text));
        return undefined;
      case "ReturnStatement": {
        const values = expressions.map((expression) => evaluate(expression, this));
        return { value: values.length === 1 ? (values[0] ?? unknown) : unknown };
      }
      case "RaiseStatement":
        for (const expression of expressions) evaluate(expression, this);
        return { value: unknown };
      case "BreakStatement":
      case "ContinueStatement":
        return { value: unknown };
      case "ImportStatement":
        for (const [name, dotted] of importedNames(statement, this.text)) {
          this.names.set(name, { kind: "name", name: dotted });
        }
        return undefined;
      case "FunctionDefinition": {
        const name = statement.getChild("VariableName");
        const body = statement.getChild("Body") ?? undefined;
        if (name !== null) {
          this.functions.set(textOf(name, this.text), { node: statement, body, decorated: false });
        }
        return undefined;
      }
      case "IfStatement":
        return this.branches(statement);
      case "ForStatement":
        return this.loop(statement);
      case "WithStatement":
        return this.with(statement);
      case "WhileStatement":
      case "TryStatement":
      case "MatchStatement": {
        for (const expression of expressions) evaluate(expression, this);
        const bodies = bodiesOf(statement);
        if (statement.name === "WhileStatement")
          this.forget(bodies.flatMap((body) => assignedIn(body, this.text)));
        for (const body of bodies) this.block(body);
        return undefined;
      }
      default:
        if (statement.name === "ExpressionStatement" && expressions[0]?.name === "CallExpression") {
          this.run.statementCalls.add(expressions[0].from);
        }
        for (const expression of expressions) evaluate(expression, this);
        return undefined;
    }
  }

  private assign(statement: Node): void {
    const evaluated = new Map<Node, Value>();
    for (const { names, values, isTuple } of assignments(statement, this.text)) {
      const known = values.map((node) => {
        const value = evaluated.get(node) ?? evaluate(node, this);
        evaluated.set(node, value);
        return value;
      });
      const [first = unknown] = known;
      const value: Value = isTuple ? { kind: "list", items: known } : first;
      for (const [index, name] of names.entries()) {
        const part = value.kind === "list" ? (value.items[index] ?? unknown) : unknown;
        this.names.set(name, names.length === 1 ? value : part);
      }
    }
  }

  private branches(statement: Node): Left | undefined {
    const results: (Left | undefined)[] = [];
    const before = new Map(this.names);
    const ends: Names[] = [];
    let isCertain = false;
    for (const body of statement.getChildren("Body")) {
      const condition = body.prevSibling;
      this.restore(before);
      const known = condition !== null && isExpression(condition) ? truth(evaluate(condition, this)) : true;
      if (known === false) continue;
      const left = this.block(body);
      results.push(left);
      if (left === undefined) ends.push(new Map(this.names));
      isCertain = known === true;
      if (isCertain) break;
    }
    if (!isCertain) ends.push(before);
    this.restore(ends[0] ?? before);
    for (const end of ends.slice(1)) this.merge(end);
    return isCertain && results.every((left) => left !== undefined) ? { value: unknown } : undefined;
  }

  private restore(names: Names): void {
    this.names.clear();
    for (const [name, value] of names) this.names.set(name, value);
  }

  private merge(other: Names): void {
    for (const name of new Set([...this.names.keys(), ...other.keys()])) {
      if (this.names.get(name) !== other.get(name)) this.names.set(name, unknown);
    }
  }

  private loop(statement: Node): undefined {
    const parts = statement.children;
    const middle = parts.findIndex((node) => node.name === "in");
    const targets = parts.slice(1, middle).filter(isExpression);
    const iterated = parts.slice(middle + 1).filter((node) => isExpression(node));
    const values = iterated.map((node) => evaluate(node, this));
    const list: Value = values.length === 1 ? (values[0] ?? unknown) : { kind: "list", items: values };
    const [body, ...otherwise] = statement.getChildren("Body");
    if (body === undefined) return undefined;
    if (list.kind === "list" && list.items.length <= mostRounds) {
      for (const item of list.items) {
        this.bind(targets, item);
        this.block(body);
      }
    } else {
      this.forget([
        ...assignedIn(body, this.text),
        ...targets.flatMap((target) => namesIn(target, this.text)),
      ]);
      this.block(body);
    }
    for (const more of otherwise) this.block(more);
    return undefined;
  }

  private bind(targets: readonly Node[], value: Value): void {
    const [only] = targets;
    if (targets.length === 1 && only?.name === "VariableName") {
      this.names.set(textOf(only, this.text), value);
      return;
    }
    const inner = targets.length === 1 && only !== undefined ? only.children.filter(isExpression) : targets;
    for (const [index, target] of inner.entries()) {
      const part = value.kind === "list" ? (value.items[index] ?? unknown) : unknown;
      if (target.name === "VariableName") this.names.set(textOf(target, this.text), part);
      else this.bind([target], part);
    }
  }

  private with(statement: Node): Left | undefined {
    const parts = statement.children;
    let isAutocommit = false;
    for (const [index, part] of parts.entries()) {
      if (!isExpression(part) || parts[index - 1]?.name === "as") continue;
      const value = evaluate(part, this);
      if (value.kind === "call" && /(?:^|\.)autocommit_block$/.test(value.name)) isAutocommit = true;
      const target = parts[index + 1]?.name === "as" ? parts[index + 2] : undefined;
      const isBatch = value.kind === "call" && value.name === "alembic.op.batch_alter_table";
      if (target !== undefined) this.bind([target], isBatch ? { kind: "batch", call: value } : value);
    }
    return this.run.inAutocommit(isAutocommit, () => {
      const [body] = statement.getChildren("Body");
      return body === undefined ? undefined : this.block(body);
    });
  }

  private forget(names: readonly string[]): void {
    for (const name of names) this.names.set(name, unknown);
  }
}
