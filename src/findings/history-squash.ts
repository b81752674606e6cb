import type { SeenEnvironment } from "../model/environment";
import type { Finding, Severity } from "../model/finding";
import type { Operation } from "../model/operation";
import type { Revision } from "../model/revision";
import { type Deed, deedsOf } from "../operations/words";
import type { Graph } from "../revisions/graph";
import { findSquashes, type Squash, type SquashEvidence } from "../revisions/squash";
import { doesTheSame } from "./history-difference";
import { environmentLine, heldBy } from "./history-environments";
import { commitText, common, type HistoryContext, quoted, shellWord, shortOf, some } from "./history-words";
import { lostTables } from "./lost-tables";

/** One finding for each squash, and the revisions of which it speaks. */
export function squashFindings(
  context: HistoryContext,
  landed: Graph,
): { readonly findings: Finding[]; readonly told: ReadonlySet<string> } {
  const { history, revisions } = context;
  const squashes = findSquashes(history, revisions, evidenceOf(context));
  const told = squashes.flatMap(({ squashed, followers }) => [...squashed.map(({ id }) => id), ...followers]);
  return { findings: squashes.map((squash) => squashed(squash, context, landed)), told: new Set(told) };
}

function evidenceOf(context: HistoryContext): SquashEvidence {
  const { history, revisions } = context;
  const now = new Map(revisions.map((revision) => [revision.id, revision]));
  const before = (id: string): readonly Deed[] => {
    const landed = history.landed.get(id);
    return landed === undefined ? [] : upgradeDeeds(context.landedTextOf(landed).operations);
  };
  const after = (id: string): readonly Deed[] => {
    const revision = now.get(id);
    return revision === undefined ? [] : upgradeDeeds(context.textOf(revision).operations);
  };
  const objects = (deeds: readonly Deed[]) => new Set(deeds.map(({ object }) => object));
  return {
    landedObjects: (id) => objects(before(id)),
    addedObjects: (id) => objects(without(after(id), before(id))),
    takenObjects: (id) =>
      objects([...without(after(id), before(id)), ...without(before(id), after(id))].filter(isMaking)),
    doesTheSame(id) {
      const revision = now.get(id);
      return revision !== undefined && doesTheSame(revision, context);
    },
  };
}

function upgradeDeeds(operations: readonly Operation[]): Deed[] {
  return operations.filter(({ origin }) => origin.direction === "upgrade").flatMap(deedsOf);
}

function isMaking({ verb }: Deed): boolean {
  return /^(?:create|add)\b/.test(verb);
}

function without(deeds: readonly Deed[], others: readonly Deed[]): Deed[] {
  const keyOf = ({ object, verb, how }: Deed) => `${verb}\0${object}\0${how}`;
  const known = new Set(others.map(keyOf));
  return deeds.filter((deed) => !known.has(keyOf(deed)));
}

function squashed(squash: Squash, context: HistoryContext, landed: Graph): Finding {
  const { history } = context;
  const [revision] = squash.into;
  const doubts = (context.environments ?? []).flatMap((state) =>
    state.kind === "not read" ? [state.do] : (doubtOf(state, squash, context, landed) ?? []),
  );
  const isAsked = context.environments !== undefined && context.environments.length > 0;
  const words = revision?.sql === undefined ? inPython(squash, context, landed) : inSql(squash, context);
  const lost = lostTables(squash, context).map((name) => `table ${name}`);
  const isSafe = isAsked && doubts.length === 0 && lost.length === 0;
  const isWrong = lost.length > 0 || (isAsked && doubts.length > 0);
  const files = squash.gone.map(({ location }) => location.file);
  return {
    ...common,
    rule: "revision-squashed",
    severity: isSafe ? "note" : isWrong ? "error" : words.severity,
    revision: revision?.id,
    ...revision?.location,
    what: words.what,
    where: `revision ${revision?.id}`,
    seen: [
      `Gone since ${commitText(history)}: ${some(files)}.`,
      ...(context.environments ?? []).map(environmentLine),
    ].join("\n"),
    why: lost.length === 0 ? words.why : `${words.why} A new database will not get: ${some(lost)}.`,
    do: isSafe
      ? "Nothing for these environments. A database that is named nowhere, such as a developer's, has to be brought there, too, or built anew."
      : [
          ...doubts,
          ...(lost.length === 0
            ? []
            : [
                `Write what is missing into ${revision?.location.file}; where create_all or a dump makes it (the setting setup), accept revision-squashed with that reason.`,
              ]),
          words.do,
          `Or restore them: git checkout ${shortOf(history)} -- ${some(foldersOf(squash))}`,
        ].join("\n"),
  };
}

