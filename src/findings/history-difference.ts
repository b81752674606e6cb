import type { Revision } from "../model/revision";
import { type Difference, differenceOf, type Lines } from "../operations/difference";
import type { Deed } from "../operations/words";
import { type HistoryContext, some } from "./history-words";

/** What a database that already has an edited revision will miss, in sentences; "" where nothing can be told. */
export function whatItMisses(revision: Revision, context: HistoryContext): string {
  const landed = context.history.landed.get(revision.id);
  if (landed === undefined) return "";
  const [before, after] = [context.landedTextOf(landed), context.textOf(revision)];
  const upgrade = differenceOf(before, after, "upgrade");
  const up = sentences(upgrade, upgradeWords);
  if (up.length > 0) return up.join(" ");
  if (hasLines(upgrade.unknown))
    return `What differs is known only when it runs (${linesText(upgrade.unknown)}).`;
  if (hasLines(upgrade.traceless))
    return `What its upgrade makes and changes is the same; what differs leaves no trace (${linesText(upgrade.traceless)}).`;
  if (revision.sql !== undefined) return "";
  const down = sentences(differenceOf(before, after, "downgrade"), downgradeWords);
  if (down.length > 0) return ["Its upgrade does what it did.", ...down].join(" ");
  return after.operations.length === 0
    ? ""
    : "The operations that can be read are the same in both texts; what differs is beside them.";
}

/** True where both texts of an edited revision do the same in both directions, as far as that can be read. */
export function doesTheSame(revision: Revision, context: HistoryContext): boolean {
  const landed = context.history.landed.get(revision.id);
  if (landed === undefined) return false;
  const [before, after] = [context.landedTextOf(landed), context.textOf(revision)];
  return (["upgrade", "downgrade"] as const).every((direction) => {
    const { added, removed, changed, otherwise, unknown } = differenceOf(before, after, direction);
    return [added, removed, changed, otherwise].every(({ length }) => length === 0) && !hasLines(unknown);
  });
}

interface Words {
  readonly added: string;
  readonly removed: string;
  readonly changed: string;
}

const upgradeWords: Words = {
  added: "It will not get",
  removed: "It did what a new database does not",
  changed: "It has in another way",
};

const downgradeWords: Words = {
  added: "A rollback now also does",
  removed: "A rollback no longer does",
  changed: "A rollback does in another way",
};

function sentences({ added, removed, changed, otherwise }: Difference, words: Words): string[] {
  const ways = changed.map(
    ({ before, after }) =>
      `${deedText(before)}: ${before.how || "nothing"} before, ${after.how || "nothing"} now`,
  );
  const others = otherwise.map(({ deed, line }) => `${deedText(deed)}: line ${line} says something else`);
  return [
    ...(added.length === 0 ? [] : [`${words.added}: ${some(added.map(deedText))}.`]),
    ...(removed.length === 0 ? [] : [`${words.removed}: ${some(removed.map(deedText))}.`]),
    ...(ways.length + others.length === 0 ? [] : [`${words.changed}: ${some([...ways, ...others])}.`]),
  ];
}

function hasLines({ before, after }: Lines): boolean {
  return before.length + after.length > 0;
}

function linesText({ before: [before], after: [after] }: Lines): string {
  return after === undefined ? `line ${before} of the landed text` : `line ${after}`;
}

function deedText({ object, verb }: Deed): string {
  return `${object} (${verb})`;
}
