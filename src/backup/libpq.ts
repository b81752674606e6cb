import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import type { Address } from "../databases/postgres/connection";

/** True where libpq needs the public authorities in a file: it has none of its own, and Node has. */
export function needsAuthorities({ sslmode, sslrootcert }: Address): boolean {
  return ["verify-ca", "verify-full"].includes(sslmode) && (sslrootcert ?? "system") === "system";
}

/** The authorities that Node trusts, as one PEM file. */
export function authorities(environment: NodeJS.ProcessEnv): string {
  const more = environment.NODE_EXTRA_CA_CERTS;
  const extra = more === undefined || more === "" ? [] : [readFileSync(more, "utf8")];
  return `${[...rootCertificates, ...extra].join("\n")}\n`;
}

/**
 * The whole environment of a client program that is to connect to this address as the gate does. The password is in no
 * argument list, and no name is ever read as an option or a connection string; neither ~/.pgpass nor a service leads
 * elsewhere (PostgreSQL manual, 34.15 to 34.17). `authorityFile` is for addresses that need one.
 */
export function libpqEnvironment(
  address: Address,
  { applicationName, authorityFile }: { applicationName: string; authorityFile?: string | undefined },
): Record<string, string> {
  const { sslcert, sslkey, options, password } = address;
  const sslrootcert = needsAuthorities(address) ? authorityFile : address.sslrootcert;
  const optional = {
    PGPASSWORD: password,
    PGSSLROOTCERT: sslrootcert,
    PGSSLCERT: sslcert,
    PGSSLKEY: sslkey,
    PGOPTIONS: options,
  };
  return {
    ...offlineEnvironment(),
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    PGDATABASE: address.database,
    PGSSLMODE: address.sslmode,
    PGGSSENCMODE: "disable",
    PGPASSFILE: "/dev/null",
    PGSERVICEFILE: "/dev/null",
    PGSYSCONFDIR: "/nonexistent",
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: "30",
    ...Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined && value !== ""),
    ),
  };
}

/** That of a program which connects to nothing. */
export function offlineEnvironment(): Record<string, string> {
  const inherited = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOME", "TMPDIR"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  // Messages are read by their English words; time stamps are printed alike everywhere.
  return { ...Object.fromEntries(inherited), LC_ALL: "C", TZ: "UTC" };
}

/**
 * `--dbname=…` for pg_dump, pg_restore and psql: what no variable can say. The name is quoted, so that it is never read as
 * more than a name, and a server that is gone without a word is noticed within a minute and a half. The rest comes from the environment.
 */
export function connectionArgument({ database }: Address): string {
  const name = database.replace(/['\\]/g, "\\$&");
  return `--dbname=dbname='${name}' keepalives_idle=30 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=90000`;
}
