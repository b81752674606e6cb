/** One `File "…", line N, in name` of a traceback; `name` is undefined for the place of a syntax error. */
export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly name: string | undefined;
  /** The source line that Python printed below it, "" where it printed none. */
  readonly code: string;
}

/** The last traceback of an output: of a chain of exceptions that is the one that ended the program. */
export interface Traceback {
  readonly frames: readonly Frame[];
  /** With its module where it has one: `KeyError`, `sqlalchemy.exc.OperationalError`. */
  readonly type: string;
  readonly message: string;
}

const frameLine = /^\s*File "([^"]+)", line (\d+)(?:, in (.+))?$/;
const exceptionLine = /^([A-Za-z_][\w.]*)(?:: (.*))?$/;

/** Reads the last traceback; undefined where the output has none. CPython 3.8 to 3.14. */
export function lastTraceback(lines: readonly string[]): Traceback | undefined {
  const start = lines.lastIndexOf("Traceback (most recent call last):");
  if (start < 0) return undefined;
  const frames: Frame[] = [];
  for (let index = start + 1; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const frame = frameLine.exec(line);
    if (frame !== null) {
      const code = frameLine.test(lines[index + 1] ?? "") ? "" : (lines[index + 1] ?? "").trim();
      frames.push({ file: frame[1] ?? "", line: Number(frame[2]), name: frame[3], code });
      continue;
    }
    const exception = /^\s/.test(line) ? null : exceptionLine.exec(line);
    if (exception === null) continue;
    const message = [exception[2] ?? "", ...lines.slice(index + 1)].join("\n").trim();
    return { frames, type: exception[1] ?? "", message };
  }
  return undefined;
}

/** The lines without the frames of Python and of installed packages, and without the marks below source lines. */
export function withoutLibraryFrames(lines: readonly string[]): string[] {
  let inLibrary = false;
  return lines.filter((line) => {
    const [, file] = frameLine.exec(line) ?? [];
    if (file !== undefined) inLibrary = !isOwnFrame({ file });
    else if (!/^\s{4}/.test(line)) inLibrary = false;
    return !inLibrary && !/^\s{4}[\s~^]*$/.test(line);
  });
}

/** A frame of the project's own code: not of Python, not of an installed package or its command. */
export function isOwnFrame({ file }: Pick<Frame, "file">): boolean {
  return !/^<|[/\\](site-packages|dist-packages)[/\\]|[/\\]lib[/\\]python\d|[/\\]bin[/\\](?:alembic|flask)$/.test(
    file,
  );
}
