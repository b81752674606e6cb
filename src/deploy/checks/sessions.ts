import type { PreparedFact, SessionFact, SessionFacts } from "../../databases/postgres/session-facts";
import { describeSession, duration, oneLine, quoted, seenSession } from "../describe-session";
import type { PreflightProblem, Problems } from "./problem";

export interface SessionsContext {
  readonly where: string;
  readonly role: string;
  readonly maxTransactionAgeMs: number;
  readonly lockTimeoutMs: number;
  readonly toolPrefix: string;
}

const mostNamed = 5;

/** Who is at work on the database: another migration, transactions that a lock would wait for, what cannot be seen. */
export function sessionProblems({ sessions, prepared }: SessionFacts, context: SessionsContext): Problems {
  const migrating = sessions.filter((session) => migrates(session, context));
  const others = sessions.filter((session) => !migrating.includes(session) && !session.wraparound);
  const { maxTransactionAgeMs, lockTimeoutMs } = context;
  const long = others.filter(({ ageMs }) => ageMs !== null && ageMs > maxTransactionAgeMs);
  const idle = others.filter(
    ({ state, ageMs, stateMs }) =>
      state?.startsWith("idle in transaction") === true &&
      (stateMs ?? 0) > lockTimeoutMs &&
      (ageMs ?? 0) <= maxTransactionAgeMs,
  );
  const oldPrepared = prepared.filter(({ ageMs }) => ageMs > maxTransactionAgeMs);
  const newPrepared = prepared.filter((each) => !oldPrepared.includes(each));
  return {
    refusals: [
      ...some(migrating, (them) => otherMigration(them, context)),
      ...some(long, (them) => longTransactions(them, context)),
      ...some(oldPrepared, (them) => preparedTransactions(them, context)),
    ],
    warnings: [
      ...some(idle, (them) => idleTransactions(them, context)),
      ...some(newPrepared, (them) => preparedTransactions(them, context)),
      ...some(
        sessions.filter(({ wraparound }) => wraparound),
        (them) => vacuums(them, context),
      ),
      ...some(
        others.filter(({ waitsFor }) => waitsFor !== null),
        (them) => waiting(them, context),
      ),
      ...some(
        others.filter(({ state, inTransaction }) => state === null && inTransaction),
        (them) => hidden(them, context),
      ),
    ],
  };
}

function some<T>(them: readonly T[], problem: (them: readonly T[]) => PreflightProblem): PreflightProblem[] {
  return them.length === 0 ? [] : [problem(them)];
}

function migrates(session: SessionFact, { toolPrefix }: SessionsContext): boolean {
  if (session.wraparound) return false;
  return session.gateLock || session.versionTable !== null || session.application.startsWith(toolPrefix);
}

function otherMigration(sessions: readonly SessionFact[], context: SessionsContext): PreflightProblem {
  const [first] = sessions;
  const reason = ({ gateLock, versionTable }: SessionFact) =>
    gateLock
      ? "has the lock of a run of migration-gate"
      : versionTable === null
        ? "is a tool that migration-gate started"
        : `has ${versionTable} on the version table`;
  return {
    check: "other-migration",
    parts: {
      what: "Another migration is at work on this database.",
      where: context.where,
      seen: list(sessions, (session) => `${described(session)}; it ${reason(session)}`),
      why: "Two at once do the same work twice, or one meets half of what the other did.",
      do: `Wait for its end and run again. If nothing is behind it any more: ${terminate(first?.pid)}`,
    },
  };
}

function longTransactions(sessions: readonly SessionFact[], context: SessionsContext): PreflightProblem {
  const oldest = Math.max(...sessions.map(({ ageMs }) => ageMs ?? 0));
  return {
    check: "long-transaction",
    parts: {
      what: `${count(sessions.length, "transaction has", "transactions have")} been open for longer than ${duration(context.maxTransactionAgeMs)}, the longest for ${duration(oldest)}.`,
      where: context.where,
      seen: list(sessions, (session) => `${described(session)}${locked(session.locks)}`),
      why: "A lock that a migration needs may have to wait for its end, and every query that comes after waits behind that.",
      do: `Wait, or end it: ${terminate(sessions[0]?.pid)} Where it is harmless, set max-transaction-age to more than ${Math.ceil(oldest / 1000)}.`,
    },
  };
}

