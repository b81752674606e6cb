import { createInterface } from "node:readline";
import { UserError } from "../errors";
import type { Settings } from "../settings";

/** Where a person is asked and answers. */
export interface Streams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * Asks on standard error whether to write; the setting `yes` answers. Returns only after a yes: anything else, and a
 * place where nobody can be asked, is a UserError, before which nothing was changed.
 */
export async function confirm(
  question: string,
  settings: Pick<Settings, "yes">,
  { input, output }: Streams = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (settings.yes) return;
  if (input.isTTY !== true || output.isTTY !== true) {
    throw new UserError({
      what: "Nobody can be asked whether to go on: this is no terminal. Nothing was changed.",
      seen: question,
      do: "Say it beforehand: --yes",
    });
  }
  const answer = await ask(`${question} [y/N] `, { input, output });
  if (/^\s*y(es)?\s*$/i.test(answer ?? "")) return;
  throw new UserError({
    what: "The answer was not yes. Nothing was changed.",
    seen: question,
    do: "Start it again and answer y, or say it beforehand: --yes",
  });
}

/** Undefined where the input ends first. The terminal keeps its own line editing, so that Ctrl-C stays a signal. */
function ask(prompt: string, { input, output }: Streams): Promise<string | undefined> {
  const lines = createInterface({ input, output, terminal: false });
  return new Promise((resolve) => {
    lines.once("close", () => resolve(undefined));
    lines.question(prompt, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}
