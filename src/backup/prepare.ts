import type { BackupRequest, PreparedBackup } from "./request";

/** Refuses what can be refused before anything is touched: settings, programs, keys, the folder, the command. */
export async function prepareBackup(request: BackupRequest): Promise<PreparedBackup> {
  return {
    description: `dump of ${request.address.database}`,
    take: () => Promise.reject(new Error("later")),
  };
}
