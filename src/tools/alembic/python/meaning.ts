import { importedNames } from "./imports";
import { parsePython } from "./node";
import { decodePython } from "./source";
import { firstError, type Node, textOf } from "./tree";

/** Modules whose names only type hints use. */
const forHints = /^from\s+(?:typing|typing_extensions|collections\.abc|__future__)\b/;

/** Commas between the parts of these say nothing that the parts do not say. */
const listed = new Set([
  "ArgList",
  "ParamList",
  "ArrayExpression",
  "DictionaryExpression",
  "SetExpression",
  "TupleExpression",
]);

/** A file's text, and the names that it uses outside of its imports and type hints. */
interface Source {
  readonly text: string;
  readonly used: ReadonlySet<string>;
}

/**
 * What a Python file means, as a text that is equal for two files where they differ in comments, formatting, quotes, type
 * hints, docstrings, the order of imports and what is imported and not used alone. Undefined where the file does not parse, so that nothing is said.
 */
export function meaningOf(bytes: Uint8Array): string | undefined {
  const source = decodePython(bytes);
  if (source === undefined) return undefined;
  try {
    const top = parsePython(source.text);
    if (firstError(top) !== undefined) return undefined;
    return partsOf(top, { text: source.text, used: usedNames(top, source.text) }).join("\n");
  } catch (error) {
    // Nested deeper than this process can follow.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function usedNames(top: Node, text: string): Set<string> {
  const used = new Set<string>();
  top.iterate(({ name, from, to }) => {
    if (name === "ImportStatement" || name === "TypeDef") return false;
    // A name in a string may be looked up by it: globals(), eval, a string annotation of SQLAlchemy's.
    const words = name === "VariableName" || /String$/.test(name) ? text.slice(from, to).match(/\w+/g) : null;
    for (const word of words ?? []) used.add(word);
    return true;
  });
  return used;
}

/** One text for each name that an import binds and the file uses; a star may bind any. */
function importsOf(node: Node, { text, used }: Source): string[] {
  const words = node.children.map((child) => textOf(child, text));
  if (words.at(-1) === "*") return [`import ${words.join(" ")}`];
  const from = words[0] === "from" ? "from " : "";
  const names = [...importedNames(node, text)].filter(([name]) => used.has(name));
  // `import a.b` and `import a.c` both bind a, and make another part of it known.
  const modules = from === "" ? ` ${text.slice(node.from, node.to).replace(/\s+/g, " ")}` : "";
  return names.map(([name, target]) => `import ${from}${target} as ${name}${modules}`);
}

function meaning(node: Node, source: Source): string {
  const { text } = source;
  if (node.name === "ParenthesizedExpression") {
    const inner = node.children.filter(({ name }) => name !== "(" && name !== ")" && name !== "Comment");
    const [only] = inner;
    if (only !== undefined && inner.length === 1) return meaning(only, source);
  }
  if (node.name === "String") return stringOf(text.slice(node.from, node.to));
  if (node.name === "FormatString") return formatOf(text.slice(node.from, node.to));
  if (node.name === "ContinuedString") return joined(node.children, source);
  if (node.firstChild === null) return `${node.name} ${text.slice(node.from, node.to)}`;
  return `(${node.name} ${partsOf(node, source).join(" ")})`;
}

function partsOf(node: Node, source: Source): string[] {
  const parts: string[] = [];
  let imports: string[] = [];
  for (const child of node.children) {
    if (isSilent(child, node, source.text)) continue;
    if (child.name === "ImportStatement") {
      imports.push(...importsOf(child, source));
      continue;
    }
    parts.push(...imports.sort());
    imports = [];
    parts.push(meaning(child, source));
  }
  return [...parts, ...imports.sort()];
}

/** Nothing of it is executed. */
function isSilent(node: Node, parent: Node, text: string): boolean {
  switch (node.name) {
    case "Comment":
    case "TypeDef":
    case "PassStatement":
      return true;
    case ",":
      return listed.has(parent.name) || (parent.name === "MemberExpression" && isLastOfMany(node, parent));
    case "ImportStatement":
      return forHints.test(text.slice(node.from, node.to));
    case "AssignStatement":
      // `name: type` alone.
      return !node.children.some(({ name }) => name === "AssignOp");
    case "ExpressionStatement":
      return node.children.every(({ name }) => /^(?:String|ContinuedString|Ellipsis|Comment)$/.test(name));
    default:
      return false;
  }
}

/** `x[a, b,]` is `x[a, b]`; `x[a,]` is not `x[a]`. */
function isLastOfMany(comma: Node, parent: Node): boolean {
  const after = parent.children.filter(({ from, name }) => from > comma.from && name !== "Comment");
  return after[0]?.name === "]" && parent.getChildren(",").length > 1;
}

/** How the meaning of a string without a prefix begins. */
const plain = 'String "';

/** Texts beside each other are one text, wherever it is split. */
function joined(parts: readonly Node[], source: Source): string {
  const found: string[] = [];
  for (const part of parts.filter(({ name }) => name !== "Comment")) {
    const own = meaning(part, source);
    const before = found.at(-1);
    // "\1" "2" are two characters, "\12" is one.
    const isOctal = /\\[0-7]{1,2}"$/.test(before ?? "") && /^String "[0-7]/.test(own);
    if (before?.startsWith(plain) === true && own.startsWith(plain) && !isOctal)
      found[found.length - 1] = before.slice(0, -1) + own.slice(plain.length);
    else found.push(own);
  }
  const [only] = found;
  return found.length === 1 && only !== undefined ? only : `(ContinuedString ${found.join(" ")})`;
}

/** Of `f"…"` the quotes do not matter where no other quote and no escape is in it. */
function formatOf(token: string): string {
  const { prefix = "", body } =
    /^(?<prefix>[a-z]*)(?<quote>'''|"""|'|")(?<body>[^"'\\]*)\k<quote>$/i.exec(token)?.groups ?? {};
  if (body === undefined) return `FormatString ${token}`;
  return `FormatString ${prefix.toLowerCase()}${JSON.stringify(body)}`;
}

/** Quotes of either kind, escaped only where they must be, are one text. */
function stringOf(token: string): string {
  const { prefix = "", body = "" } =
    /^(?<prefix>[a-z]*)(?<quote>'''|"""|'|")(?<body>.*)\k<quote>$/is.exec(token)?.groups ?? {};
  const kind = prefix.toLowerCase().replace("u", "");
  return `String ${kind}${JSON.stringify(kind.includes("r") ? body : body.replace(/\\(["'])/g, "$1"))}`;
}
