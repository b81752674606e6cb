import { randomBytes } from "node:crypto";
import { chownSync, rmSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors";
import { type Account, canReach } from "./account";
import { registerCleanup } from "./cleanup";
import { commandLineOf, isAbandoned, parseOwner, stateOf, thisOwner } from "./owner";

const prefix = "migration-gate-";
const ownerFile = "owner.json";

/** Directories for one server: `path` is ours and says whose it is, `server` belongs to the server's account. */
export interface PrivateDirectory {
  readonly path: string;
  readonly server: string;
  readonly data: string;
  remove(): Promise<void>;
  removeNow(): void;
}

/** TMPDIR may lie under a directory that only root enters. */
function temporaryDirectories(): string[] {
  return [...new Set([tmpdir(), "/tmp", "/var/tmp"])];
}

function layout(path: string): PrivateDirectory {
  const server = join(path, "server");
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 };
  return {
    path,
    server,
    data: join(server, "data"),
    remove: () => rm(path, options),
    removeNow: () => rmSync(path, options),
  };
}

/** Removed when a signal ends this process, too. */
function removedAtEnd(directory: PrivateDirectory): PrivateDirectory {
  const unregister = registerCleanup({ run: () => directory.remove(), runNow: () => directory.removeNow() });
  return {
    ...directory,
    remove: async () => {
      await directory.remove();
      unregister();
    },
  };
}

/** A new directory that nobody else can read and the account can reach. */
export async function createPrivateDirectory(account: Account): Promise<PrivateDirectory> {
  const failures: string[] = [];
  for (const base of temporaryDirectories()) {
    try {
      // On the list before it is there: a signal may come in between.
      const directory = removedAtEnd(layout(join(base, prefix + randomBytes(6).toString("hex"))));
      await mkdir(directory.path, { mode: 0o700 });
      await writeFile(join(directory.path, ownerFile), JSON.stringify(thisOwner()), { mode: 0o600 });
      if (account !== undefined) await chmod(directory.path, 0o711);
      await mkdir(directory.server, { mode: 0o700 });
      if (account !== undefined) chownSync(directory.server, account.uid, account.gid);
      if (await canReach(directory.server, account)) return directory;
      await directory.remove();
      failures.push(`${base} cannot be entered by uid ${account?.uid}`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new UserError({
    what: "There is no temporary directory for the shadow server.",
    seen: failures.join("\n"),
    do: "Set TMPDIR to a directory with 100 MB to spare that the server's user can enter.",
  });
}

/** Stops and removes what runs that were killed left behind. Never fails: what cannot be removed is left for later. */
export async function removeLeftovers(): Promise<void> {
  for (const base of temporaryDirectories()) {
    const names = await readdir(base).catch(() => []);
    const ours = names.filter((name) => name.startsWith(prefix));
    await Promise.allSettled(ours.map((name) => removeIfLeft(join(base, name))));
  }
}

async function removeIfLeft(path: string): Promise<void> {
  const status = await lstat(path);
  // In a directory that all may write to, another user could have made it, or a link out of it.
  if (!status.isDirectory() || status.uid !== process.getuid?.()) return;
  const owner = parseOwner(await readFile(join(path, ownerFile), "utf8").catch(() => ""));
  const state = owner === undefined ? "elsewhere" : stateOf(owner);
  if (state === "alive" || (state === "elsewhere" && !isAbandoned(status.mtime))) return;
  const directory = layout(path);
  if (state === "dead") await stopPostmasterOf(directory.data);
  await directory.remove();
}

/** The postmaster that holds this data directory (postmaster.pid, line 1), if it really is a postgres with it. */
async function stopPostmasterOf(data: string): Promise<void> {
  const pid = Number((await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n")[0]);
  const runs = () => {
    const command = commandLineOf(pid);
    return command.includes("postgres") && command.includes(data);
  };
  if (!(pid > 1) || !runs()) return;
  for (const signal of ["SIGQUIT", "SIGKILL"] as const) {
    process.kill(pid, signal);
    for (const end = Date.now() + 5_000; Date.now() < end && runs(); ) await sleep(20);
    if (!runs()) return;
  }
}
