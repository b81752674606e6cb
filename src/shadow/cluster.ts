import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chown, lchown, lstat, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { escapeLiteral } from "pg";
import { type Address, connect } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { type Account, runProgram, serverEnvironment } from "./account";
import type { Installation } from "./installed";
import type { PrivateDirectory } from "./private-directory";
import { shadowUrlSetting } from "./server";

/** The files of a private server, while they are made. */
export interface ClusterParts {
  readonly installation: Installation;
  readonly directory: PrivateDirectory;
  readonly account: Account;
  /** Of the superuser `postgres`. */
  readonly password: string;
  readonly signal: AbortSignal;
}

/** A new, empty cluster. UserError where initdb fails. */
export async function initialise({
  installation: { bin },
  directory: { server, data },
  account,
  password,
  signal,
}: ClusterParts): Promise<void> {
  const passwordFile = join(server, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  const args = [
    "-D",
    data,
    "-U",
    "postgres",
    "-A",
    "scram-sha-256",
    `--pwfile=${passwordFile}`,
    "-E",
    "UTF8",
    "--no-sync",
    // A kept cluster would carry 16 MB that hold nothing.
    "--wal-segsize=1",
  ];
  let seen = "";
  // macOS before 15 and some containers have no C.UTF-8.
  for (const locale of ["C.UTF-8", "C"]) {
    const result = await runProgram(join(bin, "initdb"), [...args, `--locale=${locale}`], {
      account,
      cwd: server,
      signal,
    });
    if (result.ok) return rm(passwordFile);
    seen ||= result.stderr;
    if (!/locale/.test(result.stderr)) break;
  }
  throw new UserError({
    what: "The shadow server could not be set up: initdb failed.",
    where: bin,
    seen: lastLines(seen),
    do: `Mend what initdb names, or set ${shadowUrlSetting} to a server.`,
  });
}

/** Of the running server, and of nothing that a cluster is. */
const notKept = new Set(["postmaster.pid", "postmaster.opts", "pg_stat_tmp", "log"]);

/**
 * Copies the files of a running server on which nobody writes: after a checkpoint they are what a crash at this moment would
 * leave, which a start mends (manual 30.5). No backup mode is needed, as no page changes during the copy.
 */
export async function keepCluster(
  address: Address,
  { data }: PrivateDirectory,
  folder: string,
): Promise<void> {
  const client = await connect(address);
  let current: string;
  try {
    await client.query("CHECKPOINT");
    const { rows } = await client.query<{ name: string }>(
      "select pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) as name",
    );
    current = rows[0]?.name ?? "";
  } finally {
    await client.end();
  }
  // Later segments are old ones that wait to be written again.
  const isSpare = (name: string) => /^[0-9A-F]{24}$/.test(name) && name > current;
  await copyFiles(data, join(folder, "data"), isSpare);
}

/** A copy of a kept cluster with a password of its own. UserError where the files are not whole. */
export async function restoreCluster(
  kept: string,
  { installation: { bin }, directory: { server, data }, account, password, signal }: ClusterParts,
): Promise<void> {
  try {
    await copyFiles(join(kept, "data"), data);
  } catch (error) {
    throw new UserError(
      {
        what: "The kept base could not be read: it was removed meanwhile, or is not whole.",
        where: kept,
        seen: error instanceof Error ? error.message : String(error),
        do: "Run again: it is built anew.",
      },
      { cause: error },
    );
  }
  if (account !== undefined) await giveTo(data, account);
  // Single-user mode asks for no password, and recovers first. Its input is the statement, so that no list of processes shows it.
  // Without fsync: recovery would bring every file to the disk first.
  const child = spawn(join(bin, "postgres"), ["--single", "-F", "-D", data, "postgres"], {
    ...(account ?? {}),
    cwd: server,
    env: serverEnvironment(),
    stdio: ["pipe", "ignore", "pipe"],
    signal,
    // It heeds no other one while it recovers, and nothing of its data is wanted then.
    killSignal: "SIGKILL",
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdin.on("error", () => undefined);
  // An abort is told before it has ended, which is waited for.
  child.on("error", (error) => {
    said ||= error.message;
  });
  child.stdin.end(`ALTER ROLE postgres PASSWORD ${escapeLiteral(password)};\n`);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  signal.throwIfAborted();
  if (code === 0 && !/(?:ERROR|FATAL|PANIC):/.test(said)) return;
  throw new UserError({
    what: "The kept base could not be started.",
    where: kept,
    seen: lastLines(said),
    do: "Remove that folder; the next run builds it anew.",
  });
}

/** By cp: Node truncates each file first, so that ext4 writes it to the disk at its close, and its removal waits for that. */
export async function copyFiles(
  from: string,
  to: string,
  isLeftOut: (name: string) => boolean = () => false,
): Promise<void> {
  await mkdir(join(to, "pg_wal"), { recursive: true, mode: 0o700 });
  for (const folder of [".", "pg_wal"]) {
    const names = (await readdir(join(from, folder))).filter(
      (name) => name !== "pg_wal" && !notKept.has(name) && !isLeftOut(name),
    );
    const files = names.map((name) => join(from, folder, name));
    const result = await runProgram("cp", ["-Rp", ...files, join(to, folder)]);
    if (!result.ok) throw new Error(result.stderr);
  }
}

/** Files keep their owner when they are copied; those of a cache that came from elsewhere have none of this machine's. */
async function giveTo(folder: string, { uid, gid }: NonNullable<Account>): Promise<void> {
  for (const made of [folder, join(folder, "pg_wal")]) await lchown(made, uid, gid);
  const copied = await lstat(join(folder, "PG_VERSION"));
  if (copied.uid === uid && copied.gid === gid) return;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  await Promise.all(entries.map((entry) => lchown(join(entry.parentPath, entry.name), uid, gid)));
}

/**
 * Names and sizes of a cluster's files, as a hash: a server that finds a file missing or cut may start all the same, and
 * blame the statement that reads it.
 */
export async function sizesOf(data: string): Promise<string> {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(
    files.sort().map(async (file) => [relative(data, file), (await stat(file)).size]),
  );
  return createHash("sha256").update(JSON.stringify(sizes)).digest("hex");
}

/** The end of what a program said. */
export function lastLines(text: string): string {
  return text.trim().split("\n").slice(-5).join("\n");
}
