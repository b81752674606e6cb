import type { MigrationTool, VersionTable } from "./contract";

/** The version table as the project's configuration or, without it, the tool names it. */
export function namedTable({ versionTable }: Pick<MigrationTool, "versionTable">): VersionTable {
  return versionTable.given ?? { table: versionTable.name };
}
