import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A variable of every process that a command started; a daemon with a session of its own keeps it. */
export const markerName = "MIGRATION_GATE_RUN";

/** The processes of one command: its process group, and on Linux whoever else carries its marker. */
export interface ProcessFamily {
  readonly group: number;
  readonly marker: string;
}

const pollMs = 20;

/** Asks the whole family to end, kills what is left after `graceMs`, and returns when none is left. */
export async function endFamily(family: ProcessFamily, graceMs: number): Promise<void> {
  if (!signalFamily(family, "SIGTERM")) return;
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    await sleep(pollMs);
    if (!signalFamily(family, 0)) return;
  }
  // Again and again: a process that forks while the list is read is found in the next round.
  for (let round = 0; round < 50 && signalFamily(family, "SIGKILL"); round++) await sleep(pollMs);
}

/** Sends a signal to each of the family; true when there was one that runs. Signal 0 only asks. */
export function signalFamily(family: ProcessFamily, signal: NodeJS.Signals | 0): boolean {
  const members = familyMembers(family);
  if (members === undefined) return send(-family.group, signal);
  if (members.length === 0) return false;
  if (signal !== 0) send(-family.group, signal);
  for (const pid of members) send(pid, signal);
  return true;
}

function send(target: number, signal: NodeJS.Signals | 0): boolean {
  // 0 and -1 are this process's own group, and everybody.
  if (target === 0 || target === -1) return false;
  try {
    process.kill(target, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * From /proc; undefined where there is none (macOS). Zombies are left out: in a container whose first process does
 * not wait for orphans they stay for ever.
 */
export function familyMembers(family: ProcessFamily): number[] | undefined {
  const wanted = Buffer.from(`${markerName}=${family.marker}\0`);
  return processIds()?.filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      // proc_pid_stat(5): after the name in brackets come state, parent and process group.
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
      if (state === "Z" || state === "X") return false;
      return (
        (family.group > 1 && Number(group) === family.group) ||
        readFileSync(`/proc/${pid}/environ`).includes(wanted)
      );
    } catch {
      return false; // Ended meanwhile, or another user's.
    }
  });
}

function processIds(): number[] | undefined {
  try {
    const ids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
    return ids.length === 0 ? undefined : ids.map(Number).filter((pid) => pid !== process.pid);
  } catch {
    return undefined;
  }
}
