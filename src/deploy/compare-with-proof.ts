import { UserError } from "../errors";
import type { Catalog } from "../model/catalog";
import type { Problem } from "../model/deployment";
import type { Revision } from "../model/revision";
import { type Drift, driftOf } from "./drift";
import { catalogAt, type ProofFile, touchedBy } from "./proof";

export interface Compared {
  readonly proof: ProofFile;
  readonly found: Catalog;
  readonly applied: ReadonlySet<string>;
  /** The database's major version. */
  readonly major: number;
}

/** The proof must be of the very files that are about to run: a UserError names the first that is not. */
export function requireProofOf(
  file: string,
  { steps }: ProofFile,
  revisions: readonly Revision[],
  sha256Of: (revision: Revision) => string,
): void {
  for (const revision of revisions) {
    const step = steps.find((each) => each.revision === revision.id);
    if (step?.sha256 === sha256Of(revision)) continue;
    throw new UserError({
      what: `The proof ${file} is not of this source: revision ${revision.id} ${step === undefined ? "is not in it" : "was edited since"}.`,
      where: revision.location.file,
      do: "Give the proof that the check of this commit wrote (check --write-proof), or leave proof out.",
    });
  }
}

/** Where the database differs from what was proved at its revision; undefined where the proof does not know that state. */
export function driftFrom(
  { proof, found, applied, major }: Compared,
  pending: ReadonlySet<string>,
): { readonly met: readonly Drift[]; readonly beside: readonly Drift[] } | undefined {
  const proved = catalogAt(proof, applied);
  if (proved === undefined) return undefined;
  const majors = { proved: proof.shadow.major, found: major };
  return driftOf(proved, found, touchedBy(proof, pending), { majors });
}

/** What pending revisions would meet, as a refusal; undefined where they meet nothing. */
export function driftProblem(met: readonly Drift[], where: string): Problem | undefined {
  if (met.length === 0) return undefined;
  return {
    what: `The database's schema is not the one that was proved, in ${met.length} ${met.length === 1 ? "place" : "places"} that pending revisions change.`,
    where,
    seen: textOf(met),
    why: "The proof was made on another schema: what pending revisions do here was not seen.",
    do: "Find out who changed it, and bring both together: by a new revision, or by mending the database. Without the setting proof the schemas are not compared.",
  };
}

/** What is there after the migration and was neither proved nor there before. */
export function newDrift(before: readonly Drift[], after: readonly Drift[]): Drift[] {
  const known = new Set(before.map(({ key, found }) => `${key}\n${found}`));
  return after.filter(({ key, found }) => !known.has(`${key}\n${found}`));
}

export function unprovedProblem(drift: readonly Drift[]): Problem {
  return {
    what: `The schema is not the one that was proved, in ${drift.length} ${drift.length === 1 ? "place" : "places"}.`,
    seen: textOf(drift),
    why: "The revisions did something else here than on the shadow: they depend on rows, roles or settings, or somebody else changed the schema meanwhile.",
    do: "Look at each, and bring both together by a new revision.",
  };
}

function textOf(drift: readonly Drift[]): string {
  const lines = drift.slice(0, 10).map(({ text }) => text);
  return [...lines, ...(drift.length > 10 ? [`and ${drift.length - 10} more`] : [])].join("\n");
}
