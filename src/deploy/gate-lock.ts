import type { Address } from "../databases/postgres/connection";

export interface GateLockOptions {
  /** How long to wait for another holder, in milliseconds; 0 tries once. */
  readonly waitMs: number;
  /** One line on who is waited for: at once, when the holder changes, and every 30 s. */
  readonly onWait: (text: string) => void;
  /** What other runs are told of this one, e.g. "migration-gate apply 4711". */
  readonly applicationName: string;
}

export interface GateLock extends AsyncDisposable {
  /** Asks the server; a UserError where the session of the lock is lost, and with it the lock. */
  assertHeld(): Promise<void>;
  /** Of the session that holds it. */
  readonly pid: number;
  /** Aborted, with a UserError as its reason, as soon as the loss is noticed: at most 20 s later. */
  readonly lost: AbortSignal;
}

/** Keeps two writers of one database apart. */
export async function takeGateLock(_address: Address, _options: GateLockOptions): Promise<GateLock> {
  throw new Error("not written yet");
}
