import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "../errors";

export type RecordKind = "apply" | "rollback" | "restore";

/**
 * Writes what a command did as JSON into a new file of the directory and returns its path. Readable by its owner only;
 * whole or not there at all; never over another record. The caller has taken secrets out of it. A UserError where
 * the directory cannot be written.
 */
export function writeRecord(directory: string, kind: RecordKind, record: object): string {
  const time = new Date().toISOString().replace(/[-:.]/g, "");
  const file = resolve(directory, `${kind}-${time}-${randomBytes(4).toString("hex")}.json`);
  try {
    writeWhole(file, `${JSON.stringify(record, null, 2)}\n`);
  } catch (error) {
    throw notWritable(directory, error);
  }
  return file;
}

/** Fails before anything is changed where writeRecord would fail afterwards: the directory is made and tried. */
export function requireRecordDirectory(directory: string): void {
  const file = resolve(directory, `.try-${randomBytes(4).toString("hex")}`);
  try {
    writeWhole(file, "");
    rmSync(file);
  } catch (error) {
    throw notWritable(directory, error);
  }
}

function writeWhole(file: string, text: string): void {
  const partial = `${file}.partial`;
  mkdirSync(join(file, ".."), { recursive: true });
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
