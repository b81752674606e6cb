import type { Node } from "./node";

export type { Node };

/** Where the first error node stands; undefined where the text parses. */
export function firstError(top: Node): number | undefined {
  if (!top.hasError) return undefined;
  let found: number | undefined;
  top.iterate((node) => {
    if (node.isError) found ??= node.from;
    return found === undefined;
  });
  return found;
}

/** Nodes that are an expression: not punctuation, operators, keywords or comments. */
export function isExpression({ name }: Node): boolean {
  const isKnown = expressions.get(name);
  if (isKnown !== undefined) return isKnown;
  const isOne = /(Expression|String|VariableName|Number|Boolean|None|Ellipsis)$/.test(name);
  expressions.set(name, isOne);
  return isOne;
}

/** By the grammar's names: every node is asked several times. */
const expressions = new Map<string, boolean>();

/** The statements of a `Body` or a `Script`, groups joined by `;` opened. */
export function statements(body: Node): Node[] {
  return body.children.flatMap((child) =>
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
  const [target, sign, value] = statement.children;
  const isPlain =
    statement.children.length === 3 && target?.name === "VariableName" && sign?.name === "AssignOp";
  if (isPlain && value !== undefined && isExpression(value))
    return [{ names: [textOf(target, text)], elsewhere: false, values: [value], isTuple: false }];
  const groups: Node[][] = [[]];
  for (const child of statement.children) {
    if (child.name === "AssignOp") groups.push([]);
    else if (child.name !== "TypeDef" && child.name !== "Comment") groups.at(-1)?.push(child);
  }
  const right = groups.pop() ?? [];
  const values = right.filter(isExpression);
  const isTuple = right.some((node) => node.name === ",");
  return groups.flatMap((left): Assignment[] => {
    const targets = left.flatMap((node) =>
      /^(Tuple|Array|Parenthesized)Expression$/.test(node.name) ? node.children : [node],
    );
    const names = targets.filter((node) => node.name === "VariableName").map((node) => textOf(node, text));
    const elsewhere = targets.some((node) => isExpression(node) && node.name !== "VariableName");
    const inner =
      values.length === 1 && values[0]?.name === "TupleExpression"
        ? values[0].children.filter(isExpression)
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
    return dottedName(node.children.find(isExpression) ?? null, text);
  }
  if (node.name !== "MemberExpression") return "";
  const base = dottedName(node.firstChild, text);
  const property = node.getChild("PropertyName");
  if (property === null) return base;
  return base === "" ? textOf(property, text) : `${base}.${textOf(property, text)}`;
}
