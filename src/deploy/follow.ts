import type { Activity, ActivityRow, CandidateRow, WaitRow } from "../databases/postgres/tool-activity";
import { seenSession } from "./describe-session";
import { isConcurrently, isSchemaChange } from "./patient-statement";
import { keyOf } from "./recognise";
import type {
  Behind,
  Cancelled,
  RecognisedBy,
  SeenSession,
  SeenStatement,
  SeenToolSession,
  WantedLock,
  WatchEvent,
  WatchSummary,
} from "./watch-events";

export interface Limits {
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** A statement that went over its limit. */
export interface Overdue {
  readonly backendStart: string;
  readonly queryStart: string;
  readonly event: Cancelled;
}

interface Followed {
  queryStart: string | null;
  statement: { -readonly [Name in keyof SeenStatement]: SeenStatement[Name] } | undefined;
  /** Of waits whose start the server does not tell. */
  waitSeen: { readonly what: string; readonly at: number } | undefined;
  said: { readonly what: string; readonly at: number } | undefined;
}

/** A driver that takes PGAPPNAME takes PGOPTIONS: the server's own limits, which say more, come first. */
const namedGraceMs = 500;
const sayAgainMs = 1_000;
const mostStatements = 1_000;
const mostNamed = 5;
const strongModes = new Set([
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
]);

/** What the tool's sessions were seen to do, from one reading to the next. */
export class Follower {
  readonly #limits: Limits;
  readonly #say: (event: WatchEvent) => void;
  readonly #followed = new Map<string, Followed>();
  readonly #sessions: SeenToolSession[] = [];
  readonly #statements: Followed["statement"][] = [];
  #longestWaitMs = 0;
  #behind: WatchSummary["behind"] = { count: 0, oldestMs: 0 };

  constructor(limits: Limits, say: (event: WatchEvent) => void) {
    this.#limits = limits;
    this.#say = say;
  }

  get summary(): Pick<WatchSummary, "sessions" | "statements" | "longestWaitMs" | "behind"> {
    return {
      sessions: [...this.#sessions],
      statements: this.#statements.flatMap((statement) =>
        statement === undefined ? [] : [{ ...statement }],
      ),
      longestWaitMs: this.#longestWaitMs,
      behind: this.#behind,
    };
  }

  /** Tells what is new, and returns what went over its limit. */
  read(activity: Activity, ours: ReadonlyMap<CandidateRow, RecognisedBy>): Overdue[] {
    const now = performance.now();
    const all = new Map([...activity.others, ...activity.candidates].map((row) => [row.pid, row]));
    const waits = new Map(activity.waits.map((wait) => [wait.pid, wait]));
    const pids = new Set([...ours.keys()].map(({ pid }) => pid));
    const overdue: Overdue[] = [];
    for (const [row, by] of ours) {
      const followed = this.#session(row, by);
      this.#statement(row, followed);
      const wait = waits.get(row.pid);
      const waitedMs = wait === undefined ? 0 : waited(wait, row, followed, now);
      if (wait === undefined) followed.waitSeen = undefined;
      this.#longestWaitMs = Math.max(this.#longestWaitMs, waitedMs);
      const behind = behindOf(row.pid, activity.waits, pids, all);
      this.#behind = {
        count: Math.max(this.#behind.count, behind.count),
        oldestMs: Math.max(this.#behind.oldestMs, behind.oldestMs),
      };
      const blockers = (wait?.blockers ?? []).map((pid) => seenSession(all.get(pid), pid));
      this.#tell(row, wait, waitedMs, blockers, behind, followed, now);
      const late = this.#late(row, by, wait, waitedMs);
      if (late === undefined || row.backendStart === null || row.queryStart === null) continue;
      const { backendStart, queryStart, pid } = row;
      const lock = wait === undefined ? undefined : wantedOf(wait);
      const event = { kind: "cancelled", pid, ...late, statement: row.query ?? "", lock, blockers } as const;
      overdue.push({ backendStart, queryStart, event });
    }
    return overdue;
  }

  #session(row: CandidateRow, by: RecognisedBy): Followed {
    const known = this.#followed.get(keyOf(row));
    if (known !== undefined) return known;
    const followed: Followed = {
      queryStart: null,
      statement: undefined,
      waitSeen: undefined,
      said: undefined,
    };
    this.#followed.set(keyOf(row), followed);
    const { pid, application, backendStart } = row;
    this.#sessions.push({ pid, backendStart: backendStart ?? undefined, application, by });
    this.#say({ kind: "session", pid, backendStart: backendStart ?? undefined, by, application });
    if (backendStart === null) {
      const reason = "Its role is another one: what it does is hidden from the gate's.";
      this.#say({ kind: "not cancelled", pid, reason });
    }
    return followed;
  }

