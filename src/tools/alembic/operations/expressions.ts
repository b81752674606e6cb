import { stringValue } from "../python/constants";
import { isExpression, type Node, textOf } from "../python/tree";
import { type CallValue, constant, textValue, truth, unknown, type Value } from "./values";

/** Where names are looked up and calls are made. */
export interface Scope {
  readonly text: string;
  lookUp(name: string): Value;
  /** Every call, after its arguments; what it gives back. */
  call(call: CallValue, callee: Node): Value;
  /** A scope in which these names stand for nothing that is known. */
  without(names: readonly string[]): Scope;
}

/** The value of an expression; calls in it are made on the way, in Python's order. */
export function evaluate(node: Node, scope: Scope): Value {
  const { text } = scope;
  switch (node.name) {
    case "String":
      return stringOf(node, text);
    case "ContinuedString":
      return joined(node.children.map((part) => evaluate(part, scope)));
    case "FormatString":
      return formatted(node, scope);
    case "Number": {
      const value = Number(textOf(node, text).replaceAll("_", ""));
      return Number.isNaN(value) ? unknown : constant(value);
    }
    case "Boolean":
      return constant(textOf(node, text) === "True");
    case "None":
      return constant(null);
    case "VariableName":
      return scope.lookUp(textOf(node, text));
    case "ParenthesizedExpression":
    case "AwaitExpression": {
      const inner = node.children.find(isExpression);
      return inner === undefined ? unknown : evaluate(inner, scope);
    }
    case "TupleExpression":
    case "ArrayExpression":
    case "SetExpression":
      return listOf(node.children, scope);
    case "DictionaryExpression":
      return dictionaryOf(node.children, scope);
    case "BinaryExpression":
      return binary(node, scope);
    case "UnaryExpression":
      return unary(node, scope);
    case "ConditionalExpression":
      return conditional(node, scope);
    case "MemberExpression":
      return member(node, scope);
    case "CallExpression":
      return calledValue(node, scope);
    case "LambdaExpression":
      return unknown;
    default:
      return visited(node, scope);
  }
}

/** What is in an expression of another kind still runs. */
function visited(node: Node, scope: Scope): Value {
  const bound = /Comprehension/.test(node.name)
    ? node.children
        .filter(({ name, prevSibling }) => name === "VariableName" && prevSibling?.name === "for")
        .map((name) => textOf(name, scope.text))
    : [];
  const inner = bound.length === 0 ? scope : scope.without(bound);
  for (const child of node.children) if (isExpression(child)) evaluate(child, inner);
  return unknown;
}

