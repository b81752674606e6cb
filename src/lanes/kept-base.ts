import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { fillCache, usableCache } from "../shadow/cache";
import type { ShadowServer } from "../shadow/server";
import type { BaseDatabase, FilledDatabase } from "./lane-rows";

/** A base at its head, with rows, as an earlier run left it. */
export interface KeptBase {
  readonly base: BaseDatabase;
  readonly hostile: FilledDatabase;
  /** Catalog keys in which the base differs from what its own revisions make of an empty database; undefined where that is not known. */
  readonly differs: readonly string[] | undefined;
}

interface KeptFile extends KeptBase {
  readonly version: 2;
  /** Of the cluster's files. */
  readonly sizes: string;
}

/** The newest ones stay: a branch or two, and what they come from. */
const mostKept = 8;

/** Everything that a kept base depends on, as a name. */
export function keyOfBase(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** A server that finds a file missing or cut may start all the same, and blame the statement that reads it. */
async function sizesOf(cluster: string): Promise<string> {
  const entries = await readdir(path.join(cluster, "data"), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
  const sizes = await Promise.all(files.sort().map(async (file) => (await stat(file)).size));
  return keyOfBase([files.map((file) => path.relative(cluster, file)), sizes]);
}

/** Bases at their heads in a local folder, one folder each; a reader sees all of one or nothing. */
export class KeptBases {
  private constructor(private readonly folder: string) {}

  /** The folder is made where it is missing. UserError where there is none to keep bases in. */
  static async open(): Promise<KeptBases> {
    return new KeptBases(await usableCache(undefined, undefined, "bases"));
  }

  /** The folder of the cluster, for a server that is started with it; undefined where there is none. */
  async find(key: string): Promise<(KeptBase & { readonly cluster: string }) | undefined> {
    const cluster = path.join(this.folder, key);
    try {
      const kept = JSON.parse(await readFile(path.join(cluster, "base.json"), "utf8")) as KeptFile;
      if (kept.version !== 2 || kept.sizes !== (await sizesOf(cluster))) throw new Error("it is not whole");
      await utimes(cluster, new Date(), new Date()).catch(() => undefined);
      return { ...kept, cluster };
    } catch {
      // What cannot be read is built anew, and replaced.
      await rm(cluster, { recursive: true, force: true }).catch(() => undefined);
      return undefined;
    }
  }

  /** Keeps what the server has now. */
  async keep(key: string, server: ShadowServer, kept: KeptBase): Promise<void> {
    if (server.keep === undefined) return;
    const { keep } = server;
    await fillCache(this.folder, path.join(this.folder, key), async (staging) => {
      await keep(staging);
      const file: KeptFile = { version: 2, sizes: await sizesOf(staging), ...kept };
      await writeFile(path.join(staging, "base.json"), JSON.stringify(file));
      return staging;
    });
    await this.removeOld();
  }

  async remove(key: string): Promise<void> {
    await rm(path.join(this.folder, key), { recursive: true, force: true });
  }

  private async removeOld(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => /^[0-9a-f]{32}$/.test(name));
    // Another run may be removing them, too.
    const timeOf = (name: string) =>
      stat(path.join(this.folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
    const ages = await Promise.all(names.map(async (name) => ({ name, time: await timeOf(name) })));
    const old = ages.sort((left, right) => right.time - left.time).slice(mostKept);
    for (const { name } of old) await this.remove(name);
  }
}
