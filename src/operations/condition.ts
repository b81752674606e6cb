import type { Node } from "libpg-query";

/** True for no WHERE at all, `true`, `1 = 1` and what is put together of them: it leaves no row out. */
export function isAlwaysTrue(condition: Node | undefined): boolean {
  return condition === undefined || isTrue(condition);
}

function isTrue(node: Node): boolean {
  if ("A_Const" in node) return node.A_Const.boolval?.boolval === true;
  if ("BoolExpr" in node) {
    const { boolop, args = [] } = node.BoolExpr;
    if (boolop === "AND_EXPR") return args.every(isTrue);
    return boolop === "OR_EXPR" && args.some(isTrue);
  }
  if (!("A_Expr" in node)) return false;
  const { kind, name = [], lexpr, rexpr } = node.A_Expr;
  const [operator] = name.map((part) => ("String" in part ? part.String.sval : undefined));
  const left = constantOf(lexpr);
  return kind === "AEXPR_OP" && operator === "=" && left !== undefined && left === constantOf(rexpr);
}

/** A constant as text, NULL aside, which equals nothing. */
function constantOf(node: Node | undefined): string | undefined {
  if (node === undefined || !("A_Const" in node) || node.A_Const.isnull === true) return undefined;
  const { location: _, ...value } = node.A_Const;
  return JSON.stringify(value);
}
