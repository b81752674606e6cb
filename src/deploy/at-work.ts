import { commandPorts } from "../executors/families";
import { bindLabel } from "../settings/binds";
import type { Job } from "./job";
import { RunningNote } from "./running-note";
import type { Target } from "./target";
import { endToolSessions, sessionsByPort, type ToolSessions } from "./tool-sessions";

/** A database in which one start of the tool is at work. */
export interface AtWork {
  /** Which of several databases it is; undefined where there is one. */
  readonly bind: string | undefined;
  /** What is said of it begins with this; "" of the own one. */
  readonly label: string;
  readonly target: Target;
  readonly note: RunningNote;
  /** Those that it was seen to have there, and all that have its name. */
  readonly sessions: ToolSessions;
}

/** The own database first, then those that the same start of the tool migrates, in the job's order. */
export function databasesAtWork(
  { target, others = [], settings }: Job,
  applicationName: string,
): readonly [AtWork, ...AtWork[]] {
  const atWork = (place: Target, label: string): AtWork => {
    const note = new RunningNote(settings["record-directory"], place.where);
    const { bind } = place.project;
    return {
      bind: bind === undefined ? undefined : bindLabel(bind.name),
      label,
      target: place,
      note,
      sessions: { name: applicationName, others: note.sessions },
    };
  };
  return [
    atWork(target, ""),
    ...others.map((other) => atWork(other.target, `database "${bindLabel(other.name)}": `)),
  ];
}

/** Ends the tool's sessions there once the tool has ended. False where one is left, or that cannot be told. */
export async function endSessions({ target, sessions }: AtWork, waitMs?: number): Promise<boolean> {
  try {
    return await endToolSessions(await target.client(), sessions, waitMs);
  } catch {
    return false;
  }
}

/** Notes those that began a moment ago, which no watch has seen; while the tool's processes are still there. */
export async function noteLate({ target, note }: AtWork): Promise<void> {
  const ports = commandPorts(target.address.port);
  try {
    for (const session of await sessionsByPort(await target.client(), ports)) note.add(session);
  } catch {
    // Those that were seen before are known.
  }
}
