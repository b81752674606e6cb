import type { Finding } from "../model/finding";
import type { Revision, SqlFiles } from "../model/revision";
import type { DeletedRevision, RevisionHistory } from "../revisions/history";
import { compareVersions } from "../revisions/in-order";

/** What the change did to revisions that had landed, and what git does not know of. */
export function historyFindings(history: RevisionHistory, revisions: readonly Revision[]): Finding[] {
  const untracked = new Set(history.untracked);
  return [
    ...revisions.filter(({ id }) => history.edited.has(id)).map((revision) => edited(revision, history)),
    ...outOfOrder(history, revisions),
    ...history.deleted.map((deleted) => gone(deleted, history)),
    ...revisions.filter(({ id }) => untracked.has(id)).map((revision) => unknownToGit(revision)),
  ];
}

/** For a change that adds and edits no revision, and still decides how they all run. */
export function environmentFindings({ environment, base }: RevisionHistory): Finding[] {
  return environment.map((file) => ({
    ...common,
    rule: "environment-edited",
    severity: "warning",
    file,
    what: `${file} was changed, and no revision is new or edited: nothing was run.`,
    where: file,
    seen: `It differs from ${commitText({ base })}.`,
    why: "Every revision runs through this file; whether they still do was not tried.",
    do: "Set history to all to prove all of them with it.",
  }));
}

function edited(revision: Revision, history: RevisionHistory): Finding {
  if (revision.sql !== undefined) return editedSql(revision, revision.sql, history);
  const { id, location } = revision;
  const landed = history.landed.get(id) ?? revision;
  const landedAs = landed.location.file;
  const moved = landedAs === location.file ? "" : `, where it was ${landedAs}`;
  const below = revision.parents.filter((parent) => !landed.parents.includes(parent));
  const skipped = below.filter((parent) => history.states.get(parent) === "new");
  const parents =
    below.length === 0 ? "" : ` Its down_revision was ${idsOf(landed)} and is ${idsOf(revision)} now.`;
  return {
    ...common,
    rule: "revision-edited",
    severity: "error",
    revision: id,
    ...location,
    what: `Revision "${id}" was edited after it had landed.`,
    where: `revision ${id}`,
    seen: `${location.file} differs from ${commitText(history)}${moved}.${parents}`,
    why:
      skipped.length === 0
        ? "A database that has applied it will not run it again: it keeps what the old text made, and a new database gets the other."
        : `A database that has applied it will never run ${skipped.map((parent) => `"${parent}"`).join(", ")}, spliced in below it.`,
    do: `Restore it: git checkout ${shortOf(history)} -- ${shellWord(landedAs)}${landedAs === location.file ? "" : `; git rm ${shellWord(location.file)}`}\nWrite the change as a new revision; where this edit must stay (a comment, a downgrade that is mended), accept revision-edited in migration-gate.yml with the reason.`,
  };
}

/** SQLx compares the checksum of what it applied, and stops. */
function editedSql(revision: Revision, { down }: SqlFiles, history: RevisionHistory): Finding {
  const { id, location } = revision;
  const only = history.editedOnly.get(id);
  const isBack = only === "way back" && down !== undefined;
  const file = isBack ? down : location.file;
  const landedAs = isBack ? down : (history.landed.get(id) ?? revision).location.file;
  const moved = landedAs === file ? "" : `, where it was ${landedAs}`;
  const restore = `Restore it: git checkout ${shortOf(history)} -- ${shellWord(landedAs)}${landedAs === file ? "" : `; git rm ${shellWord(file)}`}`;
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
      : `Every database that has applied it refuses the next deploy: migration ${id} was previously applied but has been modified.`,
    do:
      only === "line ends"
        ? `${restore}\nKeep git from changing line ends: *.sql -text in .gitattributes.`
        : `${restore}\nWrite the change as a new migration${isBack ? "; where this edit must stay, accept revision-edited in migration-gate.yml with the reason" : ""}.`,
  };
}

