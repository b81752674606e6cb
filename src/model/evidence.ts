import type { Direction } from "./revision";
import type { RecordedStatement } from "./statement";

/** A difference between what was expected and what is there, and the revision that made it. */
export interface Difference {
  readonly key: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly owner: string;
}

/** A revision that stopped the tool: the statement that the server refused, or the project's own code. */
export interface StepFailure {
  readonly revision: string;
  readonly direction: Direction;
  /** True for the upgrade after the downgrade. */
  readonly again: boolean;
  readonly statement: RecordedStatement | undefined;
  /** One sentence of the tool's own output. */
  readonly summary: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly timedOut: boolean;
  /** The object in the way, where the tool's status command had made it: the project does whenever the tool starts. */
  readonly madeOnArrival: string | undefined;
  /** True when the tool went on after the statement's error, in a transaction that was aborted by it. */
  readonly swallowed: boolean;
}

/** Facts of a proof, each on one revision. What they are worth is decided where findings are made. */
export type ProofFact =
  | { readonly kind: "failure"; readonly revision: string; readonly failure: StepFailure }
  /** The downgrade left another schema than there was before the upgrade. `stopped` are revisions that this stopped. */
  | {
      readonly kind: "residue";
      readonly revision: string;
      readonly differences: readonly Difference[];
      readonly stopped: readonly StepFailure[];
    }
  /** The second upgrade led to another schema than the first. */
  | {
      readonly kind: "second upgrade differs";
      readonly revision: string;
      readonly differences: readonly Difference[];
    }
  /** The revision's own text ended the transaction that the tool had begun. */
  | {
      readonly kind: "transaction ended";
      readonly revision: string;
      readonly direction: Direction;
      readonly sql: string;
    }
  | { readonly kind: "column order"; readonly revision: string; readonly differences: readonly Difference[] }
  | {
      readonly kind: "not proved";
      readonly revision: string;
      readonly direction: Direction;
      readonly reason: string;
    };
