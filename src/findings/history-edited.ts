import type { Finding } from "../model/finding";
import type { Revision, SqlFiles } from "../model/revision";
import { doesTheSame, whatItMisses } from "./history-difference";
import { commitText, common, type HistoryContext, idsOf, quoted, shellWord, shortOf } from "./history-words";

/** A revision whose text is another than the one that landed, with what a database that has it will miss. */
export function editedFinding(revision: Revision, context: HistoryContext): Finding {
  if (revision.sql !== undefined) return editedSql(revision, revision.sql, context);
  const { history } = context;
  const { id, location } = revision;
  const landed = history.landed.get(id)?.revision ?? revision;
  const landedAs = landed.location.file;
  const moved = landedAs === location.file ? "" : `, where it was ${landedAs}`;
  const isReparented = idsOf(landed) !== idsOf(revision);
  const parents = isReparented
    ? ` Its down_revision was ${idsOf(landed)} and is ${idsOf(revision)} now.`
    : "";
  return {
    ...common,
    rule: "revision-edited",
    severity: "error",
    revision: id,
    ...location,
    what: `Revision "${id}" was edited after it had landed.`,
    where: `revision ${id}`,
    seen: `${location.file} differs from ${commitText(history)}${moved}.${parents}`,
    why: whyEdited(revision, landed, context),
    do: `Restore it: git checkout ${shortOf(history)} -- ${shellWord(landedAs)}${landedAs === location.file ? "" : `; git rm ${shellWord(location.file)}`}\nWrite the change as a new revision; where this edit must stay (a comment, a downgrade that is mended), accept revision-edited in migration-gate.yml with the reason.`,
  };
}

function whyEdited(revision: Revision, landed: Revision, context: HistoryContext): string {
  const { history } = context;
  const skipped = revision.parents.filter(
    (parent) => !landed.parents.includes(parent) && history.states.get(parent) === "new",
  );
  const isReparented = idsOf(landed) !== idsOf(revision) && doesTheSame(revision, context);
  const misses = isReparented ? "" : whatItMisses(revision, context);
  if (skipped.length > 0) {
    const spliced = `A database that has applied it will never run ${quoted(skipped).join(", ")}, spliced in below it.`;
    return misses === "" ? spliced : `${spliced} ${misses}`;
  }
  const again = "A database that has applied it will not run it again";
  if (misses !== "") return `${again}. ${misses}`;
  if (isReparented)
    return `${again}: it keeps the order in which it ran them, and a new database runs them in another.`;
  return `${again}: it keeps what the old text made, and a new database gets the other.`;
}

/** SQLx compares the checksum of what it applied, and stops. */
function editedSql(revision: Revision, { down }: SqlFiles, context: HistoryContext): Finding {
  const { history } = context;
  const { id, location } = revision;
  const only = history.editedOnly.get(id);
  const isBack = only === "way back" && down !== undefined;
  const file = isBack ? down : location.file;
  const landedAs = isBack ? down : (history.landed.get(id)?.revision ?? revision).location.file;
  const moved = landedAs === file ? "" : `, where it was ${landedAs}`;
  const restore = `Restore it: git checkout ${shortOf(history)} -- ${shellWord(landedAs)}${landedAs === file ? "" : `; git rm ${shellWord(file)}`}`;
  const misses = only === undefined ? whatItMisses(revision, context) : "";
  return {
    ...common,
    rule: "revision-edited",
    severity: "error",
    revision: id,
    ...location,
    file,
    what: isBack
      ? `The way back of revision "${id}" was edited after it had landed.`
      : `Revision "${id}" was edited after it had landed.`,
    where: `revision ${id}`,
    seen: `${file} differs from ${commitText(history)}${moved}${only === "line ends" ? " in its line ends only (CRLF)" : ""}.`,
    why: isBack
      ? "A release that is deployed already goes back by the old text: the two may lead to different schemas."
      : `Every database that has applied it refuses the next deploy: migration ${id} was previously applied but has been modified.${misses === "" ? "" : ` ${misses}`}`,
    do:
      only === "line ends"
        ? `${restore}\nKeep git from changing line ends: *.sql -text in .gitattributes.`
        : `${restore}\nWrite the change as a new migration${isBack ? "; where this edit must stay, accept revision-edited in migration-gate.yml with the reason" : ""}.`,
  };
}
