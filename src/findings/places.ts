import { identityOf } from "../model/catalog";
import type { StepFailure } from "../model/evidence";
import type { Direction, Revision, RevisionCall, RevisionFunction, SourceLocation } from "../model/revision";

/**
 * Where a finding on an object belongs: the call in this direction that names it, else the other direction's,
 * else where the function starts, else where the revision's id is written.
 */
export function placeOf(revision: Revision, direction: Direction, key: string | undefined): SourceLocation {
  const own = revision[direction];
  const other = revision[direction === "downgrade" ? "upgrade" : "downgrade"];
  const names = key === undefined ? [] : namesOf(key);
  for (const fn of [own, other]) {
    const call = callNaming(fn, names);
    if (fn !== undefined && call !== undefined)
      return { file: fn.file, line: call.line, column: call.column };
  }
  return own === undefined ? revision.location : { file: own.file, line: own.line, column: own.column };
}

/**
 * Where a step failed: the line of the traceback. Where the error was swallowed the traceback is a later statement's:
 * then the call whose every string is in the failed statement, if there is one.
 */
export function placeOfFailure(failure: StepFailure, revision: Revision): SourceLocation {
  const { direction, statement, file, line } = failure;
  const fn = revision[direction];
  const sql = failure.swallowed ? statement?.sql : undefined;
  const call = (fn?.calls ?? []).find(
    ({ literals }) =>
      sql !== undefined && literals.length > 0 && literals.every((literal) => sql.includes(literal)),
  );
  if (fn !== undefined && call !== undefined) return { file: fn.file, line: call.line, column: call.column };
  return file === revision.location.file && line !== undefined
    ? { file, line, column: 1 }
    : placeOf(revision, direction, undefined);
}

/** The parts of an identity, the most telling first: `a.b."c d"` gives c d, b, a. */
function namesOf(key: string): string[] {
  const identity = identityOf(key).replace(/\(.*\)$/s, "");
  const parts = identity.match(/"(?:[^"]|"")+"|[^."]+/g) ?? [];
  return parts
    .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part))
    .reverse();
}

/** The last call whose strings name the object, or, for a part of a table, the part and then the table. */
function callNaming(body: RevisionFunction | undefined, names: readonly string[]): RevisionCall | undefined {
  const calls = body?.calls ?? [];
  for (const name of names.slice(0, 2)) {
    const word = new RegExp(`(?<![\\w$])${escapeRegExp(name)}(?![\\w$])`, "i");
    const found = calls.find((call) => call.literals.some((literal) => word.test(literal)));
    if (found !== undefined) return found;
  }
  return undefined;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
