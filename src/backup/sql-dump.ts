import { randomBytes } from "node:crypto";
import { UserError } from "../errors";

/** pg_dump writes these within its first and last few lines. */
const edge = 4 * 1024;

const endMark = /^-- PostgreSQL database dump complete$/m;

/** Reads a plain SQL dump to its end. A UserError where pg_dump's last line is missing: it was cut. */
export async function requireSqlEnd(source: AsyncIterable<Buffer>, path: string): Promise<void> {
  let last: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    const both: Buffer = chunk.length >= edge ? chunk : Buffer.concat([last, chunk]);
    last = both.subarray(-edge);
  }
  if (endMark.test(last.toString("utf8"))) return;
  throw new UserError({
    what: "The SQL dump has no end: it was cut.",
    where: path,
    seen: 'Its last lines do not say "PostgreSQL database dump complete".',
    why: "Nothing was written.",
    do: "Fetch the backup again from where it was kept, or take another one.",
  });
}

export interface SqlOptions {
  /** This psql knows \restrict, after which a dump can give it no command. */
  readonly restricts: boolean;
  /** The server knows transaction_timeout (17 and newer). */
  readonly hasTransactionTimeout: boolean;
  readonly oneTransaction: boolean;
}

/**
 * What ends the one transaction. It is opened and ended by statements, and not by psql --single-transaction, which commits
 * at the end of its input, also where that ends because this process was killed.
 */
export const commit = Buffer.from("\nCOMMIT;\n");

/**
 * The dump as psql is to read it: under a \restrict of our own, whose word the dump does not know, instead of its own;
 * without the setting that an older server does not know. Both stand in the first lines, \unrestrict in the last.
 */
export async function* sqlFor(source: AsyncIterable<Buffer>, options: SqlOptions): AsyncGenerator<Buffer> {
  if (options.restricts) yield Buffer.from(`\\restrict ${randomBytes(24).toString("hex")}\n`);
  if (options.oneTransaction) yield Buffer.from("BEGIN;\n");
  let held: Buffer = Buffer.alloc(0);
  let isBegin = true;
  for await (const chunk of source) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    if (held.length < 2 * edge) continue;
    let ready = held.subarray(0, held.length - edge);
    held = held.subarray(held.length - edge);
    if (isBegin) ready = cleaned(ready, options);
    isBegin = false;
    yield ready;
  }
  yield cleaned(held, options);
}

function cleaned(bytes: Buffer, { hasTransactionTimeout }: SqlOptions): Buffer {
  // One byte a character: data may be in any encoding.
  const text = bytes.toString("latin1").replace(/^\\(?:un)?restrict [A-Za-z0-9]+\r?\n/gm, "");
  return Buffer.from(
    hasTransactionTimeout ? text : text.replace(/^SET transaction_timeout = 0;\r?\n/m, ""),
    "latin1",
  );
}

/** \restrict came with the minor releases of August 2025. */
export function knowsRestrict(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const first: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 };
  return major >= 18 || minor >= (first[major] ?? Number.POSITIVE_INFINITY);
}
