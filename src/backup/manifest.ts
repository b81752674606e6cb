import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { UserError } from "../errors";
import type { TableSize } from "./tables";

/** What stands beside a backup. `version` grows when a field changes its meaning or goes. */
export interface Manifest {
  readonly version: 1;
  /** The backup's file name. */
  readonly file: string;
  /** Where it was kept: its folder, the command's words, or the artifact's name. */
  readonly storedBy: { readonly kind: "file" | "command" | "artifact"; readonly location: string };
  readonly bytes: number;
  /** Of the stored bytes, hexadecimal. */
  readonly sha256: string;
  readonly format: "custom";
  readonly compression: "zstd:1" | "gzip:1";
  /** Null where anybody who has the file can read it. */
  readonly encryption: { readonly kind: "age"; readonly recipients: readonly string[] } | null;
  readonly pgDump: string;
  /** server_version_num, e.g. 170010. */
  readonly serverVersion: number;
  readonly database: { readonly name: string; readonly host: string; readonly port: number };
  /** ISO 8601. What was written to the database after `started` is not in the backup. */
  readonly started: string;
  readonly finished: string;
  readonly revisions: { readonly before: readonly string[]; readonly pending: readonly string[] };
  readonly tables: readonly TableSize[];
  /** What was found to be right while it was written. */
  readonly verified: readonly string[];
  readonly warnings: readonly string[];
  /** The command line that restores it. */
  readonly restore: string;
}

export function manifestName(file: string): string {
  return `${file}.manifest.json`;
}

/** The line to type; a key is asked for by its file. */
export function restoreCommand(file: string, isEncrypted: boolean): string {
  const word = /^[\w./:@%+=,-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
  const key = isEncrypted ? " --identity-file key.txt" : "";
  return `migration-gate restore ${word.startsWith("-") ? `./${word}` : word} --to-env RESTORE_URL${key}`;
}

/** What the manifest beside a backup says; undefined where there is none. */
export async function readManifest(file: string): Promise<Manifest | undefined> {
  const path = manifestName(file);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw notRead(path, error);
  }
  try {
    const value = JSON.parse(text) as Partial<Manifest>;
    const right =
      value.version === 1 &&
      typeof value.sha256 === "string" &&
      typeof value.bytes === "number" &&
      Array.isArray(value.tables);
    if (right) return value as Manifest;
  } catch (error) {
    throw notRead(path, error);
  }
  throw notRead(path, new Error("It is not the manifest of a backup that this version reads."));
}

function notRead(path: string, error: unknown): UserError {
  return new UserError(
    {
      what: `The manifest ${basename(path)} cannot be read.`,
      where: path,
      seen: error instanceof Error ? error.message : String(error),
      why: "It has the checksum of the backup.",
      do: "Fetch it again from where it was kept, or move it away to restore without it.",
    },
    { cause: error },
  );
}
