import { readFileSync, writeFileSync } from "node:fs";
import { UserError } from "../errors";
import type { FreshLaneResult } from "../lanes/fresh-lane";
import type { Catalog, CatalogDelta } from "../model/catalog";
import type { ShadowReport } from "../model/verdict";

/** What `check --write-proof` writes: the schema that each revision leads to, step by step. */
export interface ProofFile {
  readonly version: 1;
  readonly kind: "proof";
  readonly shadow: { readonly version: string; readonly major: number };
  /** The catalog before the first revision. */
  readonly start: CatalogDelta;
  /** In the order in which the tool applied them. */
  readonly steps: readonly ProofStep[];
}

export interface ProofStep {
  readonly revision: string;
  /** Of the revision's file, hexadecimal. */
  readonly sha256: string;
  readonly changes: CatalogDelta;
}

/** Of the first way up: what it did not reach is not in the proof. */
export function proofOf(
  result: Pick<FreshLaneResult, "legs" | "start">,
  shadow: Pick<ShadowReport, "version" | "major">,
  sha256Of: (revision: string) => string,
): ProofFile {
  const [up] = result.legs;
  const steps = (up?.steps ?? []).filter(
    ({ outcome, doubts }) => outcome === "committed" && doubts.length === 0,
  );
  return {
    version: 1,
    kind: "proof",
    shadow: { version: shadow.version, major: shadow.major },
    start: [...result.start, ...(up?.preamble ?? [])],
    steps: steps.map(({ revision, changes }) => ({ revision, sha256: sha256Of(revision), changes })),
  };
}

/** A UserError where the file is no proof. */
export function readProof(file: string): ProofFile {
  let seen: string;
  try {
    const proof: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (isProof(proof)) return proof;
    seen = "It is JSON, and no proof of this version.";
  } catch (error) {
    seen = error instanceof Error ? error.message : String(error);
  }
  throw new UserError({
    what: `${file} is not a proof.`,
    seen,
    do: "Make one with the check of the same commit: migration-gate check --write-proof proof.json",
  });
}

/** A UserError where the file cannot be written. */
export function writeProof(file: string, proof: ProofFile): void {
  try {
    writeFileSync(file, `${JSON.stringify(proof)}\n`);
  } catch (error) {
    throw new UserError(
      {
        what: "The proof cannot be written.",
        where: file,
        seen: error instanceof Error ? error.message : String(error),
        do: "Set write-proof to a path in a folder that is there and can be written.",
      },
      { cause: error },
    );
  }
}

/** The schema with exactly these revisions, all of which the proof must have. */
export function catalogAt({ start, steps }: ProofFile, applied: ReadonlySet<string>): Catalog {
  const taken = steps.filter(({ revision }) => applied.has(revision));
  const catalog = new Map<string, string>();
  for (const { key, after } of [start, ...taken.map(({ changes }) => changes)].flat()) {
    if (after === undefined) catalog.delete(key);
    else catalog.set(key, after);
  }
  return catalog;
}

/** Catalog keys that these revisions change. */
export function touchedBy({ steps }: ProofFile, revisions: ReadonlySet<string>): Set<string> {
  return new Set(
    steps.flatMap(({ revision, changes }) => (revisions.has(revision) ? changes.map(({ key }) => key) : [])),
  );
}

function isProof(value: unknown): value is ProofFile {
  if (value === null || typeof value !== "object") return false;
  const { version, kind, start, steps, shadow } = value as Partial<ProofFile>;
  return (
    version === 1 &&
    kind === "proof" &&
    typeof shadow?.major === "number" &&
    Array.isArray(start) &&
    Array.isArray(steps) &&
    steps.every((step) => typeof step?.revision === "string" && Array.isArray(step.changes))
  );
}
