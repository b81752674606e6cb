import { type Assignment, dottedName, isExpression, type Node, textOf } from "./tree";

/** A value that is known without running the file; undefined stands for every other. */
export type Constant = string | null | readonly (string | null)[];

export type Constants = ReadonlyMap<string, Constant | undefined>;

/** The value of an expression: strings, None, tuples, lists and sets of them, names of constants, `+`, f-strings. */
export function constantOf(node: Node, text: string, known: Constants): Constant | undefined {
  switch (node.name) {
    case "None":
      return null;
    case "String":
      return stringValue(textOf(node, text));
    case "ContinuedString":
      return joined(node.children.map((part) => constantOf(part, text, known)));
    case "FormatString":
      return formatted(node, text, known);
    case "VariableName":
      return known.get(textOf(node, text));
    case "ParenthesizedExpression": {
      const inner = node.children.find(isExpression);
      return inner === undefined ? undefined : constantOf(inner, text, known);
    }
    case "TupleExpression":
    case "ArrayExpression":
    case "SetExpression":
      return listOf(node.children, text, known);
    case "BinaryExpression":
      return added(node, text, known);
    case "CallExpression":
      return converted(node, text, known);
    default:
      return undefined;
  }
}

/** What an assignment gives to its names. */
export function assignedConstant(
  assignment: Assignment,
  text: string,
  known: Constants,
): Constant | undefined {
  const [value] = assignment.values;
  if (assignment.names.length !== 1 || value === undefined) return undefined;
  return assignment.isTuple ? listOf(assignment.values, text, known) : constantOf(value, text, known);
}

function listOf(nodes: readonly Node[], text: string, known: Constants): Constant | undefined {
  const items: (string | null)[] = [];
  for (const node of nodes) {
    if (node.name === "*") return undefined;
    if (!isExpression(node)) continue;
    const item = constantOf(node, text, known);
    if (item !== null && typeof item !== "string") return undefined;
    items.push(item);
  }
  return items;
}

function added(node: Node, text: string, known: Constants): Constant | undefined {
  const operator = node.getChild("ArithOp");
  if (
    operator === null ||
    textOf(operator, text) !== "+" ||
    node.firstChild === null ||
    node.lastChild === null
  )
    return undefined;
  const left = constantOf(node.firstChild, text, known);
  const right = constantOf(node.lastChild, text, known);
  if (typeof left === "string" && typeof right === "string") return left + right;
  return Array.isArray(left) && Array.isArray(right) ? [...left, ...right] : undefined;
}

/** `tuple([...])`, `list((...))`, `str("...")`. */
function converted(node: Node, text: string, known: Constants): Constant | undefined {
  const name = dottedName(node.firstChild, text);
  const given = (node.getChild("ArgList") === null ? [] : node.getChild("ArgList")!.children).filter(
    isExpression,
  );
  const [only] = given;
  if (!["tuple", "list", "str"].includes(name) || given.length > 1) return undefined;
  if (only === undefined) return name === "str" ? "" : [];
  const value = constantOf(only, text, known);
  return name === "str"
    ? typeof value === "string"
      ? value
      : undefined
    : Array.isArray(value)
      ? value
      : undefined;
}

function formatted(node: Node, text: string, known: Constants): string | undefined {
  const { raw, start, end } = literal(textOf(node, text));
  let value = "";
  let at = node.from + start;
  for (const part of node.getChildren("FormatReplacement")) {
    const expressions = part.children.filter(isExpression);
    const plain = part.getChild("FormatSpec") === null && part.getChild("FormatSelfDoc") === null;
    const inner = expressions.length === 1 && plain ? constantOf(expressions[0]!, text, known) : undefined;
    if (typeof inner !== "string" || part.getChild("FormatConversion") !== null) return undefined;
    value += unescaped(text.slice(at, part.from), raw).replace(/\{\{|\}\}/g, (pair) => pair[0] ?? "") + inner;
    at = part.to;
  }
  return (
    value + unescaped(text.slice(at, node.from + end), raw).replace(/\{\{|\}\}/g, (pair) => pair[0] ?? "")
  );
}

function joined(parts: readonly (Constant | undefined)[]): string | undefined {
  return parts.every((part) => typeof part === "string") ? parts.join("") : undefined;
}

/** The value of a string literal; undefined for bytes and for `\\N{name}`. */
export function stringValue(source: string): string | undefined {
  const { raw, bytes, start, end } = literal(source);
  return bytes || (!raw && source.includes("\\N{")) ? undefined : unescaped(source.slice(start, end), raw);
}

function literal(source: string): { raw: boolean; bytes: boolean; start: number; end: number } {
  const prefix = /^[a-zA-Z]*/.exec(source)?.[0] ?? "";
  const rest = source.slice(prefix.length);
  const quote = /^("""|''')/.test(rest) ? 3 : 1;
  const closed = rest.length >= 2 * quote && rest.endsWith(rest.slice(0, quote));
  return {
    raw: /r/i.test(prefix),
    bytes: /b/i.test(prefix),
    start: prefix.length + quote,
    end: closed ? source.length - quote : source.length,
  };
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "\n": "",
};

function unescaped(body: string, raw: boolean): string {
  if (!body.includes("\\") && !body.includes("\r")) return body;
  const text = body.replace(/\r\n?/g, "\n");
  if (raw) return text;
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([ntrabfv\\'"\n]))/g,
    (
      _,
      x: string | undefined,
      u: string | undefined,
      long: string | undefined,
      octal: string | undefined,
      one: string,
    ) => {
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      const code = Number.parseInt(x ?? u ?? long ?? "", 16);
      if (Number.isNaN(code)) return escapes[one] ?? "";
      return code > 0x10ffff ? "\uFFFD" : String.fromCodePoint(code);
    },
  );
}
