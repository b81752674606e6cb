import type { Client } from "pg";
import { type Address, connect, urlOf } from "../databases/postgres/connection";
import { type AddressParts, environmentLines, formatAddress } from "../executors/address";
import { ownEnvironment } from "../executors/environment";
import type { Settings } from "../settings";

export interface ToolSessionOptions {
  /** Milliseconds; undefined leaves it to the watch. */
  readonly lockTimeoutMs: number | undefined;
  readonly statementTimeoutMs: number;
}

/**
 * What the tool's sessions are given where its driver reads libpq's variables. client_connection_check_interval lets
 * the server end a statement whose client was killed (PostgreSQL 14, manual 20.3.2), where its system can tell.
 */
export async function sessionOptions(client: Client, options: ToolSessionOptions): Promise<string> {
  const words = [
    ...(options.lockTimeoutMs === undefined ? [] : [`-c lock_timeout=${options.lockTimeoutMs}`]),
    `-c statement_timeout=${options.statementTimeoutMs}`,
  ];
  const checks = await client
    .query("select pg_catalog.set_config('client_connection_check_interval', '2s', false)")
    .then(() => true)
    .catch(() => false);
  if (checks) words.push("-c client_connection_check_interval=2000");
  return words.join(" ");
}

/** False for a pooler in session mode, which refuses them and with them the whole connection. */
export async function takesOptions(address: Address, options: string): Promise<boolean> {
  try {
    const client = await connect({ ...address, options: join(address.options, options) });
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/**
 * The environment of a migration on the real database: the user's own, without what is the gate's, with the address in
 * the variables that the settings name. `url` is the address as it was given.
 */
export function toolEnvironment(
  parent: NodeJS.ProcessEnv,
  settings: Pick<Settings, "database-url-env" | "database-url-format" | "env">,
  address: Address,
  { url, options, applicationName }: { url: string; options: string | undefined; applicationName: string },
): Record<string, string> {
  const parts: AddressParts = { ...address, password: address.password ?? "" };
  const format = settings["database-url-format"];
  // Parameters that the gate does not know of (target_session_attrs, a driver's own) stay as they are.
  const written =
    parent[settings["database-url-env"]] === url || format === "postgresql"
      ? url
      : format.includes("{")
        ? formatAddress(format, parts)
        : urlOf(address, format.replace(/:\/\/$/, ""));
  return ownEnvironment(parent, {
    ...(options === undefined ? {} : { PGOPTIONS: join(parent["PGOPTIONS"], options) }),
    PGAPPNAME: applicationName,
    [settings["database-url-env"]]: written,
    ...environmentLines(settings.env, written, parts),
  });
}

function join(given: string | undefined, ours: string): string {
  return given === undefined || given === "" ? ours : `${given} ${ours}`;
}
