import { parser } from "@lezer/python";

type Tree = ReturnType<typeof parser.parse>;
type Buffer = Exclude<Tree["children"][number], Tree>;

/** The grammar's names by the number that a tree has for them; as keys, equal ones are one text and quick to compare. */
const names = parser.nodeSet.types.map(({ name }) => Object.keys({ [name]: 0 })[0] ?? "");

/** NodeType.none apart, the error node has the first id of every grammar (@lezer/common 1.x). */
const errorId = 0;

const none: readonly Node[] = [];

/** Where lezer has what is below a node: a tree, or four numbers for each node in a buffer (name, from, to, end of what is below). */
interface Below {
  readonly content: Tree | Buffer;
  /** Of a node in a buffer: where its numbers begin. */
  readonly entry: number;
  /** What the offsets in the buffer count from. */
  readonly start: number;
}

/**
 * A node of a Python syntax tree (the names are those of @lezer/python's grammar, 1.1.19). What is below it is made when
 * it is first asked for, and once: lezer's own nodes and cursors are made anew at every step, which took longer than its parser.
 */
export class Node {
  private made: readonly Node[] | undefined;
  private known: Node | null = null;
  private index = 0;

  constructor(
    readonly name: string,
    readonly from: number,
    readonly to: number,
    /** Absent where there is nothing below. */
    private readonly below: Below | undefined,
  ) {}

  get parent(): Node | null {
    return this.known;
  }

  get children(): readonly Node[] {
    if (this.made === undefined) {
      this.made = this.below === undefined ? none : nodesBelow(this.below, this.from);
      for (const [index, child] of this.made.entries()) {
        child.known = this;
        child.index = index;
      }
    }
    return this.made;
  }

  get firstChild(): Node | null {
    return this.children[0] ?? null;
  }

  get lastChild(): Node | null {
    return this.children.at(-1) ?? null;
  }

  get nextSibling(): Node | null {
    return this.known?.children[this.index + 1] ?? null;
  }

  get prevSibling(): Node | null {
    return this.known?.children[this.index - 1] ?? null;
  }

  get isError(): boolean {
    return this.name === names[errorId];
  }

  /** True where it or a node below it is an error. */
  get hasError(): boolean {
    return this.isError || (this.below !== undefined && hasErrorBelow(this.below));
  }

  /** The first child of this name. */
  getChild(name: string): Node | null {
    return this.children.find((child) => child.name === name) ?? null;
  }

  getChildren(name: string): Node[] {
    return this.children.filter((child) => child.name === name);
  }

  /** Visits it and what is below, in the order of the text; what is below is left out where the answer is false. */
  iterate(enter: (node: Node) => boolean): void {
    let node: Node | null = this;
    while (node !== null) {
      let next: Node | null = enter(node) ? node.firstChild : null;
      for (let up: Node | null = node; next === null && up !== null && up !== this; up = up.parent)
        next = up.nextSibling;
      node = next;
    }
  }
}

/**
 * The tree of a text as lezer's parser reads it, mistakes included. With `from`, of what stands behind it: a statement of
 * the module must begin there.
 */
export function parsePython(text: string, from = 0): Node {
  const content = parser.parse(text.slice(from));
  return new Node(names[content.type.id]!, from, from + content.length, { content, entry: 0, start: from });
}

function nodesBelow({ content, entry, start }: Below, from: number): Node[] {
  const found: Node[] = [];
  if ("buffer" in content) addBetween(content, entry + 4, content.buffer[entry + 3]!, start, found);
  else addBelow(content, from, found);
  return found;
}

function addBetween(content: Buffer, first: number, end: number, start: number, found: Node[]): void {
  const { buffer } = content;
  for (let entry = first; entry < end; entry = buffer[entry + 3]!) {
    const [from, to] = [start + buffer[entry + 1]!, start + buffer[entry + 2]!];
    const below = buffer[entry + 3] === entry + 4 ? undefined : { content, entry, start };
    found.push(new Node(names[buffer[entry]!]!, from, to, below));
  }
}

/** Nodes without a name only hold others. */
function addBelow(tree: Tree, from: number, found: Node[]): void {
  for (const [index, content] of tree.children.entries()) {
    const start = from + tree.positions[index]!;
    if ("buffer" in content) addBetween(content, 0, content.buffer.length, start, found);
    else if (content.type.isAnonymous) addBelow(content, start, found);
    else
      found.push(
        new Node(names[content.type.id]!, start, start + content.length, {
          content,
          entry: 0,
          start,
        }),
      );
  }
}

function hasErrorBelow({ content, entry }: Below): boolean {
  return "buffer" in content
    ? hasErrorBetween(content, entry, content.buffer[entry + 3]!)
    : hasErrorIn(content);
}

function hasErrorIn(tree: Tree): boolean {
  if (tree.type.isError) return true;
  return tree.children.some((child) =>
    "buffer" in child ? hasErrorBetween(child, 0, child.buffer.length) : hasErrorIn(child),
  );
}

function hasErrorBetween({ buffer }: Buffer, first: number, end: number): boolean {
  for (let entry = first; entry < end; entry += 4) if (buffer[entry] === errorId) return true;
  return false;
}
