import type { Client } from "pg";
import type { MigrationTool, VersionTable } from "../tools/contract";

/**
 * The applied heads by a connection of our own, sorted. Without a schema the table is looked for in all of them;
 * without a table (no boundary was seen) in those that the tool would make.
 */
export async function appliedVersions(
  client: Client,
  tool: Pick<MigrationTool, "versionsSql" | "versionTable">,
  table: VersionTable | undefined,
): Promise<string[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and c.relname = $1 and ($2::text is null or n.nspname = $2)
       and exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = $3)`,
    [table?.table ?? tool.versionTable.name, table?.schema ?? null, tool.versionTable.column],
  );
  const versions: string[] = [];
  for (const { schema, name } of rows) {
    const result = await client.query<[string]>({
      text: tool.versionsSql({ schema, table: name }),
      rowMode: "array",
    });
    versions.push(...result.rows.map(([version]) => version));
  }
  return [...new Set(versions)].sort();
}
