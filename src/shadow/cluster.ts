import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { chown, cp, lchown, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
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
  try {
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
  await copyFiles(data, join(folder, "data"));
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
  const child = spawn(join(bin, "postgres"), ["--single", "-D", data, "postgres"], {
    ...(account ?? {}),
    cwd: server,
    env: serverEnvironment(),
    stdio: ["pipe", "ignore", "pipe"],
    signal,
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(`ALTER ROLE postgres PASSWORD ${escapeLiteral(password)};\n`);
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0 && !/(?:ERROR|FATAL|PANIC):/.test(said)) return;
  throw new UserError({
    what: "The kept base could not be started.",
    where: kept,
    seen: lastLines(said),
    do: "Remove that folder; the next run builds it anew.",
  });
}

async function copyFiles(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => !notKept.has(basename(source)),
  });
}

async function giveTo(folder: string, account: NonNullable<Account>): Promise<void> {
  await lchown(folder, account.uid, account.gid);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  await Promise.all(
    entries.map((entry) => lchown(join(entry.parentPath, entry.name), account.uid, account.gid)),
  );
}

/** The end of what a program said. */
export function lastLines(text: string): string {
  return text.trim().split("\n").slice(-5).join("\n");
}
