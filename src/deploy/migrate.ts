import { setTimeout as sleep } from "node:timers/promises";
import {
  type InvalidIndex,
  invalidIndexes,
  type UnvalidatedConstraint,
  unvalidatedConstraints,
} from "../databases/postgres/leftovers";
import { within } from "../databases/postgres/own-session";
import { bugParts, UserError } from "../errors";
import { runsElsewhere } from "../executors/elsewhere";
import { commandPorts } from "../executors/families";
import { openReach } from "../executors/isolation";
import { type CommandResult, runCommand } from "../executors/local";
import type { LockWait, Problem } from "../model/deployment";
import { type AtWork, endSessions } from "./at-work";
import { dropInvalidIndexes } from "./drop-invalid-indexes";
import type { GateLock } from "./gate-lock";
import { eventText, waitOf } from "./live";
import { type MigrationWatch, watchMigration } from "./watch";
import type { WatchSummary } from "./watch-events";

export interface MigrationOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where it works, the own database first. */
  readonly databases: readonly [AtWork, ...AtWork[]];
  /** The tool's sessions have it where their driver reads PGAPPNAME. */
  readonly applicationName: string;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly timeoutMs: number;
  readonly tries: number;
  /** False where a revision works outside of one transaction: a second start could meet what the first one did. */
  readonly repeatable: boolean;
  /** What is not repeatable also writes rows, of which no trace could be told. */
  readonly writesRows: boolean;
  readonly dropInvalidIndexes: boolean;
  readonly lock: GateLock;
  /** What is run instead of the tool. */
  readonly own?: (abort: AbortSignal) => Promise<CommandResult>;
  /** True where the version table lets no other try begin: it is where it is to be, or cannot be told. */
  isOver(): Promise<boolean>;
  say(text: string): void;
  onLine(line: string): void;
}

export interface MigrationResult {
  /** The last start of the tool. */
  readonly last: CommandResult;
  readonly tries: number;
  readonly waits: readonly LockWait[];
  /** Why the last try ended, where a limit ended it. */
  readonly limit: "lock" | "statement" | undefined;
  /** Invalid indexes that this migration left, by their qualified names. */
  readonly invalidIndexes: readonly string[];
  /** The same of the other databases: those that have any. */
  readonly invalidElsewhere: readonly { readonly bind: string; readonly names: readonly string[] }[];
  /** Constraints that it added NOT VALID and did not validate. */
  readonly unvalidated: readonly string[];
  /** False: none of its sessions was recognised in the own database, so that the watch kept no limit. */
  readonly isWatched: boolean;
  /** Sessions of the tool may still be at work there: the server was not reached, or could not be brought to end them. */
  readonly sessionsLeft: boolean;
  /** The same of the other databases. */
  readonly sessionsLeftElsewhere: boolean;
  /** Why it was not started again, where that was to be done and could not. */
  readonly stopped?: Problem;
}

const lockTrouble =
  /\b55P03\b|LockNotAvailable|lock_not_available|canceling statement due to lock timeout|\b40P01\b|DeadlockDetected|deadlock detected/;
const statementTrouble = /canceling statement due to statement timeout/;
/** A tool that is quicker may be over before it was looked at. */
const quickMs = 3_000;
/** A network that drops everything after the tool's end must not be waited for. */
const answerLimitMs = 30_000;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/**
 * Starts the tool, again where only a lock was missing, and watches what its sessions wait for. What it achieved the
 * version table tells, not this result. Throws only before the first start: after it the database may have changed.
 */
export async function migrate(options: MigrationOptions): Promise<MigrationResult> {
  const { say, databases } = options;
  const { target } = databases[0];
  const waits: LockWait[] = [];
  const places = await Promise.all(databases.map(leavingsOf));
  const open = new Set((await unvalidatedConstraints(await target.client())).map(nameOf));
  let result: MigrationResult | undefined;
  for (let attempt = 1; ; attempt++) {
    let once: Once;
    try {
      await options.lock.assertHeld();
      once = await runOnce(options, waits);
    } catch (error) {
      if (result === undefined) throw error;
      return { ...result, stopped: problemOf(error) };
    }
    const { last, watched } = once;
    const limit = limitOf(last, watched);
    // From here on the tool has been at work: whatever fails, there is a result.
    const client = await target.client().catch(() => undefined);
    const [gone, ...goneElsewhere] = await Promise.all(databases.map((database) => endSessions(database)));
    const left = await Promise.all(places.map(({ find }) => find()));
    const unvalidated =
      client === undefined
        ? []
        : await within(client, unvalidatedConstraints(client), answerLimitMs).catch(() => []);
    result = {
      last,
      tries: attempt,
      waits,
      limit,
      ...namesIn(databases, left),
      unvalidated: unvalidated.map(nameOf).filter((name) => !open.has(name)),
      isWatched: watched.isSeen || last.milliseconds < quickMs,
      sessionsLeft: gone !== true,
      sessionsLeftElsewhere: goneElsewhere.includes(false),
    };
    if (options.lock.lost.aborted) return { ...result, stopped: problemOf(options.lock.lost.reason) };
    if (client === undefined || limit !== "lock" || attempt >= options.tries) return result;
    if (result.sessionsLeft || result.sessionsLeftElsewhere) return result;
    if (await options.isOver()) return result;
    try {
      if (!(await mayRepeat(options, left))) return result;
    } catch (error) {
      const still = await Promise.all(places.map(({ find }, index) => find(left[index])));
      return { ...result, ...namesIn(databases, still), stopped: problemOf(error) };
    }
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)) * (0.5 + Math.random());
    say(`No lock in time; try ${attempt + 1} of ${options.tries} in ${(pause / 1000).toFixed(1)} s.`);
    await sleep(pause);
  }
}

