import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { fillCache, removeOldest, usableCache } from "../shadow/cache";
import { sizesOf } from "../shadow/cluster";
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
      if (kept.version !== 2 || kept.sizes !== (await sizesOf(path.join(cluster, "data"))))
        throw new Error("it is not whole");
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
      const file: KeptFile = { version: 2, sizes: await sizesOf(path.join(staging, "data")), ...kept };
      await writeFile(path.join(staging, "base.json"), JSON.stringify(file));
      return staging;
    });
    await removeOldest(this.folder, mostKept);
  }

  async remove(key: string): Promise<void> {
    await rm(path.join(this.folder, key), { recursive: true, force: true });
  }
}
