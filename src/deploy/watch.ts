import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../databases/postgres/connection";
import { type OwnSession, ownSession } from "../databases/postgres/own-session";
import { cancelStatement, readActivity, seenPort, serverTime } from "../databases/postgres/tool-activity";
import { Follower, type Overdue } from "./follow";
import { Recogniser } from "./recognise";
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
  /** Of the watch's own session; undefined while it is lost. */
  readonly pid: number | undefined;
  readonly cancelled: readonly Cancelled[];
  readonly seen: WatchSummary;
  /** Ends the watch; the same as disposing of it. */
  stop(): Promise<WatchSummary>;
}

const ownName = "migration-gate watch";
const answerLimitMs = 10_000;
const cancelAgainMs = 2_000;
/** How long the end waits for an answer that is under way. */
const stopLimitMs = 1_000;
/** How long it tries to come back before it gives up. */
const lostLimitMs = 30_000;

/** A second connection that sees what the tool's sessions do, and keeps the limits that their drivers may ignore. */
export async function watchMigration(options: WatchOptions): Promise<MigrationWatch> {
  if (!/^[ -~]{1,63}$/.test(options.applicationName))
    throw new Error("the server would print another application_name than the tool is given");
  const session = await ownSession(options.address, { applicationName: ownName });
  try {
    const startedAt = options.startedAt ?? (await serverTime(session, answerLimitMs));
    // Behind a tunnel or a translated address the server sees other ports than the tool has.
    const telling = (await seenPort(session, answerLimitMs)) === session.localPort;
    const toolPorts = telling && session.localPort !== undefined ? options.toolPorts : undefined;
    return new Watch(session, { ...options, startedAt }, new Recogniser({ toolPorts }));
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** How long the tool's first session is looked for more often. */
const hurryMs = 10_000;

type Started = WatchOptions & { readonly startedAt: string };

class Watch implements MigrationWatch {
  readonly cancelled: Cancelled[] = [];
  readonly #options: Started;
  readonly #recogniser: Recogniser;
  readonly #follower: Follower;
  readonly #stopping = new AbortController();
  readonly #sent = new Map<string, number>();
  readonly #refused = new Set<string>();
  readonly #loop: Promise<void>;
  #session: OwnSession | undefined;
  #bug: unknown;
  #polls = 0;
  #lostMs = 0;

  constructor(session: OwnSession, options: Started, recogniser: Recogniser) {
    this.#session = session;
    this.#options = options;
    this.#recogniser = recogniser;
    this.#follower = new Follower(options, (event) => this.#say(event));
    this.#loop = this.#run();
    this.#loop.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#session?.pid;
  }

  get seen(): WatchSummary {
    return {
      ...this.#follower.summary,
      cancelled: [...this.cancelled],
      polls: this.#polls,
      lostMs: Math.round(this.#lostMs),
    };
  }

  async stop(): Promise<WatchSummary> {
    this.#stopping.abort();
    const late = setTimeout(() => void this.#session?.[Symbol.asyncDispose](), stopLimitMs);
    await this.#loop.finally(() => clearTimeout(late));
    if (this.#bug !== undefined) throw this.#bug;
    return this.seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    const { pollMs: usual = 200 } = this.#options;
    const begun = performance.now();
    try {
      while (!this.#stopping.signal.aborted) {
        const session = this.#session ?? (await this.#comeBack());
        if (session === undefined) return;
        const began = performance.now();
        const reason = await this.#poll(session);
        // A session that is not noted yet could not be named by the next run, were this one killed.
        const isNew = performance.now() - begun < hurryMs && this.#follower.summary.sessions.length === 0;
        const pollMs = isNew ? Math.min(usual, 40) : usual;
        if (reason !== undefined) await this.#lose(session, reason);
        else await this.#pause(Math.max(pollMs - (performance.now() - began), pollMs / 4));
      }
    } finally {
      const session = this.#session;
      this.#session = undefined;
      await session?.[Symbol.asyncDispose]();
    }
  }

  /** Undefined, or why nothing could be read. */
  async #poll(session: OwnSession): Promise<string | undefined> {
    let overdue: Overdue[];
    try {
      const activity = await readActivity(session, this.#options, answerLimitMs);
      this.#polls++;
      overdue = this.#follower.read(activity, this.#recogniser.recognise(activity.candidates));
    } catch (error) {
      return messageOf(error);
    }
    for (const each of overdue) await this.#cancel(session, each);
    return undefined;
  }

  async #cancel(session: OwnSession, { backendStart, queryStart, event }: Overdue): Promise<void> {
    const key = `${event.pid} ${backendStart} ${queryStart}`;
    const sent = this.#sent.get(key);
    if (this.#refused.has(key) || (sent !== undefined && performance.now() - sent < cancelAgainMs)) return;
    const victim = { pid: event.pid, backendStart, queryStart, waiting: event.why === "lock" };
    try {
      if (!(await cancelStatement(session, victim, answerLimitMs))) return;
    } catch (error) {
      this.#refused.add(key);
      this.#say({ kind: "not cancelled", pid: event.pid, reason: messageOf(error) });
      return;
    }
    this.#sent.set(key, performance.now());
    if (sent !== undefined) return;
    this.cancelled.push(event);
    this.#say(event);
  }

  async #lose(session: OwnSession, reason: string): Promise<void> {
    this.#session = undefined;
    await session[Symbol.asyncDispose]();
    if (!this.#stopping.signal.aborted) this.#say({ kind: "lost", reason });
  }

  async #comeBack(): Promise<OwnSession | undefined> {
    const lost = performance.now();
    let reason = "";
    for (let pause = 100; !this.#stopping.signal.aborted; pause = Math.min(2 * pause, 2_000)) {
      try {
        this.#session = await ownSession(this.#options.address, {
          applicationName: ownName,
          timeoutMs: 5_000,
        });
        const afterMs = performance.now() - lost;
        this.#lostMs += afterMs;
        this.#say({ kind: "back", afterMs });
        return this.#session;
      } catch (error) {
        reason = messageOf(error);
      }
      if (performance.now() - lost > lostLimitMs) {
        this.#lostMs += performance.now() - lost;
        this.#say({ kind: "blind", reason });
        return undefined;
      }
      await this.#pause(pause);
    }
    return undefined;
  }

  /** What a listener throws must not stop the watch: it is thrown by stop(). */
  #say(event: WatchEvent): void {
    try {
      this.#options.onEvent(event);
    } catch (error) {
      this.#bug ??= error;
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
