/**
 * The first version that fits, from the most complete to the shortest; versions are made only when they are needed.
 * The last one must be short by its making: it is cut if it is not.
 */
export function firstThatFits(
  versions: readonly (() => string)[],
  limit: number,
  sizeOf: (text: string) => number,
): string {
  let text = "";
  for (const version of versions) {
    text = version();
    if (sizeOf(text) <= limit) return text;
  }
  // A character has at most three UTF-8 bytes a code unit.
  return text.slice(0, Math.floor(limit / 3)).replace(/[\ud800-\udbff]$/, "");
}
