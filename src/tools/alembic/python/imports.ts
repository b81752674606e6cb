import { type Node, textOf } from "./tree";

/** What an import binds: the name in the file → the dotted name that it stands for. */
export function importedNames(statement: Node, text: string): Map<string, string> {
  const found = new Map<string, string>();
  const { children } = statement;
  const at = children.findIndex(({ name }) => name === "import");
  const source = text.slice(children[0]?.to ?? 0, children[at]?.from ?? 0).trim();
  const isFrom = children[0]?.name === "from";
  let group: Node[] = [];
  const bind = (): void => {
    const renamed = group.findIndex(({ name }) => name === "as");
    const parts = renamed < 0 ? group : group.slice(0, renamed);
    const dotted = parts.map((node) => textOf(node, text)).join("");
    // `import a.b` binds a.
    const own = isFrom ? dotted : dotted.split(".", 1)[0]!;
    const bound = renamed < 0 ? own : textOf(group[renamed + 1] ?? group[renamed]!, text);
    found.set(bound, isFrom ? `${source}.${dotted}` : renamed < 0 ? bound : dotted);
    group = [];
  };
  for (let index = at + 1; index < children.length; index++) {
    const node = children[index]!;
    if (node.name === ",") {
      if (group.length > 0) bind();
    } else if (node.name !== "Comment" && node.name !== "(" && node.name !== ")") group.push(node);
  }
  if (group.length > 0) bind();
  return found;
}
