import type { Remark } from "../../../model/operation";
import type { PythonModule } from "./module";
import { isExpression, type Node } from "./tree";

const addressed = /^#\s*migration-gate:\s*(.*)/;

/** Every `# migration-gate: …` of a file and the lines that it speaks of. */
export function remarksOf(module: PythonModule, file: string): Remark[] {
  const { source, top } = module;
  // Most files have none.
  if (!source.text.includes("migration-gate:")) return [];
  const all = statementsBelow(top);
  const first = all.find((node) => node.parent?.name === "Script" && !isPreface(node))?.from ?? Infinity;
  const remarks: Remark[] = [];
  top.iterate((node) => {
    if (node.name !== "Comment") return true;
    const text = addressed.exec(source.text.slice(node.from, node.to))?.[1]?.trim();
    if (text === undefined) return true;
    const covers = node.from < first ? "file" : coveredLines(node.from, all, module);
    remarks.push({ file, ...source.position(node.from), text, covers });
    return true;
  });
  return remarks;
}

/** Docstring and imports: what is above the first statement that does something is at the top of the file. */
function isPreface(node: Node): boolean {
  return (
    node.name === "ImportStatement" ||
    (node.name === "ExpressionStatement" && node.firstChild !== null && /String$/.test(node.firstChild.name))
  );
}

function statementsBelow(top: Node): Node[] {
  const found: Node[] = [];
  top.iterate((node) => {
    if (
      /(?:Statement|Definition)$/.test(node.name) &&
      /^(?:Script|Body|StatementGroup)$/.test(node.parent?.name ?? "")
    ) {
      found.push(node);
    }
    return !isExpression(node);
  });
  return found;
}

/** The body of a compound statement; undefined where it has none. */
function bodyOf(node: Node): Node | undefined {
  const definition = node.getChild("FunctionDefinition") ?? node.getChild("ClassDefinition") ?? node;
  return definition.getChild("Body") ?? definition.getChild("MatchBody") ?? undefined;
}

/** A `with` and a function are one thing, with all that is in them; of `if`, `for`, `try` and the like it is the header. */
function endOf(node: Node): number {
  const body = bodyOf(node);
  const isWhole = body === undefined || /^(?:With|Decorated)Statement$|^FunctionDefinition$/.test(node.name);
  return isWhole ? node.to : body.from + 1;
}

/**
 * A comment beside code speaks of the innermost statement on that line, or around it; one on a line of its own, of the
 * statement whose brackets it is in, else of the one right below it (comment lines may stand between, no blank line).
 */
function coveredLines(
  at: number,
  all: readonly Node[],
  { source }: PythonModule,
): { from: number; to: number } | undefined {
  const { text } = source;
  const lineOf = (offset: number): number => source.position(offset).line;
  const lastLine = (from: number, to: number): number =>
    lineOf(from + text.slice(from, to).trimEnd().length - 1);
  const linesOf = (node: Node) => ({ from: lineOf(node.from), to: lastLine(node.from, endOf(node)) });
  const line = lineOf(at);
  const start = Math.max(text.lastIndexOf("\n", at - 1), text.lastIndexOf("\r", at - 1)) + 1;
  const isAlone = text.slice(start, at).trim() === "";
  const around = all.findLast((node) => {
    if (node.from > at) return false;
    const end = lastLine(node.from, node.to);
    return isAlone ? end > line && bodyOf(node) === undefined : end >= line;
  });
  if (around !== undefined) return linesOf(around);
  if (!isAlone) return undefined;
  const below = all.find((node) => node.from > at);
  if (below === undefined) return undefined;
  const between = text
    .slice(at, below.from)
    .split(/\r\n|\r|\n/)
    .slice(1, -1);
  return between.every((other) => other.trim().startsWith("#")) ? linesOf(below) : undefined;
}
