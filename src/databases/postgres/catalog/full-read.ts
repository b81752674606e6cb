import type { CatalogSession } from "./session";
import { CatalogTracker } from "./tracker";

/** The whole catalog as one session sees it; without what belongs to `ignored`, a tool's own table. */
export async function readCatalog(
  session: CatalogSession,
  ignored?: { readonly schema: string; readonly table: string },
): Promise<Map<string, string>> {
  const tracker = new CatalogTracker();
  if (ignored !== undefined) tracker.ignoreTable(ignored.schema, ignored.table);
  await tracker.read(session);
  return new Map(tracker.current);
}
