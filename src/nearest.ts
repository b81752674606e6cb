/** The candidate with the smallest edit distance. */
export function nearest(word: string, candidates: readonly string[]): string {
  const distances = candidates.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }));
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate;
}

/** "Did you mean …? " where a candidate is near enough to be what was meant, else nothing. */
export function suggestion(word: string, candidates: readonly string[], prefix = ""): string {
  if (candidates.length === 0) return "";
  const best = nearest(word, candidates);
  const isNear =
    editDistance(word, best) <= Math.max(2, Math.floor(best.length / 2)) || best.startsWith(word);
  return isNear ? `Did you mean ${prefix}${best}? ` : "";
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
