import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "../errors";
import { makeDirectory } from "../make-directory";
import { haltIfEnding, registerCleanup } from "../shadow/cleanup";
import { isAbandoned, parseOwner, stateOf, thisOwner } from "../shadow/owner";

const suffix = ".partial";
const ownerFile = "owner.json";

/** A folder in which a backup grows: its name says that nothing in it is whole, and nobody else can enter it. */
export interface PartialFolder {
  readonly path: string;
  /** Moves a file of it to its final name in the folder around it, which is then on the disk; returns its path. */
  publish(name: string): Promise<string>;
  remove(): Promise<void>;
}

/** `<name>.partial` in the directory; removed when a signal ends this process, too. */
export async function createPartialFolder(directory: string, name: string): Promise<PartialFolder> {
  await haltIfEnding();
  const path = join(directory, `${name}${suffix}`);
  const unregister = registerCleanup({
    run: () => rm(path, { recursive: true, force: true }),
    runNow: () => rmSync(path, { recursive: true, force: true }),
  });
  try {
    await mkdir(path, { mode: 0o700 });
    await writeFile(join(path, ownerFile), JSON.stringify(thisOwner()), { mode: 0o600 });
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    unregister();
    throw notWritable(directory, error);
  }
  return {
    path,
    async publish(file) {
      const target = join(directory, file);
      await rename(join(path, file), target);
      await syncDirectory(directory);
      return target;
    },
    async remove() {
      await rm(path, { recursive: true, force: true });
      unregister();
    },
  };
}

/** After a power cut the new name is there, too; some file systems cannot do that, and lose nothing by it. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** Makes the directory and tries to write there. */
export async function requireBackupDirectory(setting: string): Promise<string> {
  const directory = resolve(setting);
  const tried = join(directory, `.try-${randomBytes(4).toString("hex")}`);
  try {
    const isNew = makeDirectory(directory, 0o700);
    // A copy of the production database is in no commit by mistake.
    if (isNew) await writeFile(join(directory, ".gitignore"), "*\n");
    await writeFile(tried, "", { flag: "wx", mode: 0o600 });
    await rm(tried);
  } catch (error) {
    throw notWritable(directory, error);
  }
  return directory;
}

/** Removes what backups left whose process was killed, and tells each by its name. One that still grows stays. */
export async function removeLeftBackups(
  directory: string,
  progress: (text: string) => void,
): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(directory)) {
    if (!name.endsWith(suffix)) continue;
    const path = join(directory, name);
    const status = await lstat(path).catch(() => undefined);
    // In a folder that others may write to, they could have made it, or a link out of it.
    if (status === undefined || !status.isDirectory() || status.uid !== process.getuid?.()) continue;
    const owner = parseOwner(await readFile(join(path, ownerFile), "utf8").catch(() => ""));
    const state = owner === undefined ? "elsewhere" : stateOf(owner);
    if (state === "alive" || (state === "elsewhere" && !isAbandoned(status.mtime))) continue;
    await rm(path, { recursive: true, force: true });
    removed.push(name);
    progress(`Removed ${path}, the unfinished backup of a run that was killed.`);
  }
  return removed;
}

function notWritable(directory: string, error: unknown): UserError {
  return new UserError(
    {
      what: "The folder for backups cannot be written.",
      where: `backup-directory: ${directory}`,
      seen: error instanceof Error ? error.message : String(error),
      do: "Set backup-directory to a folder that can be written.",
    },
    { cause: error },
  );
}
