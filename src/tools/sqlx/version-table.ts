import { versionWrites as writesOf } from "../alembic/version-table";
import type { VersionTable, VersionWrite } from "../contract";

/** Its name (sqlx-cli 0.8 has no other), the column of ids, and all columns as PostgreSQL has them. */
export const versionTable = {
  name: "_sqlx_migrations",
  column: "version",
  columns: ["version", "description", "installed_on", "success", "checksum", "execution_time"],
} as const;

/** After its COMMIT, SQLx writes how long a migration took: no revision comes or goes. */
const timing = /^\s*UPDATE\s+\S+\s+SET\s+execution_time\s*=\s*\$1\s+WHERE\s+version\s*=\s*\$2\s*;?\s*$/i;

/** Every write of the version table in one SQL text, by its name. */
export function versionWrites(sql: string, table?: VersionTable): readonly VersionWrite[] {
  if (timing.test(sql)) return [];
  return writesOf(sql, table ?? { table: versionTable.name });
}

export function readsVersions(sql: string): boolean {
  return /\b_sqlx_migrations\b/.test(sql);
}

/** The highest applied version, none where there is none: SQLx applies in order, and the last one is the head. */
export function versionsSql({ schema, table }: VersionTable): string {
  const name = [schema, table].flatMap((part) => (part === undefined ? [] : quoted(part))).join(".");
  return `SELECT version::text FROM ${name} WHERE success ORDER BY version DESC LIMIT 1`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
