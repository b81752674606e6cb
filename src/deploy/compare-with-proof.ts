import { UserError } from "../errors";
import type { Catalog } from "../model/catalog";
import type { Problem } from "../model/deployment";
import type { Revision } from "../model/revision";
import { type Drift, type DriftReport, driftOf } from "./drift";
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

/** Why the proof cannot be compared with a database: revisions that it does not have; undefined where it has all. */
export function unknownToProof(
  file: string,
  { steps }: ProofFile,
  applied: ReadonlySet<string>,
): Problem | undefined {
  const known = new Set(steps.map(({ revision }) => revision));
  const missing = [...applied].filter((id) => !known.has(id));
  if (missing.length === 0) return undefined;
  return {
    what: `The proof ${file} does not know the state of this database: ${missing.length} of its ${applied.size} applied revisions are not in it.`,
    seen: missing.slice(0, 10).join(", ") + (missing.length > 10 ? " and more" : ""),
    why: "What was not compared must not look as if it were right; a check whose setup applies revisions did not prove them.",
    do: "Give the proof that the check of this commit wrote (check --write-proof), or leave proof out.",
  };
}

/** Where the database differs from what was proved at its revisions, all of which the proof must have (unknownToProof). */
export function driftFrom(
  { proof, found, applied, major }: Compared,
  pending: ReadonlySet<string>,
): DriftReport {
  const majors = { proved: proof.shadow.major, found: major };
  return driftOf(catalogAt(proof, applied), found, touchedBy(proof, pending), { majors });
}

/** All of it, whatever is pending. */
export function allDrift(compared: Compared): Drift[] {
  const { met, beside } = driftFrom(compared, new Set());
  return [...met, ...beside];
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