/** Finds the invalid indexes of a database that are not there yet; where it does not answer, those that are given. */
async function leavingsOf({ target }: AtWork) {
  const before = new Set((await invalidIndexes(await target.client())).map(({ oid }) => oid));
  const find = async (known: readonly InvalidIndex[] = []): Promise<readonly InvalidIndex[]> => {
    try {
      const client = await target.client();
      const found = await within(client, invalidIndexes(client), answerLimitMs);
      return found.filter(({ oid }) => !before.has(oid));
    } catch {
      return known;
    }
  };
  return { find };
}

function namesIn(
  databases: readonly AtWork[],
  found: readonly (readonly InvalidIndex[])[],
): Pick<MigrationResult, "invalidIndexes" | "invalidElsewhere"> {
  const [own = [], ...others] = found.map((indexes) => indexes.map(({ name }) => name));
  const elsewhere = others.map((names, index) => ({ bind: databases[index + 1]?.bind ?? "", names }));
  return { invalidIndexes: own, invalidElsewhere: elsewhere.filter(({ names }) => names.length > 0) };
}

interface Once {
  readonly last: CommandResult;
  readonly watched: Watched;
}

interface Watched extends Pick<WatchSummary, "cancelled"> {
  /** A session of the tool was recognised in the own database. */
  readonly isSeen: boolean;
}

async function runOnce(options: MigrationOptions, waits: LockWait[]): Promise<Once> {
  const watches: MigrationWatch[] = [];
  let last: CommandResult;
  try {
    for (const database of options.databases) {
      const ownPids = database === options.databases[0] ? [options.lock.pid] : [];
      watches.push(await watchOver(database, ownPids, options, waits));
    }
    const { own, lock } = options;
    last = own === undefined ? await runTool(options) : await own(lock.lost);
  } finally {
    // The tool has been at work: what fails here must not hide that.
    for (const watch of watches)
      await watch.stop().catch((error: unknown) => options.say(problemOf(error).what));
  }
  const seen = watches.map((watch) => watch.seen);
  const isSeen = seen[0] !== undefined && seen[0].sessions.length > 0;
  return { last, watched: { isSeen, cancelled: seen.flatMap(({ cancelled }) => cancelled) } };
}

async function watchOver(
  { target, note, label, bind }: AtWork,
  ignorePids: readonly number[],
  options: MigrationOptions,
  waits: LockWait[],
): Promise<MigrationWatch> {
  const { rows } = await (await target.client()).query<{ now: string }>(
    "select pg_catalog.clock_timestamp()::text as now",
  );
  const { address } = target;
  return await watchMigration({
    address,
    ignorePids,
    ...(rows[0] === undefined ? {} : { startedAt: rows[0].now }),
    applicationName: options.applicationName,
    lockTimeoutMs: options.lockTimeoutMs,
    statementTimeoutMs: options.statementTimeoutMs,
    ...(runsElsewhere(options.argv) ? {} : { toolPorts: () => commandPorts(address.port) }),
    onEvent(event) {
      // By its locks alone it may be an application's: it is not ended when the tool has ended.
      if (event.kind === "session" && event.by !== "locks" && event.backendStart !== undefined)
        note.add({ pid: event.pid, backendStart: event.backendStart });
      const wait = waitOf(event);
      if (wait !== undefined) waits.push(bind === undefined ? wait : { ...wait, bind });
      const text = eventText(event);
      if (text !== undefined) options.say(label + text);
    },
  });
}

function runTool(options: MigrationOptions): Promise<CommandResult> {
  return runCommand({
    argv: options.argv,
    cwd: options.cwd,
    env: options.env,
    timeoutMs: options.timeoutMs,
    isolation: openReach("it works on the database that is deployed to"),
    onLine: options.onLine,
    abort: options.lock.lost,
    endsWithUs: true,
  });
}

function nameOf({ name, table }: UnvalidatedConstraint): string {
  return `${name} on ${table}`;
}

function problemOf(error: unknown): Problem {
  return error instanceof UserError ? error.parts : bugParts(error);
}

function limitOf(last: CommandResult, { cancelled }: Watched): MigrationResult["limit"] {
  // A start that went over its own limit is not begun again.
  if (last.exitCode === 0 || last.timedOut) return undefined;
  const own = cancelled.at(-1)?.why;
  if (own !== undefined) return own;
  if (lockTrouble.test(last.output)) return "lock";
  return statementTrouble.test(last.output) ? "statement" : undefined;
}

/** `left` is by database, in the options' order. */
async function mayRepeat(
  options: MigrationOptions,
  left: readonly (readonly InvalidIndex[])[],
): Promise<boolean> {
  if (options.repeatable) return true;
  // Of what works outside of one transaction, an index that was not finished is the only trace that can be told.
  const isTraced = left.some((indexes) => indexes.length > 0);
  if (!isTraced || !options.dropInvalidIndexes || options.writesRows) return false;
  for (const [index, { target, label }] of options.databases.entries()) {
    const indexes = left[index] ?? [];
    if (indexes.length === 0) continue;
    const say = (text: string) => options.say(label + text);
    await dropInvalidIndexes(await target.client(), indexes, options.lockTimeoutMs, say);
  }
  return true;
}
