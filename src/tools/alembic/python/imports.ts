import { children, type Node, textOf } from "./tree";

/** What an import binds: the name in the file → the dotted name that it stands for. */
export function importedNames(statement: Node, text: string): Map<string, string> {
  const found = new Map<string, string>();
  const words = children(statement).filter((node) => !["Comment", "(", ")"].includes(node.name));
  const at = words.findIndex((node) => node.name === "import");
  const source = text.slice(words[0]?.to ?? 0, words[at]?.from ?? 0).trim();
  const isFrom = words[0]?.name === "from";
  for (const group of groups(words.slice(at + 1))) {
    const renamed = group.findIndex((node) => node.name === "as");
    const parts = renamed < 0 ? group : group.slice(0, renamed);
    const dotted = parts.map((node) => textOf(node, text)).join("");
    const name = renamed < 0 ? dotted : textOf(group[renamed + 1] ?? group[renamed]!, text);
    // `import a.b` binds a.
    const bound = renamed < 0 && !isFrom ? dotted.split(".")[0]! : name;
    found.set(bound, isFrom ? `${source}.${dotted}` : renamed < 0 ? bound : dotted);
  }
  return found;
}

function groups(nodes: readonly Node[]): Node[][] {
  const result: Node[][] = [[]];
  for (const node of nodes) {
    if (node.name === ",") result.push([]);
    else result.at(-1)?.push(node);
  }
  return result.filter((group) => group.length > 0);
}
