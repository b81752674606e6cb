/** Whether a text has this name as a word: not as a part of another name. */
export function hasWord(text: string, word: string, flags = ""): boolean {
  const pattern = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w$])${pattern}(?![\\w$])`, flags).test(text);
}

/** The object's own name out of an identity, unquoted, as error messages and statements have it. */
export function lastPart(identity: string): string {
  const withoutArguments = identity.replace(/\(.*\)$/s, "");
  const quoted = /"((?:[^"]|"")+)"$/.exec(withoutArguments)?.[1];
  return quoted?.replaceAll('""', '"') ?? withoutArguments.slice(withoutArguments.lastIndexOf(".") + 1);
}
