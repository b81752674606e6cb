import type { Finding } from "../model/finding";
import type { Revision } from "../model/revision";
import { landedGraph } from "../revisions/as-landed";
import type { RevisionHistory } from "../revisions/history";
import { compareVersions } from "../revisions/in-order";
import { deletedFindings } from "./history-deleted";
import { editedFinding } from "./history-edited";
import { followersOfRenumbered } from "./history-renumbered";
import { squashFindings } from "./history-squash";
import { commitText, common, type HistoryContext, shellWord } from "./history-words";
import { nextVersionLine } from "./next-version";

/** What the change did to revisions that had landed, and what git does not know of. */
export function historyFindings(context: HistoryContext): Finding[] {
  const { history, revisions } = context;
  const landed = landedGraph(history, revisions);
  const { findings: squashes, told: inSquashes } = squashFindings(context, landed);
  const untracked = new Set(history.untracked);
  const told = new Set([...inSquashes, ...followersOfRenumbered(context)]);
  return [
    ...squashes,
    ...revisions
      .filter(({ id }) => history.edited.has(id) && !told.has(id))
      .map((revision) => editedFinding(revision, context)),
    ...outOfOrder(history, revisions),
    ...deletedFindings(context, landed, told),
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
      do: `Give it a version above ${last}: ${nextVersionLine(revision, last)}`,
    }));
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
