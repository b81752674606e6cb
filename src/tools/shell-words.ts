import { UserError } from "../errors";

/** A text that a POSIX shell takes for one word. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Splits a command as a POSIX shell splits words: quotes and backslashes, no expansion, no shell. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? "";
    if (quote === "'") {
      if (character === "'") quote = undefined;
      else word += character;
    } else if (character === "\\" && index + 1 < text.length) {
      const next = text[++index] ?? "";
      // In double quotes a backslash only escapes what would be special there.
      const kept = quote === '"' && !'"\\$`\n'.includes(next) ? `\\${next}` : next === "\n" ? "" : next;
      word = (word ?? "") + kept;
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) {
    throw new UserError({
      what: `The command has a quote (${quote}) that is not closed: ${text}`,
      do: "Close the quote, or put a backslash before it.",
    });
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** The words of the setting `run`. A UserError where it is empty; `example` is what stands after "Set run to". */
export function runSetting(run: string, example: string): readonly string[] {
  const words = shellWords(run);
  if (words.length > 0) return words;
  throw new UserError({ what: 'The setting "run" is empty.', do: `Set run to ${example}.` });
}
