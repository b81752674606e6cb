import type { CatalogChange, CatalogDelta } from "../model/catalog";
import type { Difference } from "../model/evidence";
import { isSameCode } from "./same-code";

/** The one delta that several in a row amount to; what went there and back is left out. */
export function mergeDeltas(deltas: readonly CatalogDelta[]): CatalogDelta {
  if (deltas.length === 1) return deltas[0]!;
  const merged = new Map<string, CatalogChange>();
  for (const change of deltas.flat()) {
    const earlier = merged.get(change.key);
    merged.set(change.key, { ...change, before: earlier === undefined ? change.before : earlier.before });
  }
  return [...merged.values()].filter((change) => change.before !== change.after);
}

/** The delta that takes `delta` back. */
export function invertDelta(delta: CatalogDelta): CatalogDelta {
  return delta.map(({ key, before, after }) => ({ key, before: after, after: before }));
}

/** Where two deltas that start from the same catalog lead to different values. */
export function differencesOf(
  expected: CatalogDelta,
  found: CatalogDelta,
): Pick<Difference, "key" | "expected" | "found">[] {
  const should = new Map(expected.map((change) => [change.key, change]));
  const did = new Map(found.map((change) => [change.key, change]));
  return [...new Set([...should.keys(), ...did.keys()])]
    .map((key) => {
      const [wanted, got] = [should.get(key), did.get(key)];
      return {
        key,
        expected: wanted === undefined ? got?.before : wanted.after,
        found: got === undefined ? wanted?.before : got.after,
      };
    })
    .filter(({ key, expected: wanted, found: got }) => wanted !== got && !isSameCode(key, wanted, got));
}

/** What one step did to the differences. */
export interface StepDifferences {
  /** Made by this step. */
  readonly caused: readonly Difference[];
  /** Were there before, and are gone. */
  readonly healed: readonly Difference[];
  /** Differences of other revisions on which this step worked: its own part can only be seen without them. */
  readonly masked: readonly Difference[];
}

/**
 * Follows two catalogs, the one expected and the one found, from step to step by their deltas alone, so that
 * a step costs what it changed and not the size of the catalog. Both must be equal at the start.
 */
export class DifferenceTracker {
  private readonly differences = new Map<string, Difference>();

  get current(): readonly Difference[] {
    return [...this.differences.values()];
  }

  copy(): DifferenceTracker {
    const copy = new DifferenceTracker();
    for (const [key, difference] of this.differences) copy.differences.set(key, difference);
    return copy;
  }

  /**
   * What was found was changed from outside: differences that this mended are gone. One that it made belongs to
   * nobody, so that revisions that work on it are not blamed for it.
   */
  mend(delta: CatalogDelta): void {
    for (const { key, before, after } of delta) {
      const difference = this.differences.get(key) ?? { key, expected: before, found: before, owner: "" };
      if (difference.expected === after) this.differences.delete(key);
      else this.differences.set(key, { ...difference, found: after });
    }
  }

  /** `expected` and `found` are what the revision should have changed and what it changed. */
  step(revision: string, expected: CatalogDelta, found: CatalogDelta): StepDifferences {
    const should = new Map(expected.map((change) => [change.key, change]));
    const did = new Map(found.map((change) => [change.key, change]));
    const caused: Difference[] = [];
    const healed: Difference[] = [];
    const masked: Difference[] = [];
    for (const key of new Set([...should.keys(), ...did.keys()])) {
      const earlier = this.differences.get(key);
      const wanted = valueAfter(should.get(key), did.get(key)?.before, earlier, "expected");
      const got = valueAfter(did.get(key), should.get(key)?.before, earlier, "found");
      if (wanted === got || isSameCode(key, wanted, got)) {
        this.differences.delete(key);
        if (earlier !== undefined) healed.push(earlier);
        continue;
      }
      const difference = { key, expected: wanted, found: got, owner: revision };
      if (earlier !== undefined) masked.push(earlier);
      else caused.push(difference);
      this.differences.set(key, earlier === undefined ? difference : { ...difference, owner: earlier.owner });
    }
    return { caused, healed, masked };
  }
}

/** A side that did not change has the value it had: the difference's, or else what the other side started from. */
function valueAfter(
  change: CatalogChange | undefined,
  otherBefore: string | undefined,
  earlier: Difference | undefined,
  side: "expected" | "found",
): string | undefined {
  if (change !== undefined) return change.after;
  return earlier === undefined ? otherBefore : earlier[side];
}
