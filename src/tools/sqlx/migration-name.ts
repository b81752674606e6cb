import path from "node:path";

export interface MigrationName {
  /** The version as SQLx stores it: a decimal number without leading zeros. */
  readonly version: string;
  readonly description: string;
  /** simple: `1_x.sql`; up and down: the two files of a reversible one. */
  readonly kind: "simple" | "up" | "down";
}

const form = /^([^_]*)_(.*?)(\.up|\.down)?\.sql$/s;
const largest = 2n ** 63n - 1n;

/**
 * A file's name as SQLx reads it (sqlx-core 0.8, migrate/source.rs). undefined: SQLx passes the file over; "no version":
 * it stops, because what stands before the first `_` is no number of 64 bits.
 */
export function readName(file: string): MigrationName | "no version" | undefined {
  const [, prefix, description, suffix] = form.exec(path.basename(file)) ?? [];
  if (prefix === undefined || description === undefined) return undefined;
  // Rust's i64 takes a sign.
  if (!/^[+-]?\d+$/.test(prefix)) return "no version";
  const version = BigInt(prefix.replace(/^\+/, ""));
  if (version > largest || version < -largest - 1n) return "no version";
  const kind = suffix === ".up" ? "up" : suffix === ".down" ? "down" : "simple";
  return { version: String(version), description: description.replaceAll("_", " "), kind };
}

export function isMigrationName(file: string): boolean {
  return typeof readName(file) === "object";
}

/** A version may be written with any number of zeros before it; none has more digits than the largest. */
export function filesOf(version: string): readonly string[] {
  const padded = Array.from({ length: 20 - version.length }, (_, zeros) => "0".repeat(zeros) + version);
  return padded.flatMap((digits) => [`:(glob)**/${digits}_*.sql`]);
}
