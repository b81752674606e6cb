import { visible } from "./visible";

/** Colours of a terminal; none where standard output is not one, or NO_COLOR asks for none (no-color.org). */
export interface Paint {
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

const plain = (text: string) => text;
/** For what is no terminal. */
export const plainPaint: Paint = { red: plain, green: plain, yellow: plain, dim: plain, bold: plain };

export function paintFor(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Paint {
  const wanted = stream.isTTY && !environment.NO_COLOR && environment.TERM !== "dumb";
  const wrap = (code: number) => (text: string) => (wanted ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { red: wrap(31), green: wrap(32), yellow: wrap(33), dim: wrap(2), bold: wrap(1) };
}

/**
 * Text from revisions, tools and servers for a terminal or a log: control characters and direction marks are shown,
 * not obeyed, and no line is a command of a CI runner (GitHub reads `::name::` after any white space at the start of a
 * line and `##[name]` anywhere; Azure reads `##vso[`).
 */
export function harmless(text: string): string {
  return visible(text)
    .replace(/^([^\S\n]*):(?=:)/gm, "$1: ")
    .replace(/##(?=\[|vso\[)/gi, "# #");
}
