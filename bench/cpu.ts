import { readFileSync } from "node:fs";

/** Wall and CPU milliseconds since some point. */
export interface Usage {
  readonly wall: number;
  /** This process, its children that ended (the tool), and the server's processes. */
  readonly cpu: number;
  /** The three parts of `cpu`. */
  readonly own: number;
  readonly children: number;
  readonly server: number;
}

/** proc_pid_stat(5) counts in hundredths of a second on every Linux that Node runs on. */
const tickMs = 10;

interface Times {
  readonly own: number;
  readonly children: number;
}

function timesOf(pid: number | "self"): Times {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the name in brackets: state is field 3; utime 14, stime 15, cutime 16, cstime 17.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const at = (field: number) => Number(fields[field - 3]) * tickMs;
    return { own: at(14) + at(15), children: at(16) + at(17) };
  } catch {
    return { own: 0, children: 0 };
  }
}

/**
 * Reads now; the difference of two readings is what passed between them. `server` are the processes of a server of
 * ours, postmaster first, which has waited for the backends that ended; `forkServer` one whose children are the tool's starts.
 */
export function readUsage(server: readonly number[], forkServer?: number): Usage {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1000;
  const forked = forkServer === undefined ? { own: 0, children: 0 } : timesOf(forkServer);
  const children = timesOf("self").children + forked.own + forked.children;
  const [postmaster] = server;
  const backends = server.reduce((sum, pid) => sum + timesOf(pid).own, 0);
  const ended = postmaster === undefined ? 0 : timesOf(postmaster).children;
  return {
    wall: performance.now(),
    cpu: own + children + backends + ended,
    own,
    children,
    server: backends + ended,
  };
}

export function between(from: Usage, to: Usage): Usage {
  return {
    wall: to.wall - from.wall,
    cpu: to.cpu - from.cpu,
    own: to.own - from.own,
    children: to.children - from.children,
    server: to.server - from.server,
  };
}

export function sum(parts: readonly Usage[]): Usage {
  const add = (name: keyof Usage) => parts.reduce((total, part) => total + part[name], 0);
  return {
    wall: add("wall"),
    cpu: add("cpu"),
    own: add("own"),
    children: add("children"),
    server: add("server"),
  };
}

/** The most memory that this process had at once, in MB (VmHWM of proc_pid_status(5)). */
export function peakMemory(): number {
  const kilobytes = /^VmHWM:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}
