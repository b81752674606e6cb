import type { RevisionCall } from "../../../model/revision";
import { type Constant, constantOf } from "./constants";
import type { PythonFunction, PythonModule } from "./module";
import { assignments, dottedName, isExpression, type Node, textOf } from "./tree";

type Bindings = ReadonlyMap<string, readonly Node[]>;

/** Every call in a function and, where they are called, in functions of the same file; a function is opened once. */
export function callsOf(fn: PythonFunction, module: PythonModule): RevisionCall[] {
  const { text } = module.source;
  const calls: RevisionCall[] = [];
  const opened = new Set<Node>();
  visit(fn);
  return calls;

  function visit({ node: functionNode }: PythonFunction): void {
    if (opened.has(functionNode)) return;
    opened.add(functionNode);
    const locals = bindingsIn(functionNode, text);
    functionNode.iterate((node) => {
      if (node.name === "Decorator" || node.name === "ParamList" || node.name === "TypeDef") return false;
      if (node.name !== "CallExpression") return true;
      const name = dottedName(node, text);
      const literals = literalsIn(node, module, locals);
      calls.push({ ...module.source.position(node.from), name, literals });
      const called = node.firstChild?.name === "VariableName" ? module.functions.get(name) : undefined;
      if (called !== undefined) visit(called);
      return true;
    });
  }
}

/** What a function's own names stand for: assignments, loop variables, `with … as`. */
function bindingsIn(functionNode: Node, text: string): Bindings {
  const found = new Map<string, readonly Node[]>();
  const add = (name: string, nodes: readonly Node[]): void => {
    found.set(name, [...(found.get(name) ?? []), ...nodes]);
  };
  functionNode.iterate((cursor) => {
    if (cursor.name === "AssignStatement") {
      for (const { names, values } of assignments(cursor, text)) for (const name of names) add(name, values);
    } else if (cursor.name === "ForStatement") {
      const parts = cursor.children;
      const middle = parts.findIndex((node) => node.name === "in");
      const iterated = parts.slice(middle).filter(isExpression);
      for (const target of parts.slice(0, middle))
        for (const name of namesIn(target, text)) add(name, iterated);
    } else if (cursor.name === "WithStatement") {
      const parts = cursor.children;
      for (const [index, part] of parts.entries()) {
        const item = parts[index - 1];
        const target = parts[index + 1];
        if (part.name === "as" && item !== undefined && target !== undefined)
          add(textOf(target, text), [item]);
      }
    }
    return true;
  });
  return found;
}

function namesIn(target: Node, text: string): string[] {
  if (target.name === "VariableName") return [textOf(target, text)];
  return /^(Tuple|Array|Parenthesized)Expression$/.test(target.name)
    ? target.children.flatMap((node) => namesIn(node, text))
    : [];
}

function literalsIn(call: Node, module: PythonModule, locals: Bindings): string[] {
  const { text } = module.source;
  const literals: string[] = [];
  const looked = new Set<string>();
  collect(call);
  return literals;

  function collect(root: Node): void {
    root.iterate((node) => {
      if (/^(String|ContinuedString|FormatString)$/.test(node.name)) {
        add(constantOf(node, text, module.constants) ?? pieces(node));
        return false;
      }
      const isName =
        node.name === "VariableName" &&
        !(node.parent?.name === "ArgList" && node.nextSibling?.name === "AssignOp");
      if (isName) lookUp(text.slice(node.from, node.to));
      return true;
    });
  }

  function lookUp(name: string): void {
    if (looked.has(name)) return;
    looked.add(name);
    const own = locals.get(name);
    if (own === undefined && module.functions.has(name)) return;
    for (const node of own ?? module.values.get(name) ?? []) collect(node);
  }

  function add(value: Constant): void {
    if (typeof value === "string") literals.push(value);
    else if (value !== null) for (const item of value) if (item !== null) literals.push(item);
  }

  /** What is constant of an f-string that is not constant as a whole. */
  function pieces(node: Node): readonly string[] {
    if (node.name === "ContinuedString") {
      return node.children.flatMap((part) => {
        const value = constantOf(part, text, module.constants);
        return typeof value === "string" ? [value] : pieces(part);
      });
    }
    const replaced = node.getChildren("FormatReplacement");
    const ends = [...replaced.map((part) => part.from), node.to - 1];
    const starts = [textOf(node, text).search(/["']/) + node.from + 1, ...replaced.map((part) => part.to)];
    return starts
      .map((start, index) => text.slice(start, ends[index]).replace(/^""|""$/g, ""))
      .filter((piece) => piece !== "");
  }
}
