import type { CatalogDelta } from "../model/catalog";
import type { RecordedStatement } from "../model/statement";
import type { MigrationTool, VersionTable } from "../tools/contract";

/** ReadyForQuery's transaction status: idle, in a transaction, in a failed one. */
export type TransactionState = "I" | "T" | "E";

/** What the recorder must know of a migration tool: which statement writes the version table, and how it is read. */
export type VersionProtocol = Pick<MigrationTool, "versionWrites" | "versionsSql">;

/**
 * The state of the database right after a write to the version table, read in the tool's own session.
 * `changes` are those of the catalog since the boundary before.
 */
export interface Boundary {
  /** Applied heads, sorted; empty right after the table was made. */
  readonly heads: readonly string[];
  readonly created: boolean;
  readonly table: VersionTable;
  readonly changes: CatalogDelta;
  /** The last statement that belongs to this boundary. */
  readonly sequence: number;
  readonly connection: number;
  readonly transaction: number;
  /** Version-table writes that came in one message; more than one hides what was between them. */
  readonly writes: number;
  outcome: "pending" | "committed" | "rolled back";
  /** Why the state could not be read; `heads` and `changes` then say nothing. */
  readonly failure: string | undefined;
  readonly milliseconds: number;
}

/** Everything that one start of the tool did on the shadow database. */
export interface Recording {
  readonly statements: RecordedStatement[];
  readonly boundaries: Boundary[];
  /** Bytes of COPY … FROM STDIN by statement sequence; undefined when there were too many to keep. */
  readonly copied: Map<number, Buffer | undefined>;
  /** Connections that got as far as ReadyForQuery. */
  connections: number;
  /** What went wrong in the recorder itself: a reason for "not proved". */
  readonly failures: string[];
}

export function emptyRecording(): Recording {
  return { statements: [], boundaries: [], copied: new Map(), connections: 0, failures: [] };
}
