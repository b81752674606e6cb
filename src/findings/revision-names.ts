import path from "node:path";
import type { Finding } from "../model/finding";
import type { Revision } from "../model/revision";
import { type NameForm, nameForm } from "../revisions/file-names";
import type { RevisionHistory } from "../revisions/history";
import { commitText, common, shellWord } from "./history-words";

/**
 * New revisions whose file is not named as those that landed are; `template` is the tool's setting for it. Silent where
 * the landed ones have no form in common.
 */
export function nameFindings(
  history: RevisionHistory,
  revisions: readonly Revision[],
  template: string | undefined,
): Finding[] {
  const isNew = ({ id }: Revision) => history.states.get(id) === "new";
  const landed = revisions.filter((revision) => !isNew(revision));
  const form = nameForm(landed, template);
  if (form === undefined) return [];
  const example = landed.at(-1)?.location.file ?? "";
  return revisions
    .filter((revision) => isNew(revision) && !form.fits(revision))
    .map((revision) => ({
      ...common,
      rule: "revision-name-differs",
      severity: "note",
      revision: revision.id,
      ...revision.location,
      what: `The file of revision "${revision.id}" is named otherwise than the ${landed.length} that landed.`,
      where: `revision ${revision.id}`,
      seen: `${path.posix.basename(revision.location.file)}; ${template === undefined ? "the others have the form" : "file_template is"} ${form.shown}, such as ${path.posix.basename(example)} (${commitText(history)}).`,
      why: "Whoever looks for a revision by its id, or reads them in their order, does not find it among the others.",
      do: renameLine(revision, form) ?? `Rename it as the others are; the tool takes any name of that kind.`,
    }));
}

/** Where the form says all of the name. */
function renameLine(
  { id, message, sql, location, downgrade }: Revision,
  { shown }: NameForm,
): string | undefined {
  const { file } = location;
  const move = (from: string, name: string) =>
    `git mv ${shellWord(from)} ${shellWord(path.posix.join(path.posix.dirname(from), name))}`;
  const [, width] = /^versions of (\d+) digits$/.exec(shown) ?? [];
  if (sql !== undefined && width !== undefined && id.length <= Number(width)) {
    const files = [file, ...(downgrade !== undefined && downgrade.file !== file ? [downgrade.file] : [])];
    return files
      .map((each) =>
        move(each, path.posix.basename(each).replace(/^\+?\d+/, id.padStart(Number(width), "0"))),
      )
      .join("; ");
  }
  if (shown !== "<id>_<slug>" && shown !== "%(rev)s_%(slug)s") return undefined;
  const slug = (message.match(/\w+/g) ?? []).join("_").toLowerCase().slice(0, 40);
  return move(file, `${id}_${slug}.py`);
}
