import type { Direction } from "./revision";

export const severities = ["error", "warning", "note"] as const;
export type Severity = (typeof severities)[number];

/**
 * One opinion with its evidence. Every text is one or two plain sentences; `do` can be pasted or set.
 * This is the shape of `findings[]` in the JSON report.
 */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly revision: string | undefined;
  readonly direction: Direction | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** The database object, `<kind> <identity>`, e.g. `enum type boards.order_status`. */
  readonly object: string | undefined;
  readonly what: string;
  readonly where: string;
  readonly seen: string;
  readonly why: string;
  readonly do: string;
  readonly suppressed: boolean;
  readonly suppression: string | undefined;
}
