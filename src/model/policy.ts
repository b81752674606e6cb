import type { Severity } from "./finding";
import type { RowSettings } from "./row-settings";

/** What a project says of one rule in migration-gate.yml. */
export interface RuleSetting {
  /** Undefined leaves the rule's own. */
  readonly severity: Severity | "off" | undefined;
  /** Why; needed where the rule is turned off or down. */
  readonly because: string | undefined;
  /** Where it stands, 1-based, in `Policy.file`. */
  readonly line?: number;
}

/** One finding that is accepted from outside the revision's file, whose bytes must not change. */
export interface Acceptance {
  readonly rule: string;
  readonly revision: string;
  readonly because: string | undefined;
  /** Where it stands, 1-based, in `Policy.file`. */
  readonly line: number;
}

/** What migration-gate.yml says of rules, findings and rows; empty without that file. */
export interface Policy {
  /** The file as a message names it; undefined where there is none. */
  readonly file: string | undefined;
  readonly rules: ReadonlyMap<string, RuleSetting>;
  readonly accept: readonly Acceptance[];
  /** What the deploy lane puts into tables; absent where it says nothing of it. */
  readonly rows?: RowSettings;
}