  #statement(row: CandidateRow, followed: Followed): void {
    const { pid, query, queryStart, runMs } = row;
    if (queryStart === null || query === null || query === "") return;
    if (followed.queryStart === queryStart) {
      if (followed.statement !== undefined) followed.statement.milliseconds = runMs ?? 0;
      return;
    }
    followed.queryStart = queryStart;
    followed.statement = { pid, text: query, startedAt: isoOf(queryStart), milliseconds: runMs ?? 0 };
    this.#statements.push(followed.statement);
    if (this.#statements.length > mostStatements) this.#statements.shift();
    this.#say({ kind: "statement", pid, text: query, sinceMs: runMs ?? 0, running: row.state === "active" });
  }

  #tell(
    row: CandidateRow,
    wait: WaitRow | undefined,
    waitedMs: number,
    blockedBy: readonly SeenSession[],
    behind: Behind,
    followed: Followed,
    now: number,
  ): void {
    if (wait === undefined && behind.count === 0) {
      followed.said = undefined;
      return;
    }
    const what =
      wait === undefined ? "blocks" : `${lockKey(wait, row)} ${wait.blockers.join()} ${behind.count > 0}`;
    if (followed.said?.what === what && now - followed.said.at < sayAgainMs) return;
    followed.said = { what, at: now };
    const about = { pid: row.pid, statement: row.query ?? "" };
    if (wait === undefined) this.#say({ kind: "blocking", ...about, behind });
    else this.#say({ kind: "waiting", ...about, lock: wantedOf(wait), waitedMs, blockedBy, behind });
  }

  #late(
    row: CandidateRow,
    by: RecognisedBy,
    wait: WaitRow | undefined,
    waitedMs: number,
  ): Pick<Cancelled, "why" | "afterMs"> | undefined {
    if (row.state !== "active") return undefined;
    const statement = row.query ?? "";
    if (by === "locks" && !(row.strong && isSchemaChange(statement))) return undefined;
    const grace = by === "application name" ? namedGraceMs : 0;
    const runMs = row.runMs ?? 0;
    if (runMs > this.#limits.statementTimeoutMs + grace) return { why: "statement", afterMs: runMs };
    if (wait === undefined || waitedMs <= this.#limits.lockTimeoutMs + grace) return undefined;
    // Nobody comes to wait behind these.
    if (wait.type === "virtualxid" || isConcurrently(statement)) return undefined;
    if (by === "locks" && !(wait.type === "relation" && strongModes.has(wait.mode))) return undefined;
    return { why: "lock", afterMs: waitedMs };
  }
}

function waited(wait: WaitRow, row: CandidateRow, followed: Followed, now: number): number {
  const what = lockKey(wait, row);
  if (followed.waitSeen?.what !== what) followed.waitSeen = { what, at: now };
  return wait.waitedMs ?? now - followed.waitSeen.at;
}

function lockKey({ type, mode, relation }: WaitRow, { queryStart }: CandidateRow): string {
  return [queryStart, type, mode, relation].join("\0");
}

function wantedOf({ type, mode, relation }: WaitRow): WantedLock {
  return { type, mode, relation: relation ?? undefined };
}

/** The tool's own sessions do not count: they are told of by themselves. */
function behindOf(
  pid: number,
  waits: readonly WaitRow[],
  ours: ReadonlySet<number>,
  all: ReadonlyMap<number, ActivityRow>,
): Behind {
  const behind = waits
    .filter((wait) => wait.blockers.includes(pid) && !ours.has(wait.pid))
    .sort((one, other) => (other.waitedMs ?? 0) - (one.waitedMs ?? 0));
  return {
    count: behind.length,
    oldestMs: behind[0]?.waitedMs ?? 0,
    sessions: behind.slice(0, mostNamed).map((wait) => seenSession(all.get(wait.pid), wait.pid)),
  };
}

/** The server prints `2026-11-22 08:00:00.123456+00`. */
function isoOf(time: string): string {
  return `${time.replace(" ", "T").replace(/\+00$/, "")}Z`;
}