function idleTransactions(sessions: readonly SessionFact[], context: SessionsContext): PreflightProblem {
  return {
    check: "idle-in-transaction",
    parts: {
      what: `${count(sessions.length, "session is", "sessions are")} idle in a transaction for longer than the lock timeout.`,
      where: context.where,
      seen: list(sessions, (session) => `${described(session)}${locked(session.locks)}`),
      why: "What it has locked stays locked until its client goes on.",
      do: `Mend the client, or set idle_in_transaction_session_timeout; to end it now: ${terminate(sessions[0]?.pid)}`,
    },
  };
}

function preparedTransactions(prepared: readonly PreparedFact[], context: SessionsContext): PreflightProblem {
  const gid = prepared[0]?.gid ?? "";
  return {
    check: "prepared-transaction",
    parts: {
      what: `${count(prepared.length, "prepared transaction has", "prepared transactions have")} not been committed or rolled back.`,
      where: context.where,
      seen: list(
        prepared,
        (each) =>
          `${quoted(each.gid)} of ${quoted(each.owner)}, for ${duration(each.ageMs)}${locked(each.locks)}`,
      ),
      why: "It keeps its locks, over restarts of the server too, until somebody ends it.",
      do: `Ask its transaction manager, or: ROLLBACK PREPARED '${gid.replaceAll("'", "''")}';`,
    },
  };
}

function vacuums(sessions: readonly SessionFact[], context: SessionsContext): PreflightProblem {
  return {
    check: "wraparound-vacuum",
    parts: {
      what: "An autovacuum that prevents wraparound is at work; it does not give way to a migration.",
      where: context.where,
      seen: list(
        sessions,
        ({ pid, query, ageMs }) => `pid ${pid}, ${oneLine(query ?? "")}, for ${duration(ageMs ?? 0)}`,
      ),
      why: "ALTER TABLE on that table waits until it is done, and everybody behind it.",
      do: "Wait for its end where a revision changes that table; it would begin again if it were cancelled.",
    },
  };
}

function waiting(sessions: readonly SessionFact[], context: SessionsContext): PreflightProblem {
  return {
    check: "waiting-sessions",
    parts: {
      what: `${count(sessions.length, "session waits", "sessions wait")} for a lock on a table already.`,
      where: context.where,
      seen: list(sessions, (session) => {
        const { relation = "", mode = "", blockers = [] } = session.waitsFor ?? {};
        return `${described(session)}; it waits for ${mode} on ${oneLine(relation)}, behind ${blockers.map((pid) => (pid === 0 ? "a prepared transaction" : `pid ${pid}`)).join(", ")}`;
      }),
      why: "A migration of the same table would wait behind them.",
      do: `Find out what holds them up: select pg_blocking_pids(${sessions[0]?.pid});`,
    },
  };
}

function hidden(sessions: readonly SessionFact[], { where, role }: SessionsContext): PreflightProblem {
  return {
    check: "hidden-sessions",
    parts: {
      what: `${count(sessions.length, "session of another role is", "sessions of other roles are")} in a transaction, and since when is hidden from this role.`,
      where,
      seen: list(sessions, (session) => `${described(session)}${locked(session.locks)}`),
      why: "Long transactions, and an autovacuum that prevents wraparound, may be there without being named.",
      do: `GRANT pg_read_all_stats TO "${role.replaceAll('"', '""')}";`,
    },
  };
}

function described(session: SessionFact): string {
  return describeSession(seenSession(session, session.pid));
}

function locked(locks: readonly string[]): string {
  return locks.length === 0 ? "" : `; locks ${locks.map(oneLine).join(", ")}`;
}

function list<T>(them: readonly T[], line: (one: T) => string): string {
  const more = them.length > mostNamed ? [`and ${them.length - mostNamed} more`] : [];
  return [...them.slice(0, mostNamed).map(line), ...more].join("\n");
}

function count(number: number, one: string, more: string): string {
  return `${number} ${number === 1 ? one : more}`;
}

function terminate(pid: number | undefined): string {
  return `select pg_terminate_backend(${pid ?? "<pid>"});`;
}
