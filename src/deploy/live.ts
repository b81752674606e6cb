import type { LockWait } from "../model/deployment";
import type { SeenSession, WatchEvent } from "./watch-events";

/** What a person who waits should read; undefined for what is no news. */
export function eventText(event: WatchEvent): string | undefined {
  switch (event.kind) {
    case "waiting": {
      const behind = event.behind.count === 0 ? "" : `; ${event.behind.count} wait behind it`;
      return `waits ${seconds(event.waitedMs)} for ${event.lock.relation ?? event.lock.type}, which ${event.blockedBy.map(sessionText).join(" and ") || "nobody who can be seen"} holds${behind}: ${short(event.statement)}`;
    }
    case "blocking":
      return `${event.behind.count} ${event.behind.count === 1 ? "session waits" : "sessions wait"} for it, the oldest ${seconds(event.behind.oldestMs)}: ${short(event.statement)}`;
    case "cancelled":
      return `cancelled after ${seconds(event.afterMs)}, by ${event.why}-timeout: ${short(event.statement)}`;
    case "not cancelled":
      return `pid ${event.pid} could not be cancelled: ${event.reason}`;
    case "lost":
      return `The connection that watches was lost: ${event.reason}`;
    case "blind":
      return `Nothing can be watched any more, and no limit is kept: ${event.reason}`;
    case "session":
    case "statement":
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
    blockedBy: event.blockers.map(sessionText),
    cancelled: true,
  };
}

function sessionText({ pid, user, application, client, state, query, ageMs }: SeenSession): string {
  const parts = [
    user === undefined ? undefined : `user ${user}`,
    application === "" ? undefined : `"${application}"`,
    client === undefined ? undefined : `from ${client}`,
    state,
    ageMs === undefined ? undefined : `for ${seconds(ageMs)}`,
  ].filter((part) => part !== undefined);
  const doing = query === undefined || query === "" ? "" : `: ${short(query)}`;
  return `pid ${pid} (${parts.join(", ")}${doing})`;
}

function short(sql: string): string {
  const line = sql.replace(/\s+/g, " ").trim();
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`;
}
