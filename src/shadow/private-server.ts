import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { type Account, serverEnvironment } from "./account";
import { haltIfEnding, registerCleanup } from "./cleanup";
import { keepCluster, lastLines, restoreCluster } from "./cluster";
import { createDatabase } from "./databases";
import { provideEmptyCluster } from "./empty-cluster";
import type { Installation } from "./installed";
import { createPrivateDirectory, type PrivateDirectory } from "./private-directory";
import { type ShadowServer, shadowUrlSetting } from "./server";

/** Nothing here must survive a crash, and nothing must happen by the clock. */
const settings = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "2GB",
  // What a kept cluster would carry along.
  min_wal_size: "2MB",
  autovacuum: "off",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  listen_addresses: "127.0.0.1",
  max_connections: "100",
} as const;

/** sockaddr_un holds 107 bytes and a final zero on Linux, 103 on macOS. */
const socketPathLimit = process.platform === "linux" ? 107 : 103;

export interface PrivateServerOptions {
  /** Asked again for a taken port. */
  readonly choosePort?: () => Promise<number>;
  /** The folder of a kept cluster; without it a new one is made. */
  readonly kept?: string | undefined;
}

/**
 * An empty cluster, or a copy of a kept one, in a private directory with a password that only this process knows, and its
 * server on a free port of 127.0.0.1. Stopped and removed on disposal and when this process ends.
 */
export async function startPrivateServer(
  kind: "installed" | "embedded",
  installation: Installation,
  account: Account,
  { choosePort = freePort, kept }: PrivateServerOptions = {},
): Promise<ShadowServer> {
  const directory = await createPrivateDirectory(account);
  await haltIfEnding();
  const starting = new AbortController();
  let preparing: Promise<void> | undefined;
  let postmaster: ChildProcess | undefined;
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    starting.abort();
    await preparing?.catch(() => undefined);
    if (postmaster !== undefined) await stopPostmaster(postmaster);
    await directory.remove();
    unregister();
  };
  const unregister = registerCleanup({
    run: () => {
      stopped ??= stop();
      return stopped;
    },
    runNow: () => {
      starting.abort();
      if (postmaster !== undefined) killPostmaster(postmaster, directory);
      directory.removeNow();
    },
  });
  const dispose = () => {
    stopped ??= stop();
    return stopped;
  };
  try {
    const password = randomBytes(18).toString("base64url");
    const cluster = { installation, directory, account, password, signal: starting.signal };
    preparing = kept === undefined ? provideEmptyCluster(cluster) : restoreCluster(kept, cluster);
    await preparing;
    const { port, socket } = await start(installation, directory, account, choosePort, (child) => {
      postmaster = child;
    });
    const address: Address = {
      name: "the shadow server",
      host: "127.0.0.1",
      port,
      user: "postgres",
      password,
      database: "postgres",
      sslmode: "disable",
    };
    return {
      kind,
      version: installation.version,
      major: installation.major,
      address,
      socket,
      // Its databases go with the server: one that cannot be dropped is no news.
      createDatabase: (purpose, template) =>
        createDatabase(
          address,
          purpose,
          template,
          async () => {},
          () => {},
        ),
      keep: (folder) => keepCluster(address, directory, folder),
      processes: () => processesOf(postmaster),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Starts the postmaster and returns its port, and its Unix socket, once it accepts connections. */
async function start(
  { bin }: Installation,
  directory: PrivateDirectory,
  account: Account,
  choosePort: () => Promise<number>,
  onSpawn: (child: ChildProcess) => void,
): Promise<{ port: number; socket: string | undefined }> {
  const logFile = join(directory.server, "log");
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort();
    const socket = join(directory.server, `.s.PGSQL.${port}`);
    const socketFits = Buffer.byteLength(socket) <= socketPathLimit;
    // A comma-separated list of quoted names, so that blanks and commas in TMPDIR do no harm.
    const sockets = socketFits ? `"${directory.server.replaceAll('"', '""')}"` : "";
    const all = { ...settings, port: String(port), unix_socket_directories: sockets };
    await haltIfEnding();
    const log = await open(logFile, "w");
    const child = spawn(
      join(bin, "postgres"),
      ["-D", directory.data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
      {
        ...(account ?? {}),
        // In a group of its own: Ctrl-C must reach the migration tool first, and the server through our clean-up.
        detached: true,
        stdio: ["ignore", log.fd, log.fd],
        env: serverEnvironment(),
        cwd: directory.server,
      },
    );
    child.on("error", () => {});
    child.unref();
    onSpawn(child);
    await log.close();
    if (await isReady(child, directory)) return { port, socket: socketFits ? socket : undefined };
    const seen = await readFile(logFile, "utf8");
    // Somebody else took the port after it was found free.
    if (attempt < 10 && /could not (create any TCP\/IP sockets|bind)|already in use/i.test(seen)) continue;
    throw new UserError({
      what: "The shadow server did not start.",
      where: bin,
      seen: lastLines(seen),
      do: `Mend what the server names, or set ${shadowUrlSetting} to a server.`,
    });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
    });
  });
}

/** postmaster.pid's eighth line becomes "ready" (pg_ctl waits for the same). */
async function isReady(child: ChildProcess, { data }: PrivateDirectory): Promise<boolean> {
  const pidFile = join(data, "postmaster.pid");
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(4)) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    const lines = (await readFile(pidFile, "utf8").catch(() => "")).split("\n");
    if (lines[0] === String(child.pid) && lines[7]?.trim() === "ready") return true;
  }
  await stopPostmaster(child);
  return false;
}

/** SIGINT is the fast shutdown (manual 18.5). */
async function stopPostmaster(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const ended = once(child, "exit");
  child.kill("SIGINT");
  const kill = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(kill);
}

/** Without an event loop: SIGQUIT, the immediate shutdown, and a wait for the lock file to go. */
function killPostmaster(child: ChildProcess, { data }: PrivateDirectory): void {
  if (!child.kill("SIGQUIT")) return;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (const end = Date.now() + 1_000; Date.now() < end && existsSync(join(data, "postmaster.pid")); ) {
    Atomics.wait(nap, 0, 0, 10);
  }
}

function processesOf(postmaster: ChildProcess | undefined): number[] {
  const pid = postmaster?.pid;
  if (pid === undefined) return [];
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return [pid, ...children.filter((text) => text !== "").map(Number)];
  } catch {
    return [pid];
  }
}
