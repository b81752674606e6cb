import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { Client } from "pg";
import { UserError } from "../../errors";
import { addressOfText } from "../../secrets";
import { connectionError, connectionErrorCode } from "./connection-errors";
import { splitUrl } from "./connection-url";

/** libpq's words, section 34.19.1 of the manual. */
export const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof sslModes)[number];

/** Where a database is and who connects. `name` is the setting or variable it came from, for messages. */
export interface Address {
  readonly name: string;
  /** A host name, an IP address, or the directory of a Unix socket (starts with "/"). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly sslmode: SslMode;
  /** Files, as in libpq; `system` as the root certificate means the machine's own authorities. */
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
  /** libpq's `options`: settings of the session, e.g. `-c search_path=boards`. */
  readonly options?: string;
}

/**
 * Reads a PostgreSQL URL, with or without a driver (`postgresql+asyncpg://`). What is missing is libpq's default,
 * except that no host means localhost. A UserError names `name` and never shows the URL or a part of it.
 */
export function parseAddress(url: string, name: string): Address {
  const { parameters, ...parts } = splitUrl(url, name);
  const user = parts.user ?? parameters.get("user") ?? userInfo().username;
  const files = ["sslrootcert", "sslcert", "sslkey", "options"] as const;
  return {
    name,
    host: parts.host ?? parameters.get("host") ?? "localhost",
    port: parts.port ?? portParameter(parameters.get("port"), name),
    user,
    password: parts.password ?? parameters.get("password"),
    database: parts.database ?? parameters.get("dbname") ?? user,
    sslmode: sslModeParameter(parameters, name),
    ...Object.fromEntries(files.flatMap((key) => (parameters.has(key) ? [[key, parameters.get(key)]] : []))),
  };
}

function portParameter(text: string | undefined, name: string): number {
  if (text === undefined) return 5432;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new UserError({
    what: `${name} has a port that is not a number from 1 to 65535.`,
    where: name,
    do: "Write port=5432.",
  });
}

/** `sslmode`, sqlx's `ssl-mode`, or asyncpg's `ssl`, which also takes true and false. */
function sslModeParameter(parameters: ReadonlyMap<string, string>, name: string): SslMode {
  const text = parameters.get("sslmode") ?? parameters.get("ssl-mode") ?? parameters.get("ssl") ?? "prefer";
  const word = { true: "require", false: "disable" }[text] ?? text;
  const mode = sslModes.find((candidate) => candidate === word);
  if (mode !== undefined) return mode;
  throw new UserError({
    what: `${name} has the sslmode "${text.slice(0, 20)}".`,
    where: name,
    do: `Use one of ${sslModes.join(", ")}.`,
  });
}

/**
 * The address as a URL for a tool; `scheme` may carry a driver. It holds the password: never print it. Every driver
 * finds out by itself whether there is TLS, so that `sslmode`, which asyncpg calls `ssl`, stands only where it must.
 */
export function urlOf(address: Address, scheme = "postgresql"): string {
  const parameters = new Map<string, string>();
  const tls = scheme.endsWith("+asyncpg") ? "ssl" : "sslmode";
  if (!["disable", "allow", "prefer"].includes(address.sslmode)) parameters.set(tls, address.sslmode);
  const socket = address.host.startsWith("/");
  if (socket) parameters.set("host", address.host).set("port", String(address.port));
  for (const key of ["sslrootcert", "sslcert", "sslkey", "options"] as const) {
    const value = address[key];
    if (value !== undefined) parameters.set(key, value);
  }
  const password = address.password === undefined ? "" : `:${encode(address.password)}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  const pairs = [...parameters].map(([key, value]) => `${key}=${encode(value)}`);
  const query = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  const server = socket ? "" : `${host}:${address.port}`;
  return `${scheme}://${encode(address.user)}${password}@${server}/${encode(address.database)}${query}`;
}

/** encodeURIComponent leaves !'()* as they are, which shells and config files may not. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The text without the passwords of these addresses, as written or percent-encoded, and without the password of any
 * URL. A password that equals the user, host or database is no secret: those words are printed anyway.
 */