interface Words {
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  readonly do: string;
}

/** What an id has to be kept for: databases know where they are by nothing else. */
function inPython(squash: Squash, context: HistoryContext, landed: Graph): Words {
  const { squashed: all, into, rewritten, gone, tops } = squash;
  const ids = all.map(({ id }) => id);
  const goneIds = new Set(gone.map(({ id }) => id));
  const last = into.at(-1);
  const [top, ...otherTops] = tops;
  const isTopKept = otherTops.length === 0 && rewritten.some(({ id }) => id === top);
  const above = tops.map((id) => landed.childrenOf(id).filter((child) => !goneIds.has(child)));
  const canGoOn = isTopKept || above.every(({ length }) => length > 0);
  const what = `Revisions ${rangeOf(ids)} were squashed into ${rangeOf(into.map(({ id }) => id))}${isTopKept ? ", which keeps the id of the last one" : ""}.`;
  const [stops = ""] = goneIds;
  const lost = `Can't locate revision identified by '${goneIds.has(top ?? "") ? top : stops}'.`;
  // One that is not the last stands for more than a database at it has.
  const wrong = rewritten.map(({ id }) => id).filter((id) => !(isTopKept && id === top));
  const silent =
    wrong.length === 0
      ? ""
      : ` One that is at ${quoted(wrong).join(", ")} counts as having all of it, and never gets the rest.`;
  if (canGoOn) {
    const safe = quoted(isTopKept ? tops : above.flat());
    return {
      severity: "warning",
      what,
      why: `A database that is at ${safe.join(", ")} or a later one goes on; one that is at an older one of them stops at every command: ${lost}${silent}`,
      do: `Bring every database to ${safe.join(", ")} or a later one before this is deployed; list them in the setting environments, and the check reads that they are.`,
    };
  }
  const why = `A database that is at ${wrong.length === 0 ? "one of them, and production is at the last," : "a later one of them"} stops at every command: ${lost}${silent}`;
  const keep =
    otherTops.length > 0
      ? []
      : [
          `Give ${into.length > 1 ? "the last of them" : "the squash"} the id of the last one: revision = "${top}" in ${last?.location.file}. Then a database that is at "${top}" goes on, and every other is brought there before this is deployed.`,
        ];
  const line = context.stampLine(last?.id ?? "");
  const stamp =
    line === undefined || wrong.length > 0
      ? []
      : [
          `${keep.length === 0 ? "Write" : "Or keep the new id, and write"} it down on every database that has all of them, right before the deploy: ${line}`,
        ];
  return { severity: "error", what, why, do: [...keep, ...stamp].join("\n") };
}

