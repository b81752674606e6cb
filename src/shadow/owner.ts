import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process, told apart from a later one with the same id, and the machine on which the id means something. */
export interface Owner {
  readonly machine: string;
  readonly pid: number;
  readonly startTime: string;
  /** ISO 8601. */
  readonly created: string;
}

/** This process as the owner of what is created now. */
export function thisOwner(): Owner {
  return {
    machine: thisMachine(),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? "unknown",
    created: new Date().toISOString(),
  };
}

/** Reads what `JSON.stringify(thisOwner())` wrote; undefined for anything else. */
export function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { machine, pid, startTime, created } = value as Readonly<Record<string, unknown>>;
    if (typeof machine !== "string" || typeof startTime !== "string" || typeof created !== "string")
      return undefined;
    return typeof pid === "number" ? { machine, pid, startTime, created } : undefined;
  } catch {
    return undefined;
  }
}

/** Alive and dead can only be told on the owner's own machine, and in a container only from inside it. */
export function stateOf(owner: Owner): "alive" | "dead" | "elsewhere" {
  if (owner.machine !== thisMachine()) return "elsewhere";
  return startTimeOf(owner.pid) === owner.startTime ? "alive" : "dead";
}

/** Nobody's check runs for a day: what is older and cannot be asked after was left behind. */
export function isAbandoned(created: Date): boolean {
  return Date.now() - created.getTime() > 24 * 3_600_000;
}

/** Hashed, because it is written into the comment of a database that others may read. */
function thisMachine(): string {
  const parts = [hostname(), tryRead(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"))];
  parts.push(tryRead(() => readlinkSync("/proc/self/ns/pid")));
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}

function tryRead(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** When the process started, in whatever unit the system tells it; undefined if it does not run or is a zombie. */
function startTimeOf(pid: number): string | undefined {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat !== "") {
    // proc(5): the name (field 2) may hold blanks and parentheses; the state is field 3, the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  }
  if (process.platform === "linux") return undefined;
  const started = tryRead(() =>
    execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ).trim();
  return started === "" ? undefined : started;
}

/** The command line of a process, blanks between the arguments; "" if it does not run. */
export function commandLineOf(pid: number): string {
  const command = tryRead(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  if (command !== "" || process.platform === "linux") return command.replaceAll("\0", " ");
  return tryRead(() =>
    execFileSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
}