export function redact(text: string, ...addresses: readonly Address[]): string {
  let clean = text.replace(addressOfText, "$1:***@");
  for (const { password, user, host, database } of addresses) {
    if (password === undefined || password === "" || [user, host, database].includes(password)) continue;
    for (const written of new Set([password, encode(password), encodeURIComponent(password)])) {
      clean = clean.replaceAll(written, "***");
    }
  }
  return clean;
}

export interface ConnectOptions {
  readonly applicationName?: string;
  /** For the connection, including the wait for a server that is still starting. Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * A connected client; the caller ends it. TLS follows sslmode as libpq does it. Every failure is a UserError without
 * a secret. A connection that is lost later makes the running query fail and nothing else.
 */
export async function connect(address: Address, options: ConnectOptions = {}): Promise<Client> {
  const deadline = Date.now() + (options.timeoutMs ?? 10_000);
  const attempts = tlsAttempts(address);
  for (let attempt = 0; ; ) {
    try {
      return await connectOnce(address, options, attempts[attempt], deadline - Date.now());
    } catch (error) {
      const code = connectionErrorCode(error);
      const refused =
        code === "28000" || (error instanceof Error && /does not support SSL/.test(error.message));
      if (refused && attempt + 1 < attempts.length) {
        attempt += 1;
      } else if (code === "57P03" && Date.now() + 100 < deadline) {
        await sleep(100);
      } else {
        throw error instanceof UserError ? error : connectionError(error, address);
      }
    }
  }
}

async function connectOnce(
  address: Address,
  options: ConnectOptions,
  tls: ConnectionOptions | undefined,
  timeoutMs: number,
): Promise<Client> {
  const client = new Client({
    host: address.host,
    port: address.port,
    user: address.user,
    // A function, because pg looks into PGPASSWORD and ~/.pgpass for a password that is undefined.
    password: () => address.password ?? "",
    database: address.database,
    ssl: tls ?? false,
    sslnegotiation: "postgres",
    application_name: options.applicationName ?? "migration-gate",
    connectionTimeoutMillis: Math.max(1, timeoutMs),
    keepAlive: true,
    ...(address.options === undefined ? {} : { options: address.options }),
  });
  // Without a listener a lost connection ends the process; with one, the query that runs reports it.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
}

/** The ways to try, in order; undefined is without TLS. Unix sockets have none. */
function tlsAttempts(address: Address): readonly (ConnectionOptions | undefined)[] {
  const unverified: ConnectionOptions = { rejectUnauthorized: false };
  if (address.host.startsWith("/")) return [undefined];
  switch (address.sslmode) {
    case "disable":
      return [undefined];
    case "allow":
      return [undefined, unverified];
    case "prefer":
      return [unverified, undefined];
    case "require":
      // libpq verifies the chain as soon as it is given an authority.
      return [address.sslrootcert === undefined ? clientKey(address, unverified) : verified(address, false)];
    case "verify-ca":
      return [verified(address, false)];
    case "verify-full":
      return [verified(address, true)];
  }
}

function verified(address: Address, hostName: boolean): ConnectionOptions {
  const authority = address.sslrootcert;
  return clientKey(address, {
    rejectUnauthorized: true,
    ...(authority === undefined || authority === "system"
      ? {}
      : { ca: readPem(address, "sslrootcert", authority) }),
    ...(hostName ? {} : { checkServerIdentity: () => undefined }),
  });
}

function clientKey(address: Address, options: ConnectionOptions): ConnectionOptions {
  const { sslcert, sslkey } = address;
  if (sslcert === undefined || sslkey === undefined) return options;
  return { ...options, cert: readPem(address, "sslcert", sslcert), key: readPem(address, "sslkey", sslkey) };
}

function readPem(address: Address, parameter: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(
      {
        what: `The file ${file} cannot be read.`,
        where: `${address.name}, ${parameter}`,
        do: "Correct the path.",
      },
      { cause: error },
    );
  }
}
