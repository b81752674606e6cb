import path from "node:path";
import { libpqEnvironment } from "../backup/libpq";
import { loadBackup } from "../backup/load";
import { findPrograms } from "../backup/programs";
import { openBackup } from "../backup/stored-backup";
import type { Address } from "../databases/postgres/connection";

export interface SeedFromContext {
  readonly environment: NodeJS.ProcessEnv;
  progress(text: string): void;
}

/**
 * Loads a dump of production's schema (plain SQL or an archive of pg_dump) into an empty database, all of it or nothing.
 * `file` is relative to `folder`. UserError where it cannot be read or loaded.
 */
export async function loadSeed(
  file: string,
  folder: string,
  address: Address,
  serverMajor: number,
  { environment, progress }: SeedFromContext,
): Promise<void> {
  const backup = await openBackup(path.resolve(folder, file), undefined);
  const oldest = backup.archive?.readableFrom ?? 14;
  const programs = await findPrograms(Math.max(oldest, serverMajor), {
    setting: undefined,
    image: undefined,
    host: address.host,
    environment,
    progress,
  });
  await loadBackup(backup, {
    programs,
    address,
    env: libpqEnvironment(address, { applicationName: "migration-gate seed", authorityFile: undefined }),
    serverMajor,
    oneTransaction: true,
    progress: () => undefined,
  });
}
