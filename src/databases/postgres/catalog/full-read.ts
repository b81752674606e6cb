import type { CatalogSession } from "./session";
import { CatalogTracker } from "./tracker";

/** The whole catalog as one session sees it. */
export async function readCatalog(session: CatalogSession): Promise<Map<string, string>> {
  const tracker = new CatalogTracker();
  await tracker.read(session);
  return new Map(tracker.current);
}