function stringOf(node: Node, text: string): Value {
  const source = textOf(node, text);
  const value = stringValue(source);
  if (value === undefined) return unknown;
  const start = source.search(/["']/);
  const quote = /^("""|''')/.test(source.slice(start)) ? 3 : 1;
  const at = start + quote;
  const raw = source.slice(at, source.length - quote);
  // Its own line ends are kept, so that places in it are places in the file.
  if (raw === value || raw.replace(/\r\n?/g, "\n") === value) {
    return { kind: "constant", value: raw, offset: node.from + at };
  }
  return constant(value);
}

function joined(parts: readonly Value[]): Value {
  const texts = parts.map(textValue);
  return texts.every((part) => part !== undefined) ? constant(texts.join("")) : unknown;
}

function formatted(node: Node, scope: Scope): Value {
  const replacements = node.getChildren("FormatReplacement");
  const values = replacements.map((part) => replacement(part, scope));
  if (values.some((value) => value === undefined)) return unknown;
  const source = textOf(node, scope.text);
  const prefix = /^[a-zA-Z]*/.exec(source)?.[0] ?? "";
  const quote = /^("""|''')/.test(source.slice(prefix.length)) ? 3 : 1;
  const quotes = source.slice(prefix.length, prefix.length + quote);
  const plain = (from: number, to: number): string => {
    const piece = `${prefix.replace(/f/i, "")}${quotes}${scope.text.slice(from, to)}${quotes}`;
    return (stringValue(piece) ?? "").replace(/\{\{|\}\}/g, (pair) => pair[0] ?? "");
  };
  let at = node.from + prefix.length + quote;
  let result = "";
  for (const [index, part] of replacements.entries()) {
    result += plain(at, part.from) + values[index];
    at = part.to;
  }
  return constant(result + plain(at, node.to - quote));
}

/** The text of `{name}`; undefined where the value is not known or is formatted in a way of its own. */
function replacement(part: Node, scope: Scope): string | undefined {
  const [value] = part.children.filter(isExpression).map((expression) => evaluate(expression, scope));
  const isPlain = ["FormatSpec", "FormatConversion", "FormatSelfDoc"].every(
    (name) => part.getChild(name) === null,
  );
  if (value?.kind !== "constant" || !isPlain) return undefined;
  return typeof value.value === "string" || typeof value.value === "number" ? String(value.value) : undefined;
}

function listOf(nodes: readonly Node[], scope: Scope): Value {
  const items: Value[] = [];
  for (const [index, node] of nodes.entries()) {
    if (!isExpression(node)) continue;
    const value = evaluate(node, scope);
    if (nodes[index - 1]?.name !== "*") items.push(value);
    else if (value.kind === "list") items.push(...value.items);
    else return unknown;
  }
  return { kind: "list", items };
}

function dictionaryOf(nodes: readonly Node[], scope: Scope): Value {
  const entries = new Map<string, Value>();
  const values = nodes.filter(isExpression).map((node) => ({ node, value: evaluate(node, scope) }));
  if (nodes.some(({ name }) => name === "**")) return unknown;
  for (let index = 0; index + 1 < values.length; index += 2) {
    const key = textValue(values[index]?.value);
    if (key === undefined) return unknown;
    entries.set(key, values[index + 1]?.value ?? unknown);
  }
  return { kind: "dictionary", entries };
}

function binary(node: Node, scope: Scope): Value {
  const [leftNode, rightNode] = [node.firstChild, node.lastChild];
  if (leftNode === null || rightNode === null) return unknown;
  const left = evaluate(leftNode, scope);
  const right = evaluate(rightNode, scope);
  const operator = scope.text.slice(leftNode.to, rightNode.from).trim();
  if (operator === "+") {
    const texts = [textValue(left), textValue(right)];
    if (texts.every((part) => part !== undefined)) return constant(texts.join(""));
    if (left.kind === "list" && right.kind === "list") {
      return { kind: "list", items: [...left.items, ...right.items] };
    }
  }
  const number = arithmetic(operator, left, right);
  if (number !== undefined) return constant(number);
  const pattern = textValue(left);
  return operator === "%" && pattern !== undefined ? percent(pattern, right) : unknown;
}

function arithmetic(operator: string, left: Value, right: Value): number | undefined {
  if (left.kind !== "constant" || right.kind !== "constant") return undefined;
  const [one, other] = [left.value, right.value];
  if (typeof one !== "number" || typeof other !== "number") return undefined;
  if (operator === "+") return one + other;
  if (operator === "-") return one - other;
  return operator === "*" ? one * other : undefined;
}

/** `"… %s" % x` and `"… %(name)s" % {…}`, with %s and %d only. */
function percent(pattern: string, value: Value): Value {
  const items = value.kind === "list" ? value.items : [value];
  let next = 0;
  let isKnown = true;
  const text = pattern.replace(
    /%(?:\((\w+)\))?([a-zA-Z%])/g,
    (_, name: string | undefined, letter: string) => {
      if (letter === "%") return "%";
      const item =
        name === undefined
          ? items[next++]
          : value.kind === "dictionary"
            ? value.entries.get(name)
            : undefined;
      if (
        !/[sd]/.test(letter) ||
        item?.kind !== "constant" ||
        typeof item.value === "boolean" ||
        item.value === null
      ) {
        isKnown = false;
        return "";
      }
      return String(item.value);
    },
  );
  return isKnown ? constant(text) : unknown;
}

function unary(node: Node, scope: Scope): Value {
  const inner = node.children.find(isExpression);
  if (inner === undefined) return unknown;
  const value = evaluate(inner, scope);
  const operator = scope.text.slice(node.from, inner.from).trim();
  if (operator === "not") {
    const known = truth(value);
    return known === undefined ? unknown : constant(!known);
  }
  return operator === "-" && value.kind === "constant" && typeof value.value === "number"
    ? constant(-value.value)
    : unknown;
}

function conditional(node: Node, scope: Scope): Value {
  const [yes, condition, no] = node.children.filter(isExpression);
  if (yes === undefined || condition === undefined || no === undefined) return unknown;
  const known = truth(evaluate(condition, scope));
  const values = [yes, no].map((branch, index) =>
    known === (index === 1) ? unknown : evaluate(branch, scope),
  );
  return known === undefined ? unknown : (values[known ? 0 : 1] ?? unknown);
}

function member(node: Node, scope: Scope): Value {
  const [baseNode] = node.children;
  if (baseNode === undefined) return unknown;
  const base = evaluate(baseNode, scope);
  const property = node.getChild("PropertyName");
  if (property !== null) {
    return base.kind === "name"
      ? { kind: "name", name: `${base.name}.${textOf(property, scope.text)}` }
      : unknown;
  }
  const [, indexNode] = node.children.filter(isExpression);
  const index = indexNode === undefined ? unknown : evaluate(indexNode, scope);
  if (index.kind !== "constant") return unknown;
  if (base.kind === "dictionary" && typeof index.value === "string")
    return base.entries.get(index.value) ?? unknown;
  return base.kind === "list" && typeof index.value === "number"
    ? (base.items.at(index.value) ?? unknown)
    : unknown;
}

function calledValue(node: Node, scope: Scope): Value {
  const callee = node.firstChild;
  if (callee === null) return unknown;
  const property = callee.name === "MemberExpression" ? callee.getChild("PropertyName") : null;
  const isMethod = property !== null && callee.firstChild !== null;
  const base = isMethod ? evaluate(callee.firstChild!, scope) : evaluate(callee, scope);
  // A name that nothing binds is Python's own, or a parameter.
  const bare = callee.name === "VariableName" ? textOf(callee, scope.text) : "";
  const method = property === null ? bare : textOf(property, scope.text);
  const isDotted = base.kind === "name";
  const name = isDotted ? (isMethod ? `${base.name}.${method}` : base.name) : method;
  const receiver = isMethod && !isDotted ? base : undefined;
  const made = argumentsOf(node, scope);
  return scope.call({ kind: "call", name, receiver, ...made, from: node.from, to: node.to }, callee);
}

function argumentsOf(node: Node, scope: Scope): Pick<CallValue, "positional" | "keywords" | "complete"> {
  const positional: Value[] = [];
  const keywords = new Map<string, Value>();
  let complete = true;
  const list = node.getChild("ArgList");
  const parts = list === null ? [] : list.children;
  for (const [index, part] of parts.entries()) {
    if (!isExpression(part) || parts[index + 1]?.name === "AssignOp") continue;
    const value = evaluate(part, scope);
    const before = parts[index - 1];
    if (before?.name === "AssignOp") keywords.set(textOf(parts[index - 2]!, scope.text), value);
    else if (before?.name === "*" && value.kind === "list") positional.push(...value.items);
    else if (before?.name === "**" && value.kind === "dictionary") {
      for (const [key, entry] of value.entries) keywords.set(key, entry);
    } else if (before?.name === "*" || before?.name === "**") complete = false;
    else positional.push(value);
  }
  return { positional, keywords, complete };
}
