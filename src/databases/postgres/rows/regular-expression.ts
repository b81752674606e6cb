import { hashOf } from "./values";

/** Of the regular expressions that PostgreSQL knows (section 9.7.3 of the manual), what constraints use. */
type Node =
  | { readonly kind: "characters"; readonly characters: readonly string[] }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly branches: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; readonly most: number };

const range = (first: string, last: string): string[] =>
  Array.from({ length: last.charCodeAt(0) - first.charCodeAt(0) + 1 }, (_, index) =>
    String.fromCharCode(first.charCodeAt(0) + index),
  );
const printable = range(" ", "~");
const lower = range("a", "z");
const digits = range("0", "9");
const classes: Readonly<Record<string, readonly string[]>> = {
  alnum: [...lower, ...digits],
  alpha: lower,
  blank: [" "],
  digit: digits,
  graph: range("!", "~"),
  lower,
  print: printable,
  punct: [..."-_.:,;!"],
  space: [" "],
  upper: range("A", "Z"),
  word: [...lower, ...digits, "_"],
  xdigit: [...digits, ...range("a", "f")],
};
const escapes: Readonly<Record<string, readonly string[]>> = {
  d: digits,
  D: lower,
  w: classes.word!,
  W: ["-", " "],
  s: [" "],
  S: [...lower, ...digits],
};
const control: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v" };
/** More repetitions than the least are no better a proof; a few differ in length. */
const moreThanLeast = 8;

/**
 * Texts that a regular expression accepts, most likely: distinct, the same on every machine, none where it has parts that
 * are not understood. Look-ahead and back references are passed over; the server has the last word.
 */
export function textsMatching(pattern: string, wanted: number, salt: string): string[] {
  const tree = new Parser(pattern).read();
  if (tree === undefined) return [];
  const texts = new Set<string>();
  for (let attempt = 0; texts.size < wanted && attempt < wanted * 3; attempt++) {
    let count = 0;
    const choose = (most: number) => (most <= 1 ? 0 : hashOf(`${salt} ${attempt} ${count++}`) % most);
    texts.add(write(tree, choose, attempt === 0));
  }
  return [...texts];
}

function write(node: Node, choose: (most: number) => number, shortest: boolean): string {
  switch (node.kind) {
    case "characters":
      return node.characters[choose(node.characters.length)] ?? "";
    case "sequence":
      return node.parts.map((part) => write(part, choose, shortest)).join("");
    case "choice": {
      const branch = node.branches[choose(node.branches.length)];
      return branch === undefined ? "" : write(branch, choose, shortest);
    }
    case "repeat": {
      const most = Math.min(node.most, node.least + moreThanLeast);
      const times = shortest ? node.least : node.least + choose(most - node.least + 1);
      return Array.from({ length: times }, () => write(node.part, choose, shortest)).join("");
    }
  }
}

class Parser {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    // Options at the head, e.g. (?i); a flag has no bearing on what is made here.
    this.#text = text.replace(/^\(\?[a-z]+\)/, "").replace(/^\*{3}[:=]/, "");
  }

  read(): Node | undefined {
    try {
      const node = this.#choice();
      return this.#at < this.#text.length ? undefined : node;
    } catch {
      return undefined;
    }
  }

  #choice(): Node {
    const branches = [this.#sequence()];
    while (this.#take("|")) branches.push(this.#sequence());
    return branches.length === 1 ? branches[0]! : { kind: "choice", branches };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#text.length && !["|", ")"].includes(this.#text[this.#at]!)) {
      const atom = this.#atom();
      if (atom !== undefined) parts.push(this.#repeated(atom));
    }
    return { kind: "sequence", parts };
  }

  #repeated(part: Node): Node {
    const bounds = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.#text.slice(this.#at));
    if (bounds === null) return part;
    this.#at += bounds[0].length;
    const [, sign, least, comma, most] = bounds;
    if (sign !== undefined) {
      const none = sign === "+" ? 1 : 0;
      return { kind: "repeat", part, least: none, most: sign === "?" ? 1 : Number.POSITIVE_INFINITY };
    }
    const low = Number(least);
    const high = comma === undefined ? low : most === "" ? Number.POSITIVE_INFINITY : Number(most);
    return this.#repeated({ kind: "repeat", part, least: low, most: high });
  }

  /** Undefined for what takes no character: anchors, and conditions on what stands around. */
  #atom(): Node | undefined {
    const character = this.#next();
    switch (character) {
      case "^":
      case "$":
        return undefined;
      case ".":
        return { kind: "characters", characters: classes.alnum! };
      case "[":
        return this.#bracket();
      case "(": {
        const kind = /^\?(?::|<?[=!])/.exec(this.#text.slice(this.#at))?.[0] ?? "";
        this.#at += kind.length;
        const inner = this.#choice();
        if (!this.#take(")")) throw new Error("no end of group");
        return kind === "" || kind === "?:" ? inner : undefined;
      }
      case "\\":
        return this.#escape();
      default:
        return { kind: "characters", characters: [character] };
    }
  }

  #escape(): Node | undefined {
    const character = this.#next();
    if ("mMyYAZ".includes(character)) return undefined;
    if (/[1-9]/.test(character)) throw new Error("back reference");
    const known = escapes[character] ?? [control[character] ?? character];
    return { kind: "characters", characters: known };
  }

  #bracket(): Node {
    const isNegated = this.#take("^");
    const members = new Set<string>();
    for (let first = true; first || this.#text[this.#at] !== "]"; first = false) {
      const start = this.#member();
      if (typeof start !== "string") {
        for (const member of start) members.add(member);
      } else if (this.#text[this.#at] === "-" && this.#text[this.#at + 1] !== "]") {
        this.#at++;
        const end = this.#member();
        if (typeof end !== "string" || end < start || end > "~") throw new Error("range");
        for (const member of range(start, end)) members.add(member);
      } else members.add(start);
    }
    this.#at++;
    const characters = isNegated
      ? [...classes.alnum!, ...printable].filter((one) => !members.has(one))
      : [...members];
    if (characters.length === 0) throw new Error("no character");
    return { kind: "characters", characters };
  }

  #member(): string | readonly string[] {
    const name = /^\[[:.=](\w+|.)[:.=]\]/.exec(this.#text.slice(this.#at));
    if (name !== null) {
      this.#at += name[0].length;
      return classes[name[1]!] ?? name[1]!;
    }
    const character = this.#next();
    if (character !== "\\") return character;
    const escaped = this.#next();
    return escapes[escaped] ?? control[escaped] ?? escaped;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #next(): string {
    const character = this.#text[this.#at++];
    if (character === undefined) throw new Error("end");
    return character;
  }
}
