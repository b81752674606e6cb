import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { UserError } from "../errors";
import { ageDecrypted, ageIntro, identitiesOf } from "./age";
import { type ArchiveHeader, archiveHeader, archiveIntro } from "./archive-header";
import { type Manifest, readManifest } from "./manifest";

/** A backup as it lies there: opened, but not yet read to its end. */
export interface StoredBackup {
  readonly path: string;
  readonly bytes: number;
  readonly encrypted: boolean;
  /** Undefined for a plain SQL dump. */
  readonly archive: ArchiveHeader | undefined;
  readonly manifest: Manifest | undefined;
  /** What was dumped, from its begin; `seen` is given the stored bytes. */
  plaintext(seen?: (stored: Buffer) => void): AsyncGenerator<Buffer>;
}

const headSize = 8 * 1024;

/** Opens a backup of pg_dump, custom format or plain SQL, encrypted or not. A UserError for anything else, and for a wrong key. */
export async function openBackup(name: string, identityFile: string | undefined): Promise<StoredBackup> {
  const path = resolve(name);
  const status = await stat(path).catch(() => undefined);
  if (status === undefined || !status.isFile()) {
    throw new UserError({
      what: status === undefined ? "There is no such backup." : "The backup is not one file.",
      where: path,
      do: "Name a file that migration-gate backup or pg_dump (-Fc, or plain) wrote.",
    });
  }
  const encrypted = (await head(stored(path))).toString("latin1").startsWith(ageIntro);
  const identities = encrypted ? await readIdentities(identityFile, path) : [];
  const plaintext = (seen?: (chunk: Buffer) => void): AsyncGenerator<Buffer> =>
    encrypted ? ageDecrypted(stored(path, seen), identities, path) : stored(path, seen);
  const first = await head(plaintext());
  const manifest = await readManifest(path);
  const archive = first.toString("latin1", 0, 5) === archiveIntro ? archiveHeader(first, path) : undefined;
  if (archive === undefined) requireSql(first, path);
  return { path, bytes: status.size, encrypted, archive, manifest, plaintext };
}

async function* stored(path: string, seen?: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    seen?.(chunk as Buffer);
    yield chunk as Buffer;
  }
}

async function head(source: AsyncGenerator<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= headSize) break;
  }
  return Buffer.concat(chunks).subarray(0, headSize);
}

async function readIdentities(file: string | undefined, path: string): Promise<string[]> {
  if (file === undefined) {
    throw new UserError({
      what: "The backup is encrypted, and identity-file names no key.",
      where: path,
      do: "Add the file with the private key: --identity-file key.txt",
    });
  }
  try {
    return await identitiesOf(await readFile(file, "utf8"), file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      {
        what: `The key file ${file} cannot be read.`,
        where: "identity-file",
        seen: error instanceof Error ? error.message : String(error),
        do: "Correct the path.",
      },
      { cause: error },
    );
  }
}

function requireSql(first: Buffer, path: string): void {
  const text = first.toString("utf8");
  const wrong = (seen: string, help: string) =>
    new UserError({
      what: "The file is no backup that can be restored.",
      where: path,
      seen,
      why: "Nothing was written.",
      do: help,
    });
  if (first.length === 0) throw wrong("It is empty.", "Fetch the backup again from where it was kept.");
  if (first[0] === 0x1f && first[1] === 0x8b)
    throw wrong("It is compressed with gzip.", "Unpack it first: gunzip.");
  if (first.readUInt32LE(0) === 0xfd2fb528)
    throw wrong("It is compressed with zstd.", "Unpack it first: zstd -d.");
  if (text.startsWith("-----BEGIN AGE ENCRYPTED FILE-----"))
    throw wrong("It is an armored age file.", "Decrypt it first: age -d -i key.txt");
  if (text.includes("-- PostgreSQL database cluster dump"))
    throw wrong(
      "It is the dump of a whole server (pg_dumpall).",
      "Restore it with psql, or dump one database with pg_dump -Fc.",
    );
  if (/^-- PostgreSQL database dump$/m.test(text)) return;
  throw wrong(
    "It begins neither as an archive of pg_dump -Fc nor as one of its SQL dumps.",
    "Name a file that migration-gate backup or pg_dump (-Fc, or plain) wrote.",
  );
}

/** Compares with the manifest what was read of a backup. */
export function checksum({ manifest, path }: StoredBackup): {
  update(chunk: Buffer): void;
  finish(): string;
} {
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    update(chunk) {
      hash.update(chunk);
      bytes += chunk.length;
    },
    finish() {
      const sha256 = hash.digest("hex");
      if (manifest === undefined || (manifest.sha256 === sha256 && manifest.bytes === bytes)) return sha256;
      throw new UserError({
        what: "The backup is not the one that its manifest describes.",
        where: path,
        seen:
          manifest.bytes === bytes
            ? `sha256 ${sha256} instead of ${manifest.sha256}`
            : `${bytes} bytes instead of ${manifest.bytes}`,
        why: "It was cut or changed. Nothing was written.",
        do: "Fetch the backup again from where it was kept, or take another one.",
      });
    },
  };
}
