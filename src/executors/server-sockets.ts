import { dirname, join } from "node:path";
import { namesIn, textOfFile } from "./readable-files";

/**
 * Unix sockets through which a process could reach a database or start one elsewhere, whatever its network: those
 * that listen (/proc/net/unix) and, because other network namespaces have lists of their own, those in the usual folders.
 */
export function serverSockets(): string[] {
  const found = new Set(listeningSockets().filter(isServerSocket));
  for (const folder of new Set([...usualFolders, ...[...found].map(dirname)])) {
    for (const name of namesIn(folder)) if (isServerSocket(join(folder, name))) found.add(join(folder, name));
  }
  return [...found].sort();
}

const usualFolders = [
  "/tmp",
  "/run/postgresql",
  "/var/run/postgresql",
  "/run/mysqld",
  "/var/lib/mysql",
  "/run",
];

/** PostgreSQL and its poolers, MySQL and MariaDB, container engines, and name services that would answer from outside. */
const serverSocket =
  /\/(?:\.s\.PGSQL\.[0-9]+|[^/]*(?:mysql|mariadb)[^/]*\.sock|(?:docker|containerd|podman|crio|buildkitd)\.sock|io\.systemd\.Resolve|nscd\/socket)$/;

function isServerSocket(path: string): boolean {
  return serverSocket.test(path);
}

/** proc_net_unix: Num RefCount Protocol Flags Type St Inode Path; flag 0x10000 is a socket that listens. */
function listeningSockets(): string[] {
  return textOfFile("/proc/net/unix")
    .split("\n")
    .map((line) => /^\S+: \S+ \S+ (\S+) \S+ \S+ +\d+ (\/.*)$/.exec(line))
    .flatMap((match) => (match !== null && Number.parseInt(match[1]!, 16) & 0x10000 ? [match[2]!] : []));
}
