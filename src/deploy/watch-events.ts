/** Another session as far as this role may see it: what is undefined is hidden from it. */
export interface SeenSession {
  readonly pid: number;
  readonly user: string | undefined;
  readonly application: string;
  /** Its address; "local" for a Unix socket. */
  readonly client: string | undefined;
  readonly state: string | undefined;
  readonly query: string | undefined;
  /** Since its transaction began, in milliseconds. */
  readonly ageMs: number | undefined;
}

/** Sessions that wait for one of the tool's. */
export interface Behind {
  /** At most 100 are counted. */
  readonly count: number;
  readonly oldestMs: number;
  /** The five that wait longest. */
  readonly sessions: readonly SeenSession[];
}

/** What the tool waits for, as pg_locks names it. */
export interface WantedLock {
  /** pg_locks.locktype: relation, transactionid, tuple, virtualxid, advisory … */
  readonly type: string;
  /** E.g. AccessExclusiveLock. */
  readonly mode: string;
  /** Schema-qualified and quoted; undefined where the lock is not on a relation. */
  readonly relation: string | undefined;
}

/** How a session was recognised as the tool's. */
export type RecognisedBy = "application name" | "port" | "locks";

export type WatchEvent =
  /** A new session of the tool. */
  | {
      readonly kind: "session";
      readonly pid: number;
      /** As pg_stat_activity has it: with the pid it names one session for good. */
      readonly backendStart: string | undefined;
      readonly by: RecognisedBy;
      readonly application: string;
    }
  /** A statement that was not seen before; `running` is false where it had ended by then. */
  | {
      readonly kind: "statement";
      readonly pid: number;
      /** As pg_stat_activity has it: cut at track_activity_query_size (1024 bytes unless set). */
      readonly text: string;
      readonly sinceMs: number;
      readonly running: boolean;
    }
  /** It waits for a lock: when that is first seen, when the blockers change or the first one waits behind, and every second. */
  | {
      readonly kind: "waiting";
      readonly pid: number;
      readonly statement: string;
      readonly lock: WantedLock;
      readonly waitedMs: number;
      readonly blockedBy: readonly SeenSession[];
      readonly behind: Behind;
    }
  /** Others wait for it while it works: when that is first seen, and every second. */
  | { readonly kind: "blocking"; readonly pid: number; readonly statement: string; readonly behind: Behind }
  | Cancelled
  /** The server did not let this role cancel it: its limit is not kept. */
  | { readonly kind: "not cancelled"; readonly pid: number; readonly reason: string }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "back"; readonly afterMs: number }
  /** The watch ended because it did not come back: from now on no limit is kept. */
  | { readonly kind: "blind"; readonly reason: string };

/** A statement that the watch ended: the tool sees 57014, "canceling statement due to user request". */
export interface Cancelled {
  readonly kind: "cancelled";
  readonly pid: number;
  readonly why: "lock" | "statement";
  readonly statement: string;
  readonly lock: WantedLock | undefined;
  /** How long it had waited, or run. */
  readonly afterMs: number;
  readonly blockers: readonly SeenSession[];
}

/** Told apart from a later session with the same process id by when it began. */
export interface SeenToolSession {
  readonly pid: number;
  /** As the server prints it in UTC; undefined where it is hidden from this role. */
  readonly backendStart: string | undefined;
  readonly application: string;
  readonly by: RecognisedBy;
}

export interface SeenStatement {
  readonly pid: number;
  readonly text: string;
  /** The server's clock, ISO 8601. */
  readonly startedAt: string;
  /** How long it was seen to run: at most one poll less than it took. */
  readonly milliseconds: number;
}

export interface WatchSummary {
  /** Empty: none of the tool's sessions was seen, and so no limit was kept by the watch. */
  readonly sessions: readonly SeenToolSession[];
  /** The last 1000. Those shorter than a poll may be missing. */
  readonly statements: readonly SeenStatement[];
  readonly cancelled: readonly Cancelled[];
  readonly longestWaitMs: number;
  /** The most sessions that were seen waiting behind the tool, and the longest wait of one. */
  readonly behind: Pick<Behind, "count" | "oldestMs">;
  readonly polls: number;
  /** How long nothing could be seen, because the connection was lost. */
  readonly lostMs: number;
}
