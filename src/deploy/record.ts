import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../errors";
import { makeDirectory } from "../make-directory";
import { version } from "../version";

export type RecordKind = "apply" | "rollback" | "restore";

/** Who did it, from where, and of which commit: as far as the surroundings say. */
export interface Actor {
  readonly actor: string | undefined;
  readonly machine: string;
  /** The workflow run's address. */
  readonly run: string | undefined;
  readonly commit: string | undefined;
}

/** On GitHub the person who started the run; elsewhere the account. */
export function actorOf(environment: NodeJS.ProcessEnv): Actor {
  const { GITHUB_ACTOR, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_SHA } = environment;
  const isRun =
    GITHUB_SERVER_URL !== undefined && GITHUB_REPOSITORY !== undefined && GITHUB_RUN_ID !== undefined;
  return {
    actor: GITHUB_ACTOR ?? accountName(),
    machine: hostname(),
    run: isRun ? `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}` : undefined,
    commit: GITHUB_SHA,
  };
}

/** What a record holds: when it was written, by whom, and what was done. */
export function recordOf(report: object, environment: NodeJS.ProcessEnv): object {
  return { time: new Date().toISOString(), gate: version, ...actorOf(environment), ...report };
}

/** A user id without an entry in the user database has no name. */
function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/**
 * Writes what a command did as JSON into a new file of the directory and returns its path. Readable by its owner only;
 * whole or not there at all; never over another record. The caller has taken secrets out of it. A UserError where
 * the directory cannot be written.
 */
export function writeRecord(directory: string, kind: RecordKind, record: object): string {
  const time = new Date().toISOString().replace(/[-:.]/g, "");
  const name = `${kind}-${time}-${randomBytes(4).toString("hex")}.json`;
  const file = join(resolve(directory), name);
  try {
    writeWhole(file, `${JSON.stringify(record, null, 2)}\n`);
  } catch (error) {
    throw notWritable(directory, error);
  }
  return file;
}

/** Fails before anything is changed where writeRecord would fail afterwards: the directory is made and tried. */
export function requireRecordDirectory(directory: string): void {
  const file = join(resolve(directory), `.try-${process.pid}`);
  try {
    writeWhole(file, "");
    rmSync(file);
  } catch (error) {
    throw notWritable(directory, error);
  }
}

function writeWhole(file: string, text: string): void {
  const partial = `${file}.partial`;
  makeDirectory(dirname(file));
  const handle = openSync(partial, "wx", 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
}

function notWritable(directory: string, error: unknown): UserError {
  return new UserError(
    {
      what: "The record of what is done cannot be written.",
      where: resolve(directory),
      seen: error instanceof Error ? error.message : String(error),
      do: "Set record-directory to a folder that can be written.",
    },
    { cause: error },
  );
}
