/**
 * What a write left the database in, told by its version table and never by an exit code.
 * - unchanged: nothing was written.
 * - at target: what was asked for is done and verified.
 * - partly applied: some of it is committed, and the version table says how much.
 * - unverified: the version table is at the target, but something else is not as it should be.
 * - unknown: the database could not be read afterwards.
 */
export type DeployState = "unchanged" | "at target" | "partly applied" | "unverified" | "unknown";

/** What was kept before a write. */
export interface BackupReport {
  readonly kind: "dump" | "none";
  /** Why there is none; undefined for a dump. */
  readonly because: string | undefined;
  /** The file's path, the artifact's name, or the words of the command that took it. */
  readonly location: string | undefined;
  /** The manifest's path: what is in the backup, and what it was verified by. */
  readonly manifest: string | undefined;
  /** Of the stored bytes, hexadecimal. */
  readonly sha256: string | undefined;
  /** Of what was stored. */
  readonly bytes: number | undefined;
  readonly encrypted: boolean;
  readonly milliseconds: number;
  /** The command line that restores it, without a secret; undefined where there is none. */
  readonly restore: string | undefined;
}
