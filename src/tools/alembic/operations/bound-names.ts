import { assignments, type Node, textOf } from "../python/tree";

/** Plain names of an assignment's or a loop's target. */
export function namesIn(target: Node | undefined, text: string): string[] {
  if (target === undefined) return [];
  if (target.name === "VariableName") return [textOf(target, text)];
  return /^(Tuple|Array|Parenthesized)Expression$/.test(target.name)
    ? target.children.flatMap((node) => namesIn(node, text))
    : [];
}

/** Names that a block gives other values: what they were before a loop is not what they are in its second round. */
export function assignedIn(body: Node, text: string): string[] {
  const names: string[] = [];
  body.iterate((node) => {
    if (node.name === "AssignStatement") names.push(...assignments(node, text).flatMap((one) => one.names));
    else if (node.name === "UpdateStatement") names.push(...namesIn(node.firstChild ?? undefined, text));
    return true;
  });
  return names;
}

/** Bodies of a statement, those of `match`'s cases included. */
export function bodiesOf(statement: Node): Node[] {
  return statement
    .getChildren("Body")
    .flatMap((body) => [
      body,
      ...[...body.getChildren("MatchClause"), ...statement.getChildren("MatchClause")].flatMap((clause) =>
        clause.getChildren("Body"),
      ),
    ]);
}
