import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { crc32 } from "node:zlib";
import { UserError } from "../errors";

/** Above it a ZIP file needs the headers of ZIP64. */
const most = 0xffff_ffff - 1024 * 1024;

interface Entry {
  readonly name: Buffer;
  readonly bytes: number;
  readonly crc: number;
  readonly offset: number;
}

/** A ZIP file of these files, not compressed, piece by piece (APPNOTE 6.3.10, 4.3). A UserError above 4 GB. */
export async function* zipArchive(files: readonly string[]): AsyncGenerator<Buffer> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  if (sizes.reduce((sum, size) => sum + size, 0) > most) {
    throw new UserError({
      what: "The backup is larger than 4 GB, which an artifact here cannot be.",
      do: "Set backup-to to command, and backup-sink to one that writes to an object store.",
    });
  }
  const entries: Entry[] = [];
  let offset = 0;
  for (const [index, file] of files.entries()) {
    const entry = {
      name: Buffer.from(basename(file)),
      bytes: sizes[index] ?? 0,
      crc: await crcOf(file),
      offset,
    };
    entries.push(entry);
    const header = localHeader(entry);
    yield header;
    yield* createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
    offset += header.length + entry.bytes;
  }
  const directory = Buffer.concat(entries.map(directoryEntry));
  yield directory;
  yield endOfDirectory(entries.length, directory.length, offset);
}

async function crcOf(file: string): Promise<number> {
  let crc = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }))
    crc = crc32(chunk as Buffer, crc);
  return crc;
}

/** Version 2.0, names in UTF-8, stored, 1980-01-01: what is the same in both headers. */
function common({ name, bytes, crc }: Entry): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(0x0800, 2);
  fields.writeUInt16LE(0x0021, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(bytes, 14);
  fields.writeUInt32LE(bytes, 18);
  fields.writeUInt16LE(name.length, 22);
  return fields;
}

function localHeader(entry: Entry): Buffer {
  return Buffer.concat([Buffer.from("PK\u0003\u0004"), common(entry), entry.name]);
}

function directoryEntry(entry: Entry): Buffer {
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(entry.offset, 10);
  return Buffer.concat([
    Buffer.from("PK\u0001\u0002"),
    Buffer.from([20, 3]),
    common(entry),
    rest,
    entry.name,
  ]);
}

function endOfDirectory(count: number, bytes: number, offset: number): Buffer {
  const end = Buffer.alloc(18);
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(bytes, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([Buffer.from("PK\u0005\u0006"), end]);
}
