import { readlinkSync } from "node:fs";
import { familyMembers, type ProcessFamily } from "./processes";
import { namesIn, textOfFile } from "./readable-files";

/**
 * The local ports of a family's established TCP connections to a port of any server, sorted; undefined where there is
 * no /proc. Connections that begin or end meanwhile may be missing.
 */
export function familyPorts(family: ProcessFamily, serverPort: number): readonly number[] | undefined {
  const members = familyMembers(family);
  if (members === undefined) return undefined;
  const ports = new Set<number>();
  for (const pid of members) {
    const sockets = socketsOf(pid);
    if (sockets.size === 0) continue;
    // Of the process's own network namespace.
    for (const table of ["tcp", "tcp6"]) {
      for (const connection of connectionsIn(`/proc/${pid}/net/${table}`)) {
        if (connection.remotePort === serverPort && sockets.has(connection.inode))
          ports.add(connection.localPort);
      }
    }
  }
  return [...ports].sort((one, other) => one - other);
}

/** Inodes of the sockets that a process has open. */
function socketsOf(pid: number): ReadonlySet<string> {
  const found = new Set<string>();
  for (const descriptor of namesIn(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined) found.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  return found;
}

interface TcpConnection {
  readonly localPort: number;
  readonly remotePort: number;
  readonly inode: string;
}

/** proc_net_tcp: sl local rem st queues timer retransmits uid timeout inode; ports hexadecimal, 01 is established. */
function connectionsIn(file: string): TcpConnection[] {
  return textOfFile(file)
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", remote = "", state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (state !== "01") return [];
      return [{ localPort: portOf(local), remotePort: portOf(remote), inode }];
    });
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
}