/** New versions below those that landed: databases that exist run them after, new databases before. */
function outOfOrder(history: RevisionHistory, revisions: readonly Revision[]): Finding[] {
  const ordered = revisions.filter(({ sql }) => sql !== undefined);
  if (ordered.length === 0) return [];
  const theirs = history.target?.revisions.map(({ id }) => id) ?? [];
  const landed = [...history.states].filter(([, state]) => state !== "new").map(([id]) => id);
  const last = [...landed, ...theirs].sort(compareVersions).at(-1);
  if (last === undefined) return [];
  return ordered
    .filter(({ id }) => history.states.get(id) === "new" && compareVersions(id, last) < 0)
    .map((revision) => ({
      ...common,
      rule: "revision-out-of-order",
      severity: "warning",
      revision: revision.id,
      ...revision.location,
      what: `Revision "${revision.id}" is new, and its version is below "${last}", which has landed.`,
      where: `revision ${revision.id}`,
      seen: `${commitText(history)}, or the target since then, has "${last}".`,
      why: `A database that has "${last}" runs this one after it, a new database before it: they may end with different schemas.`,
      do: `Give it a version above ${last}: git mv ${shellWord(revision.location.file)} …`,
    }));
}

function gone({ revision, renumbered }: DeletedRevision, history: RevisionHistory): Finding {
  const { id, location } = revision;
  const now = renumbered === undefined ? "is gone now" : `has the id "${renumbered}" now`;
  return {
    ...common,
    rule: "revision-deleted",
    severity: "error",
    revision: id,
    file: location.file,
    what: `Revision "${id}" was ${renumbered === undefined ? "deleted" : "given another id"} after it had landed.`,
    where: `revision ${id}`,
    seen: `${location.file} is in ${commitText(history)}, and ${now}.`,
    why:
      revision.sql === undefined
        ? `A database that has it as its version stops at every command: Can't locate revision identified by '${id}'.`
        : `Every database that has applied it refuses the next deploy: migration ${id} was previously applied but is missing in the resolved migrations.`,
    do: `Restore it: git checkout ${shortOf(history)} -- ${shellWord(location.file)}\nUndo what it does with a new revision.`,
  };
}

function unknownToGit({ id, location }: Revision): Finding {
  return {
    ...common,
    rule: "untracked-revision",
    severity: "note",
    revision: id,
    ...location,
    what: `Revision "${id}" is in a file that git does not track.`,
    where: `revision ${id}`,
    seen: `${location.file} is not in the repository's index.`,
    why: "It is judged here, and would not be there after a checkout.",
    do: `git add ${shellWord(location.file)}`,
  };
}

const common = {
  revision: undefined,
  direction: undefined,
  file: undefined,
  line: undefined,
  column: undefined,
  object: undefined,
  suppressed: false,
  suppression: undefined,
} as const;

function idsOf({ parents }: Revision): string {
  return parents.length === 0 ? "None" : parents.map((parent) => `"${parent}"`).join(", ");
}

function shortOf({ base }: Pick<RevisionHistory, "base">): string {
  return base.commit.slice(0, 10);
}

function commitText({ base }: Pick<RevisionHistory, "base">): string {
  return `${shortOf({ base })}, the base commit (${base.source})`;
}

/** A name that a POSIX shell takes for one word. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A landed revision does what it did only as long as what it reads is what it was. */
export function besideFindings({ besides, base }: RevisionHistory): Finding[] {
  return besides.map((file) => ({
    ...common,
    rule: "environment-edited",
    severity: "warning",
    file,
    what: `${file} was changed; a landed revision that reads it does something else now.`,
    where: file,
    seen: `It differs from ${commitText({ base })}.`,
    why: "Databases that have that revision will never run it again, and differ from new ones from now on.",
    do: "Put the change into a new revision with a file of its own, or turn the rule down in migration-gate.yml (rules: environment-edited) where no revision reads this file.",
  }));
}
