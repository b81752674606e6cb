import type { Catalog, CatalogChange, CatalogDelta } from "../../../model/catalog";

/** What differs between two catalogs, sorted by key (code units, as `<` compares). */
export function compareCatalogs(before: Catalog, after: Catalog): CatalogDelta {
  const changes: CatalogChange[] = [];
  for (const [key, definition] of before) {
    const now = after.get(key);
    if (now !== definition) changes.push({ key, before: definition, after: now });
  }
  for (const [key, definition] of after)
    if (!before.has(key)) changes.push({ key, before: undefined, after: definition });
  return changes.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
