import { crc32 } from "node:zlib";
import { versionWrites as writesOf } from "../alembic/version-table";
import type { VersionTable, VersionWrite } from "../contract";
import { checksumOf } from "./checksum";

/** Its name (sqlx-cli 0.8 has no other), the column of ids, and all columns as PostgreSQL has them. */
export const versionTable = {
  name: "_sqlx_migrations",
  column: "version",
  columns: ["version", "description", "installed_on", "success", "checksum", "execution_time"],
} as const;

/** After its COMMIT, SQLx writes how long a migration took: no revision comes or goes. */
const timing =
  /^\s*UPDATE\s+(?:[^\s"]|"[^"]*")+\s+SET\s+execution_time\s*=\s*\$1\s+WHERE\s+version\s*=\s*\$2\s*;?\s*$/i;

/** Every write of the version table in one SQL text, by its name. */
export function versionWrites(sql: string, table?: VersionTable): readonly VersionWrite[] {
  if (timing.test(sql)) return [];
  return writesOf(sql, table ?? { table: versionTable.name });
}

export function readsVersions(sql: string, name: string = versionTable.name): boolean {
  return sql.toLowerCase().includes(name.replaceAll('"', '""').toLowerCase());
}

/** Every row, or every one for which `own` is true: the version, success, the checksum as hexadecimal text. */
export function rowsSql(table: VersionTable, own = "true"): string {
  return `SELECT m.version::text, m.success, pg_catalog.encode(m.checksum, 'hex') FROM ${nameOf(table)} AS m WHERE ${own} ORDER BY m.version`;
}

/** The highest applied version, none where there is none: SQLx applies in order, and the last one is the head. */
export function versionsSql(table: VersionTable, own = "true"): string {
  // Without m, version would be the text of the SELECT list, and 9 above 10.
  return `SELECT m.version::text FROM ${nameOf(table)} AS m WHERE m.success AND ${own} ORDER BY m.version DESC LIMIT 1`;
}

export function deletionSql(table: VersionTable, version: string): string {
  return `DELETE FROM ${nameOf(table)} WHERE version = ${version}`;
}

/** Its execution_time is -1, which sqlx itself writes until it knows. */
export function insertionSql(
  table: VersionTable,
  { id, message }: { readonly id: string; readonly message: string },
  bytes: Uint8Array,
): string {
  const values = [id, `'${message.replaceAll("'", "''")}'`, "TRUE", `'\\x${checksumOf(bytes)}'`, "-1"];
  return `INSERT INTO ${nameOf(table)} (version, description, success, checksum, execution_time) VALUES (${values.join(", ")})`;
}

/** As the library makes it (sqlx-postgres 0.8, migrate.rs, generate_lock_id); sqlx-cli 0.8.6 takes none. */
export function libraryLock(database: string): string {
  return String(0x3d32ad9en * BigInt(crc32(database)));
}

function nameOf({ schema, table }: VersionTable): string {
  return [schema, table].flatMap((part) => (part === undefined ? [] : quoted(part))).join(".");
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
