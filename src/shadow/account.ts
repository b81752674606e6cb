import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { UserError } from "../errors";
import { shadowUrlSetting } from "./server";

/** The user that runs the server; undefined is the user of this process. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

/**
 * PostgreSQL refuses to run as root, and a uid without an entry in /etc/passwd ("could not look up effective user
 * ID"): root gives the server to postgres or nobody.
 */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) return undefined;
  const file = existsSync("/etc/passwd") ? readFileSync("/etc/passwd", "utf8") : "";
  const entries = new Map(
    file
      .split("\n")
      .map((line) => line.split(":"))
      .map(([user = "", , uid, gid]) => [user, { uid: Number(uid), gid: Number(gid) }]),
  );
  const account = ["postgres", "_postgres", "nobody"]
    .map((user) => entries.get(user))
    .find((found) => found !== undefined);
  if (account !== undefined && account.uid > 0) return account;
  throw new UserError({
    what: "PostgreSQL does not run as root, and /etc/passwd has neither a user postgres nor nobody.",
    do: `Run as another user, or set ${shadowUrlSetting} to a server.`,
  });
}

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** Also the reason when the program could not be started. */
  readonly stderr: string;
}

export interface CommandOptions {
  readonly account?: Account;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Runs a program to its end without a shell; a failure is a result, not an exception. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      {
        ...(options.account ?? {}),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        env: options.env ?? serverEnvironment(),
        timeout: options.timeoutMs ?? 120_000,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        const reason = error === null || stderr.trim() !== "" ? stderr : error.message;
        const result = { ok: error === null, stdout, stderr: reason.trim() };
        // An aborted program is told before it has ended.
        const isOver = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
        if (isOver) resolve(result);
        else child.once("exit", () => resolve(result));
      },
    );
  });
}

/** Nothing of the job's own environment: PG* would redirect the server, and a migration can read its environment. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(kept), LC_ALL: "C", TZ: "UTC" };
}

/** Whether the account gets to the directory; asked of the system, because a parent may be closed in several ways. */
export async function canReach(directory: string, account: Account): Promise<boolean> {
  if (account === undefined) return true;
  return (await runProgram("/bin/sh", ["-c", 'test -x "$1"', "sh", directory], { account, cwd: "/" })).ok;
}
