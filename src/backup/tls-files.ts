import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "../databases/postgres/connection";
import { registerCleanup } from "../shadow/cleanup";
import { authorities, needsAuthorities } from "./libpq";

/** The file of authorities that a client program needs for this address; undefined where it needs none. */
export interface TlsFiles {
  readonly file: string | undefined;
  remove(): Promise<void>;
}

/** Writes it into a folder of its own, which a signal removes, too. */
export async function tlsFiles(address: Address, environment: NodeJS.ProcessEnv): Promise<TlsFiles> {
  if (!needsAuthorities(address)) return { file: undefined, remove: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), "migration-gate-tls-"));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  const unregister = registerCleanup({ run: removeFolder, runNow: () => undefined });
  const file = join(folder, "authorities.pem");
  await writeFile(file, authorities(environment), { mode: 0o600 });
  return {
    file,
    async remove() {
      await removeFolder();
      unregister();
    },
  };
}
