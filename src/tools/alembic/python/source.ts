/** The text of a Python file and where its lines start. */
export interface PythonSource {
  readonly text: string;
  /** Line and column of an offset, both from 1; columns count UTF-16 units, a tab is one. */
  position(offset: number): { readonly line: number; readonly column: number };
}

const lineFeed = 10;
const carriageReturn = 13;
const utf8 = new TextDecoder("utf-8", { fatal: true });

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
  const starts = [0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === lineFeed || (code === carriageReturn && text.charCodeAt(at + 1) !== lineFeed))
      starts.push(at + 1);
  }
  return starts;
}

function decode(bytes: Uint8Array): string | undefined {
  const encoding = encodingOf(bytes);
  // WHATWG's "latin1" is windows-1252; Python's is ISO 8859-1.
  if (/^(latin-?1|iso-?8859-?1|l1|cp819)(-(unix|dos|mac))?$/.test(encoding))
    return Buffer.from(bytes).toString("latin1");
  try {
    const decoder =
      encoding === "utf-8"
        ? utf8
        : new TextDecoder(encoding.replace(/-(unix|dos|mac)$/, ""), { fatal: true });
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function encodingOf(bytes: Uint8Array): string {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 400)).toString("latin1");
  if (hasMark || !text.includes("coding")) return "utf-8";
  const start = text.split(/\r\n|\r|\n/, 2);
  const cookie = start.map((line) => /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/.exec(line)?.[1]);
  // The second line counts only after a comment or an empty line.
  const second = /^[ \t\f]*(#.*)?$/.test(start[0] ?? "") ? cookie[1] : undefined;
  return (cookie[0] ?? second)?.toLowerCase().replaceAll("_", "-") ?? "utf-8";
}
