import type { Revision } from "../model/revision";
import type { RevisionHistory } from "../revisions/history";

/** The revisions that decide the verdict: new and edited ones; all of them without a base, or where `scope` is all. */
export function judgedRevisions(
  revisions: readonly Revision[],
  history: Pick<RevisionHistory, "states"> | undefined,
  scope: "new" | "all" = "new",
): ReadonlySet<string> {
  const ids = revisions.map(({ id }) => id);
  return new Set(
    history === undefined || scope === "all"
      ? ids
      : ids.filter((id) => history.states.get(id) !== "unchanged"),
  );
}
