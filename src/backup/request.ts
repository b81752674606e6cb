import type { Client } from "pg";
import type { Address } from "../databases/postgres/connection";
import type { BackupReport } from "../model/deployment";
import type { Settings } from "../settings";

/** What a backup is to be taken of, and what its manifest says of the revisions. */
export interface BackupRequest {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly address: Address;
  /** Connected to that database. */
  readonly client: Client;
  /** The version table's content; none where it is not known. */
  readonly heads: readonly string[];
  /** Revisions that are about to be applied. */
  readonly pending: readonly string[];
  /** One line that the next one may write over. */
  progress(text: string): void;
  /** What is worth a line of the log: a warning, what was removed. Without it, `progress` is told. */
  notice?(text: string): void;
  /** Keeps files as an artifact of the workflow; only the action can. */
  readonly uploadArtifact?: (name: string, files: readonly string[]) => Promise<void>;
}

/** A backup for which everything was found that it needs. */
export interface PreparedBackup {
  /** One line for a plan. */
  readonly description: string;
  /** A UserError where the backup is not whole; then no file looks like one. */
  take(): Promise<BackupReport>;
}
