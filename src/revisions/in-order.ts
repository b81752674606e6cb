import type { Revision } from "../model/revision";

/** Orders versions, which are decimal numbers. */
export function compareVersions(one: string, other: string): number {
  const difference = BigInt(one) - BigInt(other);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/**
 * Revisions whose order is that of their versions, each with the nearest lower version as its parent. Of a tool that writes
 * parents into the files they come back as they are.
 */
export function linkInOrder(revisions: readonly Revision[]): Revision[] {
  if (revisions.some(({ sql }) => sql === undefined)) return [...revisions];
  const sorted = [...revisions].sort(
    (one, other) => compareVersions(one.id, other.id) || (one.location.file < other.location.file ? -1 : 1),
  );
  return sorted.map((revision, index) => {
    const parent = sorted.findLast(({ id }, at) => at < index && id !== revision.id);
    return { ...revision, parents: parent === undefined ? [] : [parent.id] };
  });
}
