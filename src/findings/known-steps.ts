import type { ProofFact, StepFailure } from "../model/evidence";

/** What one lane has told, so that the other need not. */
export interface KnownSteps {
  /** Failures, by `keyOfStep`. */
  readonly failed: ReadonlySet<string>;
  /** Revisions whose downgrade was seen to leave something, or whose second upgrade differs. */
  readonly residue: ReadonlySet<string>;
}

export function knownSteps(facts: readonly ProofFact[]): KnownSteps {
  const failed = facts.flatMap((fact) =>
    fact.kind === "failure" ? [fact.failure] : fact.kind === "residue" ? fact.stopped : [],
  );
  const left = facts.filter(({ kind }) => kind === "residue" || kind === "second upgrade differs");
  return {
    failed: new Set(failed.map(keyOfStep)),
    residue: new Set(left.map(({ revision }) => revision)),
  };
}

/** One revision, one direction; a second upgrade is a step of its own. */
export function keyOfStep({ revision, direction, again }: StepFailure): string {
  return JSON.stringify([revision, direction, again]);
}
