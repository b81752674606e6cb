import type { Readable } from "node:stream";
import type { Address } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { type Child, type ChildEnd, endText, writeTo } from "./child";
import { complaints } from "./dump";
import { connectionArgument, offlineEnvironment } from "./libpq";
import type { Programs } from "./programs";
import { commit, knowsRestrict, requireSqlEnd, sqlFor } from "./sql-dump";
import { checksum, type StoredBackup } from "./stored-backup";

export interface LoadOptions {
  readonly programs: Programs;
  readonly address: Address;
  /** libpqEnvironment of the address. */
  readonly env: Readonly<Record<string, string>>;
  /** Of the server that is restored into. */
  readonly serverMajor: number;
  /** All or nothing: for a database that must be as it was after a failure. */
  readonly oneTransaction: boolean;
  readonly progress: (bytes: number) => void;
}

/** Reads the whole backup as a restore would, and writes nothing. Returns its sha256; a UserError where it is not whole. */
export async function verifyBackup(backup: StoredBackup, programs: Programs): Promise<string> {
  const sum = checksum(backup);
  const source = backup.plaintext((chunk) => sum.update(chunk));
  if (backup.archive === undefined) {
    await requireSqlEnd(source, backup.path);
    return sum.finish();
  }
  const child = await programs.start("pg_restore", ["--file=/dev/null"], {
    env: offlineEnvironment(),
    talks: true,
  });
  try {
    await feed(child, source);
    // A changed file is told as such, and not by what pg_restore makes of it.
    const sha256 = sum.finish();
    const end = await child.ended;
    if (end.code === 0) return sha256;
    throw new UserError({
      what: "The backup cannot be read to its end: it was cut or changed.",
      where: backup.path,
      seen: [complaints(child.said()), endText(end)].join("\n").trim(),
      why: "Nothing was written.",
      do: "Fetch the backup again from where it was kept, or take another one.",
    });
  } finally {
    await child.kill();
  }
}

/** All of it, also when the reader has enough: what follows is part of the checksum. */
async function feed(
  child: Child,
  source: AsyncIterable<Buffer>,
  progress?: (bytes: number) => void,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of source) {
    await writeTo(child.stdin, chunk);
    bytes += chunk.length;
    progress?.(bytes);
  }
  child.stdin.end();
}

/** Restores the backup into a database. A UserError where it fails; with `oneTransaction` nothing is written then. */
export async function loadBackup(backup: StoredBackup, options: LoadOptions): Promise<void> {
  const { programs, serverMajor } = options;
  // pg_restore from 17 on sets transaction_timeout, and a server before 17 fails on it: then psql runs what is left.
  const asScript = backup.archive !== undefined && programs.major >= 17 && serverMajor < 17;
  if (backup.archive !== undefined && !asScript) return await loadArchive(backup, options);
  if (!asScript) return await loadSql(backup.plaintext(), options);
  const script = await programs.start("pg_restore", ["--file=-"], { env: offlineEnvironment() });
  try {
    const feeding = feed(script, backup.plaintext()).catch(async (error: unknown) => {
      await script.kill();
      throw error;
    });
    feeding.catch(() => undefined);
    await loadSql(script.stdout as Readable & AsyncIterable<Buffer>, options, async () => {
      await feeding;
      const end = await script.ended;
      if (end.code !== 0) throw loadFailed(script, end, options);
    });
  } finally {
    await script.kill();
  }
}

async function loadArchive(backup: StoredBackup, options: LoadOptions): Promise<void> {
  const words = ["--exit-on-error", "--no-password", connectionArgument(options.address)];
  if (options.oneTransaction) words.push("--single-transaction");
  const child = await options.programs.start("pg_restore", words, { env: options.env, talks: true });
  try {
    await feed(child, backup.plaintext(), options.progress);
    const end = await child.ended;
    if (end.code !== 0) throw loadFailed(child, end, options);
  } finally {
    await child.kill();
  }
}

/** `wholeness` is asked before psql is told to commit. */
async function loadSql(
  source: AsyncIterable<Buffer>,
  options: LoadOptions,
  wholeness?: () => Promise<void>,
): Promise<void> {
  const { programs, env, serverMajor, progress } = options;
  const sqlOptions = {
    restricts: knowsRestrict(programs.version),
    hasTransactionTimeout: serverMajor >= 17,
    oneTransaction: options.oneTransaction,
  };
  const words = [
    "--no-psqlrc",
    "--quiet",
    "--no-password",
    "--set=ON_ERROR_STOP=1",
    "--output=/dev/null",
    "--file=-",
  ];
  words.push(connectionArgument(options.address));
  const child = await programs.start("psql", words, { env, talks: true });
  try {
    let bytes = 0;
    let isTaken = true;
    for await (const chunk of sqlFor(source, sqlOptions)) {
      isTaken = await writeTo(child.stdin, chunk);
      if (!isTaken) break;
      bytes += chunk.length;
      progress(bytes);
    }
    if (isTaken) await wholeness?.();
    if (isTaken && options.oneTransaction) await writeTo(child.stdin, commit);
    child.stdin.end();
    const end = await child.ended;
    if (end.code !== 0) throw loadFailed(child, end, options);
  } finally {
    await child.kill();
  }
}

const remedies: readonly (readonly [pattern: RegExp, remedy: (name: string) => string])[] = [
  [
    /role "([^"]+)" does not exist/,
    (role) => `Roles are not in a backup. Make it first: CREATE ROLE "${role}";`,
  ],
  [
    /extension "([^"]+)" is not available/,
    (name) => `Install the extension ${name} on the server, or restore into a server that has it.`,
  ],
  [
    /out of shared memory|max_locks_per_transaction/,
    () => "Raise max_locks_per_transaction, or add --replace: it does not need one transaction.",
  ],
  [
    /must be (?:owner|superuser|able)|permission denied/,
    () => "Restore as the owner of the database or a superuser.",
  ],
  [
    /invalid command \\(?:un)?restrict/,
    () => "Set pg-dump to a PostgreSQL with the releases of August 2025 or later.",
  ],
  [/unsupported version/, () => "Set pg-dump to the pg_dump of a newer PostgreSQL, or leave it out."],
  [/ENOENT/, () => "Install the PostgreSQL client programs (psql is missing), or leave pg-dump out."],
];

function loadFailed(child: Child, end: ChildEnd, { address, oneTransaction }: LoadOptions): UserError {
  const seen = [complaints(child.said(), address), endText(end)].filter((text) => text !== "").join("\n");
  const found = remedies.flatMap(([pattern, remedy]) => {
    const match = pattern.exec(seen);
    return match === null ? [] : [remedy(match[1] ?? "")];
  });
  return new UserError({
    what: "The backup could not be restored.",
    where: `${address.host}:${address.port}, database "${address.database}", user "${address.user}"`,
    seen,
    why: oneTransaction
      ? "All of it was one transaction, which was rolled back: the database is as it was."
      : "The new database was dropped: the one that was to be replaced is as it was.",
    do: found[0] ?? "Mend what the server says, and run again.",
  });
}
