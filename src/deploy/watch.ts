import type { Address } from "../databases/postgres/connection";
import type { Cancelled, WatchEvent, WatchSummary } from "./watch-events";

export interface WatchOptions {
  readonly address: Address;
  /** Sessions that are not ours to watch: the gate's own. */
  readonly ignorePids: readonly number[];
  /** The server's clock, as it prints a timestamptz; without it, when the watch began. Older sessions are not the tool's. */
  readonly startedAt?: string;
  /** What the tool is given as PGAPPNAME: 1 to 63 printable ASCII characters, and never twice the same. */
  readonly applicationName: string;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly onEvent: (event: WatchEvent) => void;
  /** Default 200. */
  readonly pollMs?: number;
  /**
   * Local ports of the tool's connections to the server, where its processes run on this machine (commandPorts);
   * undefined from it: they cannot be told. Left out: the tool runs elsewhere.
   */
  readonly toolPorts?: () => readonly number[] | undefined;
}

export interface MigrationWatch extends AsyncDisposable {
  /** Of the watch's own session at the moment. */
  readonly pid: number;
  readonly cancelled: readonly Cancelled[];
  readonly seen: WatchSummary;
  /** Ends the watch; the same as disposing of it. */
  stop(): Promise<WatchSummary>;
}

/** A second connection that sees what the tool's sessions do, and keeps the limits that their drivers may ignore. */
export async function watchMigration(_options: WatchOptions): Promise<MigrationWatch> {
  throw new Error("not written yet");
}
