import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { Address } from "../databases/postgres/connection";
import { invalidIndexes } from "../databases/postgres/leftovers";
import { openReach } from "../executors/isolation";
import { type CommandResult, runCommand } from "../executors/local";
import type { LockWait } from "../model/deployment";
import { dropInvalidIndexes } from "./drop-invalid-indexes";
import type { GateLock } from "./gate-lock";
import { endToolSessions } from "./tool-sessions";
import { watchMigration } from "./watch";

export interface MigrationOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly address: Address;
  readonly applicationName: string;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly timeoutMs: number;
  readonly tries: number;
  /** False where a revision works outside of one transaction: a second start could meet what the first one did. */
  readonly repeatable: boolean;
  readonly dropInvalidIndexes: boolean;
  readonly lock: GateLock;
  client(): Promise<Client>;
  /** True once the version table is where it is to be. */
  isDone(): Promise<boolean>;
  say(text: string): void;
  onLine(line: string): void;
}

export interface MigrationResult {
  /** The last start of the tool. */
  readonly last: CommandResult;
  readonly tries: number;
  readonly waits: readonly LockWait[];
  /** The last try ended because a lock could not be had in time. */
  readonly lockTimedOut: boolean;
  /** The last try ended because a statement took longer than it may. */
  readonly statementTimedOut: boolean;
  /** Invalid indexes that this migration left, by their qualified names. */
  readonly invalidIndexes: readonly string[];
  /** Sessions of the tool that the server could not be brought to end. */
  readonly sessionsLeft: boolean;
}

const lockTrouble =
  /\b55P03\b|LockNotAvailable|lock_not_available|canceling statement due to lock timeout|\b40P01\b|DeadlockDetected|deadlock detected/;
const longestPauseMs = 60_000;

/**
 * Starts the tool, again where only a lock was missing, and watches what its sessions wait for. What it achieved the
 * version table tells, not this result.
 */
export async function migrate(options: MigrationOptions): Promise<MigrationResult> {
  const waits: LockWait[] = [];
  const before = new Set((await invalidIndexes(await options.client())).map(({ oid }) => oid));
  for (let attempt = 1; ; attempt++) {
    await options.lock.assertHeld();
    const watch = await watchMigration({
      address: options.address,
      ignorePids: [options.lock.pid],
      applicationName: options.applicationName,
      lockTimeoutMs: options.lockTimeoutMs,
      statementTimeoutMs: options.statementTimeoutMs,
      onEvent: () => undefined,
    });
    let last: CommandResult;
    try {
      last = await runCommand({
        argv: options.argv,
        cwd: options.cwd,
        env: options.env,
        timeoutMs: options.timeoutMs,
        isolation: openReach("it works on the database that is deployed to"),
        onLine: options.onLine,
      });
    } finally {
      await watch.stop();
    }
    const client = await options.client();
    const gone = await endToolSessions(client, options.applicationName, []);
    const left = (await invalidIndexes(client)).filter(({ oid }) => !before.has(oid));
    const lockTimedOut = lockTrouble.test(last.output);
    const result = {
      last,
      tries: attempt,
      waits,
      lockTimedOut,
      statementTimedOut: false,
      invalidIndexes: left.map(({ name }) => name),
      sessionsLeft: !gone,
    };
    if (await options.isDone()) return result;
    if (!lockTimedOut || attempt >= options.tries || !gone || last.timedOut) return result;
    if (left.length > 0) {
      if (!options.dropInvalidIndexes) return result;
      await dropInvalidIndexes(client, left, options.lockTimeoutMs, options.say);
    }
    if (!options.repeatable && left.length === 0) return result;
    const pause = Math.min(longestPauseMs, 1000 * 2 ** (attempt - 1)) * (0.5 + Math.random());
    options.say(
      `No lock in time; try ${attempt + 1} of ${options.tries} in ${(pause / 1000).toFixed(1)} s.`,
    );
    await sleep(pause);
  }
}
