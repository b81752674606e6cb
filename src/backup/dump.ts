import { createHash } from "node:crypto";
import { type Address, redact } from "../databases/postgres/connection";
import { UserError } from "../errors";
import type { Encryption } from "./age";
import { type Child, type ChildEnd, endText, writeTo } from "./child";
import { freeBuffers } from "./free-buffers";
import { connectionArgument, offlineEnvironment } from "./libpq";
import type { Programs } from "./programs";
import type { Store } from "./store";

export interface DumpOptions {
  readonly programs: Programs;
  readonly compression: "zstd:1" | "gzip:1";
  readonly address: Address;
  /** libpqEnvironment of the address. */
  readonly env: Readonly<Record<string, string>>;
  readonly store: Store;
  readonly encryption: Encryption | undefined;
  /** Bytes that the store has, and the table that is dumped now, as pg_dump names it. */
  readonly progress: (bytes: number, table: string) => void;
}

export interface Dumped {
  readonly bytes: number;
  readonly sha256: string;
}

/** Longer than any lock of a healthy system; the dump waits behind an ALTER TABLE, and whatever comes later behind it. */
const lockWaitMs = 60_000;

/**
 * pg_dump → encryption → checksum → store, and what pg_dump writes also through pg_restore, which reads it to its end.
 * Returns when all of them have ended well; else nothing is kept, and a UserError says whose failure it is.
 */
export async function dump(options: DumpOptions): Promise<Dumped> {
  const { programs, env, store } = options;
  let table = "";
  const level = options.compression === "zstd:1" ? "zstd:1" : "1";
  const words = ["--format=custom", `--compress=${level}`, "--no-password", "--verbose"];
  words.push(`--lock-wait-timeout=${lockWaitMs}`, connectionArgument(options.address));
  const started: Child[] = [];
  try {
    const check = await programs.start("pg_restore", ["--file=/dev/null"], {
      env: offlineEnvironment(),
      talks: true,
    });
    started.push(check);
    const source = await programs.start("pg_dump", words, {
      env,
      onLine: (line) => {
        table = /^pg_dump: dumping contents of table "(.*)"$/.exec(line)?.[1] ?? table;
      },
    });
    started.push(source);
    const { isStored, ...dumped } = await flow(source, check, options, (bytes) =>
      options.progress(bytes, table),
    );
    if (!isStored) await source.kill();
    const sourceEnd = await source.ended;
    if (isStored && sourceEnd.code !== 0) throw dumpFailed(source, sourceEnd, options);
    check.stdin.end();
    const checkEnd = await check.ended;
    if (isStored && checkEnd.code !== 0) throw notReadable(check, checkEnd, programs);
    await store.finish();
    return dumped;
  } catch (error) {
    await store.abort();
    throw error;
  } finally {
    await Promise.all(started.map((child) => child.kill()));
  }
}

/** pg_dump writes in small pieces: what each costs beside its bytes (a wake-up, a call) is paid for many at once. */
const batchSize = 512 * 1024;

const batchesBetweenCollections = 4;

/** As fast as the slower reader takes it: no more than a batch is held in memory. */
async function flow(
  source: Child,
  check: Child,
  { store, encryption }: DumpOptions,
  progress: (bytes: number) => void,
): Promise<Dumped & { isStored: boolean }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const keep = async (parts: readonly Buffer[]): Promise<boolean> => {
    for (const part of parts) {
      hash.update(part);
      bytes += part.length;
    }
    return await store.write(parts);
  };
  let isStored = encryption === undefined || (await keep([encryption.header]));
  let count = 0;
  for await (const batch of batches(source.stdout as AsyncIterable<Buffer>)) {
    if (!isStored) break;
    // One that ended early has its exit code looked at later.
    await writeTo(check.stdin, ...batch);
    isStored = await keep(
      encryption === undefined ? batch : batch.flatMap((chunk) => encryption.update(chunk)),
    );
    progress(bytes);
    count += 1;
    if (count % batchesBetweenCollections === 0) freeBuffers();
  }
  // The mark of the last chunk is the sign that an encrypted backup is whole: only after pg_dump has ended well.
  const isWhole = isStored && (await source.ended).code === 0;
  if (isWhole && encryption !== undefined) isStored = await keep([encryption.final()]);
  return { bytes, sha256: hash.digest("hex"), isStored };
}

async function* batches(source: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[]> {
  let batch: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    batch.push(chunk);
    size += chunk.length;
    if (size < batchSize) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}

/** The lines of a program's output that are no mere report of its progress. */
export function complaints(said: string, address?: Address): string {
  const lines = said.split("\n");
  const wanted = lines.filter(
    (line) => !/^pg_(?:dump|restore): (?!.*(?:error|fatal|warning|detail|hint|FATAL|ERROR))/.test(line),
  );
  const text = wanted.slice(-12).join("\n");
  return address === undefined ? text : redact(text, address);
}

const remedies: readonly (readonly [
  pattern: RegExp,
  remedy: (match: RegExpExecArray, address: Address) => string,
])[] = [
  [
    /server version mismatch/,
    () => "Set pg-dump or pg-dump-image to one of the server's major version or newer, or leave it out.",
  ],
  [
    /lock timeout/,
    () =>
      "Another session holds a lock on a table for longer than a minute: see pg_stat_activity and pg_locks, end it or wait for it, and run again.",
  ],
  [
    /row-level security/,
    (_, { user }) => `Dump as the owner of the tables, or: ALTER ROLE "${user}" BYPASSRLS;`,
  ],
  [
    /permission denied/,
    (_, { user }) =>
      `Dump as the owner of the tables, or, from PostgreSQL 14 on: GRANT pg_read_all_data TO "${user}";`,
  ],
  [
    /server closed the connection|terminating connection|could not receive data/,
    () => "Check the server's log for why it ended the connection, and run again.",
  ],
];

function dumpFailed(source: Child, end: ChildEnd, { programs, address }: DumpOptions): UserError {
  const seen = complaints(source.said(), address);
  const found = remedies.flatMap(([pattern, remedy]) => {
    const match = pattern.exec(seen);
    return match === null ? [] : [remedy(match, address)];
  });
  return new UserError({
    what: `pg_dump ${programs.version} failed: there is no backup.`,
    where: `${address.host}:${address.port}, database "${address.database}", user "${address.user}"`,
    seen: [seen, endText(end)].filter((text) => text !== "").join("\n"),
    why: "The unfinished file was removed. The database was not changed.",
    do: found[0] ?? "Mend what pg_dump says, and run again.",
  });
}

function notReadable(check: Child, end: ChildEnd, { version }: Programs): UserError {
  return new UserError({
    what: `The dump cannot be read back by pg_restore ${version}: it is no backup.`,
    seen: [complaints(check.said()), endText(end)].filter((text) => text !== "").join("\n"),
    why: "The unfinished file was removed. The database was not changed.",
    do: "Run again; if it fails again, set pg-dump to another pg_dump.",
  });
}
