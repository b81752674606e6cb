import type { Revision } from "../model/revision";

interface Read {
  readonly revision: Revision;
  readonly bytes: Uint8Array;
}

/** New ids by old ones: of revisions that are gone, and that a new revision repeats but for its id and its parents' new ids. */
export function renumberings(
  meaningOf: ((bytes: Uint8Array) => string | undefined) | undefined,
  gone: readonly Read[],
  added: readonly Read[],
): Map<string, string> {
  const found = new Map<string, string>();
  if (gone.length === 0 || added.length === 0) return found;
  const textOf = ({ bytes }: Read) =>
    meaningOf === undefined
      ? Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n")
      : meaningOf(bytes);
  const news = added.map((each) => ({ id: each.revision.id, text: textOf(each) }));
  let open = gone.map((each) => ({ id: each.revision.id, text: textOf(each) }));
  // One that follows a renumbered one is known only after that.
  for (let before = -1; before !== found.size && open.length > 0; ) {
    before = found.size;
    open = open.filter(({ id, text }) => {
      const taken = new Set(found.values());
      const match = news.find(
        (each) =>
          text !== undefined && !taken.has(each.id) && renamed(text, [...found, [id, each.id]]) === each.text,
      );
      if (match !== undefined) found.set(id, match.id);
      return match === undefined;
    });
  }
  return found;
}

/** Where a meaning has ids; in SQL they do not stand at all. */
const withIds = /^.*\bVariableName (?:revision|down_revision|depends_on) .*$/gm;

function renamed(text: string, ids: readonly (readonly [string, string])[]): string {
  const names = new Map(ids.map(([from, to]) => [JSON.stringify(from), JSON.stringify(to)]));
  return text.replace(withIds, (line) =>
    line.replace(/"(?:[^"\\]|\\.)*"/g, (name) => names.get(name) ?? name),
  );
}
