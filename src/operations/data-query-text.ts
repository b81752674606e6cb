import { scanSync } from "libpg-query";

interface Token {
  readonly text: string;
  /** In bytes, as the parser counts. */
  readonly from: number;
  readonly to: number;
}

/**
 * The text of one statement, from which its own expressions are cut: the parser's tree tells where they stand. Places are
 * those of tokens; comments are none. `to` is exclusive.
 */
export class StatementText {
  readonly #tokens: readonly Token[];
  /** It has a value that was bound to it ($1), which its text does not tell. */
  readonly hasParameter: boolean;

  constructor(sql: string) {
    const bytes = Buffer.from(sql);
    const tokens = scanSync(sql).tokens.filter(({ tokenName }) => !tokenName.endsWith("_COMMENT"));
    this.hasParameter = tokens.some(({ tokenName }) => tokenName === "PARAM");
    this.#tokens = tokens.map(({ start, end }) => ({
      text: bytes.subarray(start, end).toString(),
      from: start,
      to: end,
    }));
  }

  get end(): number {
    return this.#tokens.length;
  }

  /** The first token at this location of a tree, or after it. */
  at(location = 0): number {
    const place = this.#tokens.findIndex(({ from }) => from >= location);
    return place < 0 ? this.end : place;
  }

  is(place: number, word: string): boolean {
    return this.#tokens[place]?.text.toLowerCase() === word;
  }

  /** The next such word outside of brackets, before the list that `from` stands in ends. */
  find(word: string, from: number): number | undefined {
    for (let place = from; place < this.end; place++) {
      if (this.is(place, word)) return place;
      if (this.is(place, ")") || this.is(place, "]")) return undefined;
      if (this.is(place, "(") || this.is(place, "[")) place = this.closing(place);
    }
    return undefined;
  }

  /** The place of the bracket that closes the one at `open`. */
  closing(open: number): number {
    let depth = 0;
    for (let place = open; place < this.end; place++) {
      if (this.is(place, "(") || this.is(place, "[")) depth++;
      else if (this.is(place, ")") || this.is(place, "]")) depth--;
      if (depth === 0) return place;
    }
    return this.end;
  }

  /** The parts between the commas of the brackets that open at `open`. */
  parts(open: number): { readonly from: number; readonly to: number }[] {
    const close = this.closing(open);
    const parts: { from: number; to: number }[] = [];
    for (let from = open + 1; from <= close; ) {
      const comma = this.find(",", from);
      const to = comma === undefined || comma > close ? close : comma;
      parts.push({ from, to });
      from = to + 1;
    }
    return parts;
  }

  /** The expression in its own brackets; comments and line ends are gone. */
  expression(from: number, to: number): string {
    return `(${this.cut(from, to)})`;
  }

  cut(from: number, to: number): string {
    let text = "";
    for (let place = from; place < to; place++) {
      const token = this.#tokens[place]!;
      const isInner = this.is(place - 1, "(") || this.is(place, ")");
      const isApart = place > from && !isInner && this.#tokens[place - 1]!.to < token.from;
      text += (isApart ? " " : "") + token.text;
    }
    return text;
  }
}
