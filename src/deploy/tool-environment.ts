import type { Client } from "pg";
import { type Address, connect, urlOf } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { type AddressParts, environmentLines, formatAddress } from "../executors/address";
import { ownEnvironment } from "../executors/environment";
import type { Settings } from "../settings";
import { type BindSettings, databaseVariable } from "../settings/binds";

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
  settings: BindSettings & Pick<Settings, "database-url-format" | "env">,
  address: Address,
  {
    url,
    options,
    applicationName,
    linesOf,
  }: {
    url: string;
    options: string | undefined;
    applicationName: string;
    /** The database that the placeholders of the setting env mean, where it is another one. */
    linesOf?: { readonly url: string; readonly address: Address } | undefined;
  },
): Record<string, string> {
  const parts = partsOf(address);
  const variable = databaseVariable(settings);
  const format = settings["database-url-format"];
  // Parameters that the gate does not know of (target_session_attrs, a driver's own) stay as they are.
  const written =
    parent[variable] === url || format === "postgresql"
      ? url
      : format.includes("{")
        ? fromTemplate(format, parts, address)
        : urlOf(address, format.replace(/:\/\/$/, ""));
  return ownEnvironment(parent, {
    ...(options === undefined ? {} : { PGOPTIONS: join(parent.PGOPTIONS, options) }),
    PGAPPNAME: applicationName,
    [variable]: written,
    ...(linesOf === undefined
      ? environmentLines(settings.env, written, parts)
      : environmentLines(settings.env, linesOf.url, partsOf(linesOf.address))),
  });
}

function partsOf(address: Address): AddressParts {
  return { ...address, password: address.password ?? "" };
}

/** A template has its own parameters: those of the address that decide where and how safely it connects must not go. */
function fromTemplate(format: string, parts: AddressParts, address: Address): string {
  if (format.includes("{url}"))
    return formatAddress(format, parts).replaceAll(formatAddress("postgresql", parts), () => urlOf(address));
  const isTls = ["require", "verify-ca", "verify-full"].includes(address.sslmode);
  const lost = [
    ...(isTls && !/[?&]ssl/i.test(format) ? [`sslmode=${address.sslmode}`] : []),
    ...(address.options !== undefined && !/[?&](?:options|server_settings)/i.test(format) ? ["options"] : []),
  ];
  if (lost.length === 0) return formatAddress(format, parts);
  throw new UserError({
    what: `The setting database-url-format would lead the tool to the database without ${lost.join(" and ")}.`,
    where: address.name,
    why: "The gate connects as the address says; the tool would work without its encryption, or in another schema.",
    do: "Write them into the template as the tool's driver calls them (asyncpg: ?ssl=require), or use {url} or a driver scheme alone.",
  });
}

function join(given: string | undefined, ours: string): string {
  return given === undefined || given === "" ? ours : `${given} ${ours}`;
}
