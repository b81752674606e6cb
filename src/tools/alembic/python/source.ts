/** The text of a Python file and where its lines start. */
export interface PythonSource {
  readonly text: string;
  /** Line and column of an offset, both from 1; columns count UTF-16 units, a tab is one. */
  position(offset: number): { readonly line: number; readonly column: number };
}

/** Decodes a Python file as the language says (PEP 263): byte order mark, coding cookie, else UTF-8. Undefined where it is not text. */
export function decodePython(bytes: Uint8Array): PythonSource | undefined {
  const text = decode(bytes);
  return text === undefined ? undefined : pythonSource(text);
}

export function pythonSource(text: string): PythonSource {
  let starts: number[] | undefined;
  return {
    text,
    position: (offset) => {
      starts ??= lineStarts(text);
      let low = 0;
      for (let high = starts.length; high - low > 1; ) {
        const middle = (low + high) >> 1;
        if ((starts[middle] ?? 0) <= offset) low = middle;
        else high = middle;
      }
      return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
    },
  };
}

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)];
}

function decode(bytes: Uint8Array): string | undefined {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 400)).split(/\r\n|\r|\n/, 2);
  const cookie = start.map((line) => /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/.exec(line)?.[1]);
  // The second line counts only after a comment or an empty line.
  const second = /^[ \t\f]*(#.*)?$/.test(start[0]?.replace(/^ï»¿/, "") ?? "") ? cookie[1] : undefined;
  const encoding =
    (hasMark ? undefined : (cookie[0] ?? second))?.toLowerCase().replaceAll("_", "-") ?? "utf-8";
  // WHATWG's "latin1" is windows-1252; Python's is ISO 8859-1.
  if (/^(latin-?1|iso-?8859-?1|l1|cp819)(-(unix|dos|mac))?$/.test(encoding))
    return Buffer.from(bytes).toString("latin1");
  try {
    return new TextDecoder(encoding.replace(/-(unix|dos|mac)$/, ""), { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
