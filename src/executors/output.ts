import { StringDecoder } from "node:string_decoder";

/** How much of a command's output is kept, in bytes: its end, where the error is. */
export const keptOutputBytes = 64 * 1024;

const longestLine = 8 * 1024;

/** The end of a stream of bytes, in bounded memory, and its lines as they come. */
export class OutputTail {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #cut = false;
  readonly #decoder = new StringDecoder("utf8");
  #line = "";

  constructor(private readonly onLine?: (line: string) => void) {}

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - this.#chunks[0]!.length >= keptOutputBytes) {
      this.#bytes -= this.#chunks.shift()!.length;
      this.#cut = true;
    }
    if (this.onLine !== undefined) this.#split(this.#decoder.write(chunk));
  }

  /** Call once, at the end of the stream. */
  end(): { readonly output: string; readonly outputCut: boolean } {
    if (this.onLine !== undefined) {
      this.#split(this.#decoder.end());
      if (this.#line !== "") this.onLine(cleanOutput(this.#line));
    }
    let bytes = Buffer.concat(this.#chunks);
    if (bytes.length > keptOutputBytes) {
      bytes = bytes.subarray(bytes.length - keptOutputBytes);
      this.#cut = true;
    }
    // A cut line, escape sequence or character is not shown: begin at the next line, where there is one.
    if (this.#cut) bytes = bytes.subarray(bytes.indexOf(0x0a) + 1);
    return { output: cleanOutput(bytes.toString("utf8")), outputCut: this.#cut };
  }

  #split(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop()!;
    if (this.#line.length > longestLine) {
      lines.push(this.#line);
      this.#line = "";
    }
    for (const line of lines) this.onLine?.(cleanOutput(line).replace(/\n+$/, ""));
  }
}

/**
 * Foreign output that is safe to show: no escape sequences or other control characters, progress bars as lines,
 * and nothing that a CI runner takes for a command (GitHub reads `::name::` after any white space at the start of
 * a line and `##[name]` anywhere; Azure reads `##vso[`).
 */
export function cleanOutput(text: string): string {
  return text
    .replace(escapeSequence, "")
    .replace(/\r\n?/g, "\n")
    .replace(controlCharacter, "")
    .replace(/^([^\S\n]*):(?=:)/gm, "$1: ")
    .replace(/##(?=\[|vso\[)/gi, "# #");
}

// ECMA-48: CSI … final byte; OSC, DCS, SOS, PM and APC … ST or BEL; two-byte sequences; the one-byte CSI.
const escapeSequence = new RegExp(
  [
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
    String.raw`\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)`,
    String.raw`\x1b[ -/]*[0-~]`,
  ].join("|"),
  "g",
);
// All of Unicode's Cc but tab and line feed, the line and paragraph separators, and the bidirectional overrides.
const controlCharacter = /[^\P{Cc}\t\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
