import type { Client } from "pg";
import { prepareBackup } from "../backup/prepare";
import { connect } from "../databases/postgres/connection";
import { findVersionTables } from "../databases/postgres/version-tables";
import { databaseAddress } from "../deploy/database-address";
import { UserError } from "../errors";
import type { BackupReport } from "../model/deployment";
import type { Settings } from "../settings";
import { tools } from "../tools/index";

export interface BackupContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  progress(text: string): void;
  notice(text: string): void;
  readonly uploadArtifact?: (name: string, files: readonly string[]) => Promise<void>;
}

/** Takes a backup of the database that the settings name. A UserError where there is none in the end. */
export async function backup(context: BackupContext): Promise<BackupReport> {
  const { environment, progress, notice, uploadArtifact } = context;
  const settings: Settings = { ...context.settings, backup: "dump" };
  const address = databaseAddress(settings, environment);
  const client = await connect(address, { applicationName: "migration-gate backup" });
  try {
    const heads = await headsOf(client, settings["version-table"]);
    const request = { settings, environment, address, client, heads, pending: [], progress, notice };
    const prepared = await prepareBackup(
      uploadArtifact === undefined ? request : { ...request, uploadArtifact },
    );
    return await prepared.take();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    const fromServer = "code" in error && typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code);
    if (!fromServer) throw error;
    throw new UserError(
      {
        what: "The database could not be read for the backup.",
        where: `${address.host}:${address.port}, database "${address.database}", user "${address.user}"`,
        seen: error.message,
        do: "Mend what the server says, and run again.",
      },
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * The revisions that the manifest names. No project is needed: a version table is known by its columns. None where there
 * is no such table, or several and the setting does not say which.
 */
async function headsOf(client: Client, wanted: string | undefined): Promise<string[]> {
  for (const tool of tools) {
    const candidates = await findVersionTables(client, tool.versionTable);
    const named = candidates.filter(
      ({ schema, table }) => wanted === undefined || wanted === table || wanted === `${schema}.${table}`,
    );
    const [only] = named;
    if (named.length !== 1 || only?.readable !== true) continue;
    const { rows } = await client.query<[string]>({ text: tool.versionsSql(only), rowMode: "array" });
    return rows.map(([id]) => id);
  }
  return [];
}
