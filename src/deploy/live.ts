import type { LockWait } from "../model/deployment";
import { describeSession, duration, oneLine } from "./describe-session";
import type { WatchEvent } from "./watch-events";

/** What a person who waits should read; undefined for what is no news. */
export function eventText(event: WatchEvent): string | undefined {
  switch (event.kind) {
    case "waiting": {
      const behind = event.behind.count === 0 ? "" : `; ${event.behind.count} wait behind it`;
      return `waits ${duration(event.waitedMs)} for ${event.lock.relation ?? event.lock.type}, which ${event.blockedBy.map(describeSession).join(" and ") || "nobody who can be seen"} holds${behind}: ${oneLine(event.statement)}`;
    }
    case "blocking":
      return `${event.behind.count} ${event.behind.count === 1 ? "session waits" : "sessions wait"} for it, the oldest ${duration(event.behind.oldestMs)}: ${oneLine(event.statement)}`;
    case "cancelled":
      return `cancelled after ${duration(event.afterMs)}, by ${event.why}-timeout: ${oneLine(event.statement)}`;
    case "not cancelled":
      return `pid ${event.pid} could not be cancelled: ${event.reason}`;
    case "lost":
      return `The connection that watches was lost: ${event.reason}`;
    case "blind":
      return `Nothing can be watched any more, and no limit is kept: ${event.reason}`;
    case "statement":
      // What was over before it could be looked at, and what only reads or opens and ends, is no news.
      return event.running && !/^\s*(?:select|show|begin|commit|rollback|set)\b/i.test(event.text)
        ? `running: ${oneLine(event.text)}`
        : undefined;
    case "session":
    case "back":
      return undefined;
  }
}

/** A wait that was ended, for the report. */
export function waitOf(event: WatchEvent): LockWait | undefined {
  if (event.kind !== "cancelled" || event.why !== "lock") return undefined;
  return {
    statement: event.statement,
    milliseconds: event.afterMs,
    blockedBy: event.blockers.map(describeSession),
    cancelled: true,
  };
}
