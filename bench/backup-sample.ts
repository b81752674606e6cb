import { prepareBackup } from "../src/backup/prepare";
import { connect, parseAddress } from "../src/databases/postgres/connection";
import { readSettings } from "../src/project/read-settings";

/** One backup in a process of its own. */
export interface BackupSample {
  /** Milliseconds of finding programs and trying the folder, and of the backup itself. */
  readonly prepare: number;
  readonly take: number;
  /** Milliseconds of this process alone. */
  readonly cpu: number;
  /** MB at the most, of this process. */
  readonly memory: number;
  readonly bytes: number;
  readonly location: string;
}

/** A backup into the folder, encrypted to the recipient where there is one. */
export async function backupSample(
  folder: string,
  url: string,
  recipient: string | undefined,
): Promise<BackupSample> {
  const words = [
    "--backup-directory",
    folder,
    ...(recipient === undefined ? [] : ["--backup-recipient", recipient]),
  ];
  const settings = readSettings(words, {});
  const address = parseAddress(url, "bench");
  const client = await connect(address);
  const started = performance.now();
  const progress = () => undefined;
  const request = { settings, environment: process.env, address, client, heads: [], pending: [], progress };
  const prepared = await prepareBackup(request);
  const middle = performance.now();
  const { bytes = 0, location = "" } = await prepared.take();
  const ended = performance.now();
  await client.end();
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    prepare: middle - started,
    take: ended - middle,
    cpu: (userCPUTime + systemCPUTime) / 1000,
    memory: maxRSS / 1024,
    bytes,
    location,
  };
}
