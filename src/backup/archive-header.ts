import { UserError } from "../errors";

/** What the first bytes of pg_dump's custom format say (pg_backup_archiver.c, ReadHead). */
export interface ArchiveHeader {
  /** Of the format, e.g. 1.16: which pg_restore can read it depends on this alone. */
  readonly format: string;
  /** The oldest major of pg_restore that reads it. */
  readonly readableFrom: number;
  readonly database: string;
  /** PostgreSQL versions of the server and of pg_dump, as they name themselves. */
  readonly server: string;
  readonly pgDump: string;
}

export const archiveIntro = "PGDMP";

/** Format 1.15 came with PostgreSQL 16, 1.16 with 17; those before are all read by every pg_restore from 14 on. */
const firstReaders: readonly (readonly [minor: number, major: number])[] = [
  [14, 14],
  [15, 16],
  [16, 17],
];

/** Reads the header from the first few kB of an archive. A UserError where it is none that can be restored. */
export function archiveHeader(bytes: Buffer, file: string): ArchiveHeader {
  const refuse = (what: string, help: string) =>
    new UserError({ what: `${file} ${what}.`, why: "Nothing was written.", do: help });
  const [major = 0, minor = 0, , intSize = 4, , kind = 0] = bytes.subarray(5, 11);
  const format = `${major}.${minor}`;
  const reader = firstReaders.find(([most]) => minor <= most);
  if (major !== 1 || reader === undefined)
    throw refuse(`has the archive format ${format}, which is not known here`, "Use a newer migration-gate.");
  if (kind !== 1) throw refuse("is an archive, but not of pg_dump's custom format", "Dump with pg_dump -Fc.");
  let position = 11;
  const readInt = (): number => {
    const sign = bytes[position] ?? 0;
    let value = 0;
    for (let index = 0; index < intSize; index++) value += (bytes[position + 1 + index] ?? 0) * 256 ** index;
    position += 1 + intSize;
    return sign === 0 ? value : -value;
  };
  const readText = (): string => {
    const length = readInt();
    if (length < 0) return "";
    if (length > 1024 || position + length > bytes.length)
      throw refuse("is damaged: its header is cut", "Fetch it again.");
    const text = bytes.toString("utf8", position, position + length);
    position += length;
    return text;
  };
  // The compression: one byte since 1.15, a number before.
  if (minor >= 15) position += 1;
  else readInt();
  for (let field = 0; field < 7; field++) readInt();
  const [database, server, pgDump] = [readText(), readText(), readText()];
  return { format, readableFrom: reader[1], database, server, pgDump };
}
