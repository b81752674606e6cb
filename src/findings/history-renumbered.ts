import type { Revision } from "../model/revision";
import { doesTheSame } from "./history-difference";
import type { HistoryContext } from "./history-words";

/** Edited revisions of which nothing changed but the id by which they name a parent that got another one. */
export function followersOfRenumbered(context: HistoryContext): string[] {
  return followers(context).map(({ id }) => id);
}

/** Files that name this revision's new id as their parent, where they are older than the change. */
export function filesThatFollow(renumbered: string, context: HistoryContext): string[] {
  return followers(context)
    .filter(({ parents }) => parents.includes(renumbered))
    .map(({ location }) => location.file);
}

function followers(context: HistoryContext): Revision[] {
  const { history, revisions } = context;
  const news = new Map(history.deleted.map(({ revision, renumbered }) => [revision.id, renumbered]));
  return revisions.filter((revision) => {
    const landed = history.landed.get(revision.id)?.revision;
    if (landed === undefined || history.states.get(revision.id) !== "edited") return false;
    const expected = landed.parents.map((id) => news.get(id) ?? id);
    const isOnlyThat =
      expected.join("\0") === revision.parents.join("\0") &&
      landed.parents.join("\0") !== revision.parents.join("\0");
    return isOnlyThat && revision.sql === undefined && doesTheSame(revision, context);
  });
}
