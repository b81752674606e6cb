import { statSync } from "node:fs";
import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheKey, fillCache, removeOldest, usableCache } from "./cache";
import { type ClusterParts, copyFiles, initialise, restoreCluster, sizesOf } from "./cluster";

/** A version or two, and what they were before their packages' last update. */
const mostKept = 4;

/** By folder: the first of two servers that start at once makes the cluster, the other one copies it. */
const underWay = new Map<string, Promise<unknown>>();

/**
 * An empty cluster for a server: a copy of the one that an earlier start left in the cache, which takes a fifth of the
 * time of initdb; initdb where there is none, and where it cannot be read. UserError where initdb fails.
 */
export async function provideEmptyCluster(parts: ClusterParts): Promise<void> {
  const kept = await folderOf(parts);
  if (kept === undefined) return initialise(parts);
  const { folder, name } = kept;
  const target = join(folder, name);
  do {
    await underWay.get(target)?.catch(() => undefined);
    if (await restored(target, parts)) return;
    // Another one may have begun while this one looked.
  } while (underWay.has(target));
  const making = makeAndKeep(folder, target, parts);
  underWay.set(target, making);
  try {
    await making;
  } finally {
    underWay.delete(target);
  }
}

/** Where it is kept, named after all that initdb's files depend on; undefined where there is no place to keep it in. */
async function folderOf({
  installation: { bin, version },
}: ClusterParts): Promise<{ folder: string; name: string } | undefined> {
  try {
    const folder = await usableCache(undefined, undefined, "clusters");
    const programs = ["initdb", "postgres"].map((program) => statSync(join(bin, program)));
    const parts = [1, version, process.arch, ...programs.map(({ mtimeMs, size }) => [mtimeMs, size])];
    return { folder, name: cacheKey(parts) };
  } catch {
    return undefined;
  }
}

/** True when the server has its cluster. What is not whole is removed. */
async function restored(target: string, parts: ClusterParts): Promise<boolean> {
  const sizes = await readFile(join(target, "sizes"), "utf8").catch(() => undefined);
  if (sizes === undefined) return false;
  try {
    if (sizes !== (await sizesOf(join(target, "data")))) throw new Error("it is not whole");
    await restoreCluster(target, parts);
    await utimes(target, new Date(), new Date()).catch(() => undefined);
    return true;
  } catch (error) {
    if (parts.signal.aborted) throw error;
    await rm(target, { recursive: true, force: true }).catch(() => undefined);
    await rm(parts.directory.data, { recursive: true, force: true });
    return false;
  }
}

async function makeAndKeep(folder: string, target: string, parts: ClusterParts): Promise<void> {
  await initialise(parts);
  const { data } = parts.directory;
  // A full disk or a folder that is closed now: the server has what it needs.
  await fillCache(folder, target, async (staging) => {
    await copyFiles(data, join(staging, "data"));
    await writeFile(join(staging, "sizes"), await sizesOf(join(staging, "data")));
    return staging;
  })
    .then(() => removeOldest(folder, mostKept))
    .catch(() => undefined);
}
