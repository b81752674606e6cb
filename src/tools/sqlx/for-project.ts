import type { MigrationTool, ToolProject } from "../contract";
import { compareChecksum } from "./checksum";
import { othersOf, ownRows } from "./other-sources";
import { readSqlxToml, withoutIgnored } from "./sqlx-toml";
import {
  insertionSql,
  readsVersions,
  rowsSql,
  versionsSql,
  versionTable,
  versionWrites,
} from "./version-table";

/** The tool by the project's sqlx.toml (another version table, characters that do not count) and without the rows of other sources. */
export function forProject(tool: MigrationTool, project: ToolProject): MigrationTool {
  const { table, ignoredChars } = readSqlxToml(project.root);
  const own = ownRows(othersOf(project));
  if (table === undefined && ignoredChars.length === 0 && own === undefined) return tool;
  const hashed = (bytes: Uint8Array) => withoutIgnored(bytes, ignoredChars);
  const name = table?.table ?? versionTable.name;
  return {
    ...tool,
    versionTable: { ...versionTable, name, ...(table === undefined ? {} : { given: table }) },
    versionWrites: (sql, known) => versionWrites(sql, known ?? table ?? { table: name }),
    readsVersions: (sql) => readsVersions(sql, name),
    versionsSql: (known) => versionsSql(known, own),
    sameBytes: (one, other) => Buffer.from(hashed(one)).equals(hashed(other)),
    ...(ignoredChars.length === 0
      ? {}
      : { meaningOf: (bytes: Uint8Array) => Buffer.from(hashed(bytes)).toString("latin1") }),
    ...(tool.rows === undefined
      ? {}
      : {
          rows: {
            ...tool.rows,
            sql: (known) => rowsSql(known, own),
            compare: (bytes, checksum) => compareChecksum(hashed(bytes), checksum),
            insertion: (known, revision, bytes) => insertionSql(known, revision, hashed(bytes)),
          },
        }),
  };
}
