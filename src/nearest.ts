/** The candidate with the smallest edit distance. */
export function nearest(word: string, candidates: readonly string[]): string {
  const distances = candidates.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }));
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate;
}

/** The nearest candidate where it is near enough to be what was meant. */
export function near(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = nearest(word, candidates);
  const most = Math.max(2, Math.floor(best.length / 2));
  return editDistance(word, best) <= most || best.startsWith(word) ? best : undefined;
}

/** "Did you mean …? " where a candidate is near, else nothing. */
export function suggestion(word: string, candidates: readonly string[], prefix = ""): string {
  const best = near(word, candidates);
  return best === undefined ? "" : `Did you mean ${prefix}${best}? `;
}

/** Levenshtein's distance, row by row. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