/** SQLx looks for every version that was applied, then compares each checksum. */
function inSql(squash: Squash, context: HistoryContext): Words {
  const { gone, rewritten, added } = squash;
  const ids = (each: readonly Revision[]) =>
    rangeOf(
      each.map(({ id }) => id),
      "",
    );
  const [missing] = gone;
  const [modified] = rewritten;
  const there = [...nowOf(rewritten, context), ...added];
  const others =
    rewritten.length === 0
      ? ""
      : `; ${ids(rewritten)} ${rewritten.length === 1 ? "has" : "have"} other content now`;
  const instead =
    added.length === 0 ? "" : `; ${ids(added)} ${added.length === 1 ? "is" : "are"} in their place`;
  const modifiedText =
    modified === undefined
      ? ""
      : ` Then: migration ${modified.id} was previously applied but has been modified.`;
  const statements = context.rowStatements(
    [...gone, ...rewritten].map(({ id }) => id),
    there,
  );
  return {
    severity: "error",
    what: `Landed migrations were squashed: ${ids(gone)} ${gone.length === 1 ? "is" : "are"} gone${others}${instead}.`,
    why: `Every database that has applied them refuses the next deploy: migration ${missing?.id} was previously applied but is missing in the resolved migrations.${modifiedText}`,
    do: [
      `Keep the old files: new databases get the same by them.`,
      `Or write the rows anew, right before the deploy, after migration-gate backup, on every database that has all of ${ids(squash.squashed)} (migration-gate status of the old release says so), and on no other. Read it before you run it:`,
      "BEGIN;",
      ...statements.map((statement) => `${statement};`),
      "COMMIT;",
    ].join("\n"),
  };
}

/** Why this environment cannot get the squash as it is; undefined where it can. */
function doubtOf(
  state: SeenEnvironment,
  squash: Squash,
  context: HistoryContext,
  landed: Graph,
): string | undefined {
  const { name, heads } = state;
  const gone = new Set(squash.gone.map(({ id }) => id));
  if (squash.squashed.some(({ sql }) => sql !== undefined)) return rowDoubt(state, squash, context, landed);
  const stops = heads.filter((id) => gone.has(id));
  if (stops.length > 0) return `${name} is at ${quoted(stops).join(", ")}, which is gone: it would stop.`;
  const held = heldBy(state, landed, context.revisions);
  if (held === undefined) return `${name} is at a revision that is not known here.`;
  const kept = squash.rewritten.filter(({ id }) => held.has(id));
  const missing = squash.squashed.filter(({ id }) => !held.has(id));
  return kept.length > 0 && missing.length > 0
    ? `${name} has ${quoted(kept.map(({ id }) => id)).join(", ")} and not ${some(quoted(missing.map(({ id }) => id)))}: it would never get the rest.`
    : undefined;
}

function rowDoubt(
  { name, heads, rows }: SeenEnvironment,
  squash: Squash,
  context: HistoryContext,
  landed: Graph,
): string | undefined {
  if (rows === undefined) {
    const held = landed.applied(heads);
    return squash.squashed.some(({ id }) => held.has(id))
      ? `${name} has some of them, and a record does not say by which bytes: name the variable of its address instead.`
      : undefined;
  }
  const missing = rows.filter(({ id }) => squash.gone.some((each) => each.id === id));
  const other = nowOf(squash.rewritten, context).filter((revision) =>
    rows.some(({ id, checksum }) => id === revision.id && !context.isApplied(revision, checksum)),
  );
  const parts = [
    ...(missing.length === 0 ? [] : [`${some(missing.map(({ id }) => id))}, which would be missing`]),
    ...(other.length === 0 ? [] : [`${some(other.map(({ id }) => id))} by other bytes`]),
  ];
  return parts.length === 0 ? undefined : `${name} has ${parts.join(", and ")}: it would refuse.`;
}

function nowOf(landed: readonly Revision[], { revisions }: HistoryContext): Revision[] {
  const ids = new Set(landed.map(({ id }) => id));
  return revisions.filter(({ id }) => ids.has(id));
}

/** `"a" to "x" (5)`; a pair and one alone as they are. */
function rangeOf(ids: readonly string[], quote = '"'): string {
  const [first = "", last] = [ids[0], ids.at(-1)].map((id) => `${quote}${id}${quote}`);
  if (ids.length === 1) return first;
  return ids.length === 2 ? `${first} and ${last}` : `${first} to ${last} (${ids.length})`;
}

function foldersOf({ squashed: all }: Squash): string[] {
  return [...new Set(all.map(({ location }) => location.file.replace(/\/?[^/]*$/, "") || "."))].map(
    shellWord,
  );
}
