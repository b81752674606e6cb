import type { SeenEnvironment } from "../model/environment";
import type { Finding } from "../model/finding";
import type { Graph } from "../revisions/graph";
import type { DeletedRevision } from "../revisions/history";
import { takenBack } from "../revisions/taken-back";
import { environmentLine, heldBy, namesOf } from "./history-environments";
import { filesThatFollow } from "./history-renumbered";
import { commitText, common, type HistoryContext, quoted, shellWord, shortOf } from "./history-words";

/** Landed revisions that are gone; where the change only takes back the newest ones, by what the environments hold. */
export function deletedFindings(
  context: HistoryContext,
  landed: Graph,
  told: ReadonlySet<string>,
): Finding[] {
  const { history, environments } = context;
  const back = takenBack(history, landed);
  return history.deleted
    .filter(({ revision }) => !told.has(revision.id))
    .map((deleted) => {
      const finding = gone(deleted, context);
      if (back === undefined) return finding;
      if (environments === undefined || environments.length === 0)
        return { ...finding, do: `${finding.do}\n${orTakeBack(back)}` };
      return tookBack(deleted, { context, landed, back, finding });
    });
}

function gone({ revision, renumbered }: DeletedRevision, context: HistoryContext): Finding {
  const { history } = context;
  const { id, location } = revision;
  const isGone = renumbered === undefined;
  const file = context.revisions.find((each) => each.id === renumbered)?.location.file ?? location.file;
  const removal = file === location.file ? "" : `; git rm ${shellWord(file)}`;
  const restore = `git checkout ${shortOf(history)} -- ${shellWord(location.file)}`;
  return {
    ...common,
    rule: "revision-deleted",
    severity: "error",
    revision: id,
    file: location.file,
    what: `Revision "${id}" was ${isGone ? "deleted" : "given another id"} after it had landed.`,
    where: `revision ${id}`,
    seen: `${location.file} is in ${commitText(history)}, and ${isGone ? "is gone now" : `has the id "${renumbered}" now`}.`,
    why:
      revision.sql === undefined
        ? `A database that has it as its version stops at every command: Can't locate revision identified by '${id}'.`
        : `Every database that has applied it refuses the next deploy: migration ${id} was previously applied but is missing in the resolved migrations.`,
    do: isGone
      ? `Restore it: ${restore}\nUndo what it does with a new revision.`
      : `Give it its id again: ${[restore, ...filesThatFollow(renumbered, context).map(shellWord)].join(" ")}${removal}\n${renumberedAnyway({ isSql: revision.sql !== undefined, from: id, to: renumbered }, context)}`,
  };
}

interface Renumbering {
  readonly isSql: boolean;
  readonly from: string;
  readonly to: string;
}

function renumberedAnyway({ isSql, from, to }: Renumbering, context: HistoryContext): string {
  const there = context.revisions.filter(({ id }) => id === to);
  if (isSql) {
    const statements = context.rowStatements([from], there).map((statement) => `${statement};`);
    return `Or write it down anew on every database that has ${from}, right before the deploy: BEGIN; ${statements.join(" ")} COMMIT;`;
  }
  const line = context.stampLine(to);
  return line === undefined
    ? "Or write the new id into every database's version table, right before the deploy."
    : `Or write it down anew on every database that is at "${from}", right before the deploy: ${line}`;
}

function orTakeBack(back: readonly string[]): string {
  return `Or take ${quoted(back).join(", ")} back: migration-gate rollback on every database that has ${back.length === 1 ? "it" : "them"}; then name these databases in the setting environments, and the check reads there that ${back.length === 1 ? "it is" : "they are"} gone.`;
}

interface TakingBack {
  readonly context: HistoryContext;
  readonly landed: Graph;
  readonly back: readonly string[];
  readonly finding: Finding;
}

function tookBack({ revision }: DeletedRevision, { context, landed, back, finding }: TakingBack): Finding {
  const { id } = revision;
  const { environments = [], history } = context;
  const seen = environments.filter((state): state is SeenEnvironment => state.kind === "seen");
  const held = seen.map((state) => ({ state, ids: heldBy(state, landed, context.revisions) }));
  const holding = held.filter(({ ids }) => ids?.has(id) === true);
  const holders = holding.map(({ state }) => state);
  const hidden = held.filter(({ ids }) => ids === undefined).map(({ state }) => state);
  const unread = environments.filter((state) => state.kind === "not read");
  const lines = [finding.seen, ...environments.map(environmentLine)].join("\n");
  if (holders.length + hidden.length + unread.length === 0) {
    return {
      ...finding,
      rule: "revision-taken-back",
      severity: "note",
      what: `Revision "${id}" was taken back; ${namesOf(seen)} ${seen.length === 1 ? "does" : "do"} not hold it.`,
      seen: lines,
      why: "A database that is named nowhere, such as a developer's, stops at it until it is rolled back as well.",
      do: `Nothing. A developer's own database: migration-gate rollback, from a checkout of ${shortOf(history)}.`,
    };
  }
  const doubts = [
    ...(holders.length === 0
      ? []
      : [`${namesOf(holders)} still ${holders.length === 1 ? "holds" : "hold"} it`]),
    ...(unread.length === 0 ? [] : [`${namesOf(unread)} could not be read`]),
    ...(hidden.length === 0
      ? []
      : [`${namesOf(hidden)} ${hidden.length === 1 ? "is" : "are"} at a revision that is not known here`]),
  ];
  const advice = [
    ...holding.map(({ state, ids }) =>
      rollbackLine(
        state,
        back.filter((each) => ids?.has(each) === true),
        context,
      ),
    ),
    ...unread.map((state) => `${state.name}: ${state.do}`),
    ...hidden.map(
      ({ name }) =>
        `${name}: run the check where the revision that it is at is known, or take that back first.`,
    ),
  ];
  return {
    ...finding,
    what: `Revision "${id}" was deleted after it had landed, and ${doubts.join("; ")}.`,
    seen: lines,
    do: `${advice.join("\n")}\nOr restore it: git checkout ${shortOf(history)} -- ${shellWord(finding.file ?? "")}`,
  };
}

/** Rollback needs the files of what it takes back, and takes one back at a time. */
function rollbackLine(
  { name, where }: SeenEnvironment,
  back: readonly string[],
  { databaseUrlEnv, history }: HistoryContext,
): string {
  const times = back.length === 1 ? "" : `, ${back.length} times (${back.join(", then ")})`;
  return `${name}: in a checkout of ${shortOf(history)}${times}, with the address of ${where} in ${databaseUrlEnv}, and a role that may write: migration-gate rollback`;
}
