import { parser } from "@lezer/python";

/** A Python syntax tree's node (@lezer/python 1.1.19: the names are its grammar's). */
export type Node = ReturnType<typeof parser.parse>["topNode"];

export function parsePython(text: string): Node {
  return parser.parse(text).topNode;
}

export function children(node: Node): Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

/** Where the first error node stands; undefined where the text parses. */
export function firstError(top: Node): number | undefined {
  if (top.tree !== null && !hasError(top.tree)) return undefined;
  let found: number | undefined;
  top.cursor().iterate((node) => {
    if (node.type.isError) found ??= node.from;
    return found === undefined;
  });
  return found;
}

type Tree = ReturnType<typeof parser.parse>;

/** NodeType.none apart, the error node has the first id of every grammar (@lezer/common 1.x). */
const errorId = 0;

/** The same without a cursor, which takes ten times as long: small nodes lie in buffers, four numbers each. */
function hasError(tree: Tree): boolean {
  if (tree.type.isError) return true;
  return tree.children.some((child) => {
    if (!("buffer" in child)) return hasError(child);
    for (let index = 0; index < child.buffer.length; index += 4)
      if (child.buffer[index] === errorId) return true;
    return false;
  });
}

/** Nodes that are an expression: not punctuation, operators, keywords or comments. */
export function isExpression(node: Node): boolean {
  return /(Expression|String|VariableName|Number|Boolean|None|Ellipsis)$/.test(node.name);
}

/** The statements of a `Body` or a `Script`, groups joined by `;` opened. */
export function statements(body: Node): Node[] {
  return children(body).flatMap((child) =>
    child.name === "StatementGroup"
      ? statements(child)
      : /^[A-Z]/.test(child.name) && child.name !== "Comment"
        ? [child]
        : [],
  );
}

/** One `=` of an assignment: plain names on the left, expressions on the right (several make a tuple). */
export interface Assignment {
  readonly names: readonly string[];
  /** True when something else than plain names is assigned to: an attribute, an item. */
  readonly elsewhere: boolean;
  readonly values: readonly Node[];
  readonly isTuple: boolean;
}

/** Reads `a = b = x`, `a: T = x`, `a = x, y`, `a, b = x, y`; one entry for each target. Undefined for `a: T`. */
export function assignments(statement: Node, text: string): readonly Assignment[] {
  const groups: Node[][] = [[]];
  for (const child of children(statement)) {
    if (child.name === "AssignOp") groups.push([]);
    else if (child.name !== "TypeDef" && child.name !== "Comment") groups.at(-1)?.push(child);
  }
  const right = groups.pop() ?? [];
  const values = right.filter(isExpression);
  const isTuple = right.some((node) => node.name === ",");
  return groups.flatMap((left): Assignment[] => {
    const targets = left.flatMap((node) =>
      /^(Tuple|Array|Parenthesized)Expression$/.test(node.name) ? children(node) : [node],
    );
    const names = targets.filter((node) => node.name === "VariableName").map((node) => textOf(node, text));
    const elsewhere = targets.some((node) => isExpression(node) && node.name !== "VariableName");
    const inner =
      values.length === 1 && values[0]?.name === "TupleExpression"
        ? children(values[0]).filter(isExpression)
        : values;
    if (names.length > 1 && inner.length === names.length) {
      return names.map((name, index) => ({
        names: [name],
        elsewhere,
        values: inner.slice(index, index + 1),
        isTuple: false,
      }));
    }
    return [{ names, elsewhere, values, isTuple }];
  });
}

export function textOf(node: Node, text: string): string {
  return text.slice(node.from, node.to);
}

/** Dotted text of what is called, inner arguments and whitespace left out: `op.f`, `sa.Enum.drop`; "" for what has no name. */
export function dottedName(node: Node | null, text: string): string {
  if (node === null) return "";
  if (node.name === "VariableName") return textOf(node, text);
  if (
    node.name === "CallExpression" ||
    node.name === "AwaitExpression" ||
    node.name === "ParenthesizedExpression"
  ) {
    return dottedName(children(node).find(isExpression) ?? null, text);
  }
  if (node.name !== "MemberExpression") return "";
  const base = dottedName(node.firstChild, text);
  const property = node.getChild("PropertyName");
  if (property === null) return base;
  return base === "" ? textOf(property, text) : `${base}.${textOf(property, text)}`;
}
