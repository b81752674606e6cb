import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../errors";
import { makeDirectory } from "../make-directory";
import { type Account, canReach } from "./account";
import { registerCleanup } from "./cleanup";
import { isAbandoned } from "./owner";

const stagingPrefix = ".fetch-";

/** What is kept: programs of a fetched PostgreSQL, empty clusters, or clusters at a base's head. */
export type CachePart = "postgres" | "clusters" | "bases";

/**
 * Where a part of the cache is: the setting, $MIGRATION_GATE_CACHE, GitHub's tool cache, $XDG_CACHE_HOME or
 * ~/.cache. A directory below /var/tmp comes last, for root, whose home the server's account cannot enter.
 */
export function cacheDirectories(
  setting: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  part: CachePart = "postgres",
): string[] {
  const nonEmpty = (value: string | undefined) => (value === "" ? undefined : value);
  const chosen = setting ?? nonEmpty(env.MIGRATION_GATE_CACHE);
  const parent = nonEmpty(env.RUNNER_TOOL_CACHE) ?? nonEmpty(env.XDG_CACHE_HOME) ?? join(homedir(), ".cache");
  const first = chosen === undefined ? join(parent, "migration-gate", part) : join(chosen, part);
  return [resolve(first), `/var/tmp/migration-gate-${process.getuid?.()}/${part}`];
}

/** The first of them that is nobody else's and that the account can enter. */
export async function usableCache(
  setting: string | undefined,
  account: Account,
  part: CachePart = "postgres",
): Promise<string> {
  const directories = cacheDirectories(setting, process.env, part);
  const seen: string[] = [];
  for (const directory of directories) {
    try {
      makeDirectory(directory, 0o755);
      if (!isOurs(directory)) seen.push(`${directory} can be written by other users`);
      else if (await canReach(directory, account)) return directory;
      else seen.push(`${directory} cannot be entered by uid ${account?.uid}`);
    } catch (error) {
      seen.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new UserError({
    what: `There is no directory to keep ${part === "postgres" ? "a fetched PostgreSQL" : "a base"} in.`,
    seen: seen.join("\n"),
    do: "Set MIGRATION_GATE_CACHE to a directory that belongs to this user.",
  });
}

/** Programs that others could have put there are not started; a directory in /var/tmp may be made by anyone. */
function isOurs(directory: string): boolean {
  return [directory, dirname(directory)].every((path) => {
    const status = lstatSync(path);
    return status.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o002) === 0;
  });
}

/**
 * What `fetch` makes in an empty directory beside the target, and returns the path of, becomes the target: a reader
 * sees all or nothing, and whoever is first wins.
 */
export async function fillCache(
  cache: string,
  target: string,
  fetch: (staging: string) => Promise<string>,
): Promise<void> {
  await removeOldStaging(cache);
  const staging = await mkdtemp(join(cache, stagingPrefix));
  const removeStaging = () => rm(staging, { recursive: true, force: true });
  const unregister = registerCleanup({ run: removeStaging, runNow: () => {} });
  try {
    await rename(await fetch(staging), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    unregister();
    await removeStaging();
  }
}

async function removeOldStaging(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    if (!name.startsWith(stagingPrefix)) continue;
    // Its owner may be done with it meanwhile.
    const status = await stat(path).catch(() => undefined);
    if (status === undefined || !isAbandoned(status.mtime)) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** Everything that a folder of the cache depends on, as its name: 32 hexadecimal digits. */
export function cacheKey(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** Removes all but the newest folders that are named by `cacheKey`, by the time of their last use. */
export async function removeOldest(cache: string, most: number): Promise<void> {
  const names = (await readdir(cache)).filter((name) => /^[0-9a-f]{32}$/.test(name));
  // Another run may be removing them, too.
  const timeOf = (name: string) =>
    stat(join(cache, name)).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
  const ages = await Promise.all(names.map(async (name) => ({ name, time: await timeOf(name) })));
  const old = ages.sort((left, right) => right.time - left.time).slice(most);
  for (const { name } of old) await rm(join(cache, name), { recursive: true, force: true });
}
