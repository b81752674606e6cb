import type { Difference, StepFailure } from "./evidence";
import type { Direction } from "./revision";
import type { DataQuery, RowLoss } from "./rows";
import type { StepStatus } from "./step-status";

/**
 * The rows that a database had when something was tried on it, the most telling ones first:
 * - hostile: a few in every table, NULL and duplicates wherever allowed, full lengths, extremes.
 * - plain: a few in every table, distinct and modest.
 * - single: one plain row in every table.
 * - landed: what migrations and the seed put there.
 */
export const rowLevels = ["hostile", "plain", "single", "landed"] as const;
export type RowLevel = (typeof rowLevels)[number];

/** What a database with production's rows said to the queries of a failure. */
export interface OnProduction {
  readonly answer: "safe" | "fails" | "unknown";
  /** host:port/database. */
  readonly where: string;
  /** How many rows fail, up to 20; undefined where that is not known. */
  readonly rows: number | undefined;
  /** Why it is unknown. */
  readonly reason: string | undefined;
}

/** Facts of the deploy lane, each on one revision. What they are worth is decided where findings are made. */
export type DeployFact =
  | {
      readonly kind: "failure";
      readonly revision: string;
      readonly failure: StepFailure;
      /** The least telling rows on which it still failed. */
      readonly level: RowLevel;
      /** True where any row is enough, by what the server said: a column that the revision adds itself. */
      readonly anyRow: boolean;
      /** The project's own rows are in the table, and it passed on them. */
      readonly passesOnSeed: boolean;
      /** One of the lane's rows that made it fail, e.g. `id = 3, email = NULL`, where the server's error names none. */
      readonly row?: string | undefined;
      /** What rows make it fail, e.g. "fails if two rows share email"; undefined where that is not known. */
      readonly words: string | undefined;
      /** What tells on production whether the statement would fail there; none for what runs after the upgrade. */
      readonly queries: readonly DataQuery[];
      /** What that database said to them, where one was asked. */
      readonly onProduction?: OnProduction;
    }
  | {
      readonly kind: "rows lost";
      readonly revision: string;
      /** The direction in which it was lost. */
      readonly direction: Direction;
      readonly loss: RowLoss;
      /** Lost on the way up: whether that is what a statement of the revision says, of this table or column. */
      readonly said: boolean;
    }
  /** What the downgrade left on a database with a history and rows, and not on an empty one. */
  | { readonly kind: "residue"; readonly revision: string; readonly differences: readonly Difference[] }
  /** The second upgrade led to another schema than the first. */
  | {
      readonly kind: "second upgrade differs";
      readonly revision: string;
      readonly differences: readonly Difference[];
    };

/** Why the lane could not be run to its end, and what is to blame. */
export interface LaneObstacle {
  readonly cause: "environment" | "settings" | "migration";
  /** One or two sentences. */
  readonly reason: string;
  readonly do: string;
}

/** One revision in one direction, as the deploy lane saw it. */
export interface DeployStep {
  readonly revision: string;
  readonly direction: Direction;
  readonly status: StepStatus;
  readonly reason: string | undefined;
  readonly milliseconds: number | undefined;
}

/** `deployLane` of the JSON report. */
export interface DeployLaneReport {
  readonly status: "proved" | "failed" | "not proved" | "skipped";
  /** There unless it is proved or failed. */
  readonly reason: string | undefined;
  readonly cause: LaneObstacle["cause"] | undefined;
  /** Where the lane began: the commit or what `from` names, and the applied heads there. */
  readonly start: { readonly from: string; readonly heads: readonly string[] } | undefined;
  /** True where the start was kept by an earlier run. */
  readonly kept: boolean;
  /** The rows on which the change was judged to its end. */
  readonly rows: RowLevel | undefined;
  readonly tables: {
    readonly filled: number;
    readonly all: number;
    /** Those that could not be filled, and why. */
    readonly unfilled: readonly { readonly table: string; readonly reason: string }[];
  };
  readonly steps: readonly DeployStep[];
}
