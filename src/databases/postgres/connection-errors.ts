import { UserError } from "../../errors";

/** Where a connection was tried, for messages: never the password, never the whole URL. */
export interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly sslmode: string;
}

/** What went wrong and what to do about it, in terms of one server. */
type Explain = (place: Place, message: string) => { what: string; do: string };

const server = (place: Place) =>
  place.host.startsWith("/")
    ? `the socket in ${place.host} (port ${place.port})`
    : `${place.host}:${place.port}`;

const unreachable: Explain = (place) => ({
  what: `No network path to ${server(place)}.`,
  do: "Run this where the database can be reached (a self-hosted runner, a tunnel, an allowed address).",
});

const certificate: Explain = (place) => ({
  what: `The TLS certificate of ${server(place)} is not trusted with sslmode=${place.sslmode}.`,
  do: `Add sslrootcert=<file with the authority's certificate> to the URL in ${place.name}.`,
});

/** Node's error codes, and the SQLSTATEs a server answers a startup message with (Appendix A of the manual). */
const explanations: Readonly<Record<string, Explain>> = {
  ECONNREFUSED: (place) => ({
    what: `Nothing accepts connections at ${server(place)}.`,
    do: `Check host and port in ${place.name}, and that the server is started (a service container needs a health check).`,
  }),
  ENOTFOUND: (place) => ({
    what: `The host name ${place.host} is not known.`,
    do: `Correct the host in ${place.name}. A service container is "localhost" for a job that runs on the runner itself.`,
  }),
  EAI_AGAIN: (place) => ({
    what: `The host name ${place.host} could not be looked up.`,
    do: `Correct the host in ${place.name}, or try again when name resolution works.`,
  }),
  ENOENT: (place) => ({
    what: `There is no server socket .s.PGSQL.${place.port} in ${place.host}.`,
    do: `Correct host and port in ${place.name}, or start the server.`,
  }),
  EACCES: (place) => ({
    what: `The socket in ${place.host} may not be opened by this user.`,
    do: "Run as a user who may open it, or connect to a TCP port.",
  }),
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: (place) => ({
    what: `${server(place)} did not answer in time.`,
    do: "Check the host, and whether a firewall drops connections from here.",
  }),
  ECONNRESET: (place) => ({
    what: `${server(place)} closed the connection before it was ready.`,
    do: "Check that a PostgreSQL server listens there, and read its log.",
  }),
  EPROTO: (place) => ({
    what: `${server(place)} failed the TLS handshake.`,
    do: `Check sslmode (${place.sslmode}) in ${place.name}, and that a PostgreSQL server listens there.`,
  }),
  ERR_TLS_CERT_ALTNAME_INVALID: (place) => ({
    what: `The TLS certificate of ${server(place)} was issued for another host name.`,
    do: `Use the host name of the certificate in ${place.name}, or sslmode=verify-ca if any name will do.`,
  }),
  CERT_HAS_EXPIRED: (place) => ({
    what: `The TLS certificate of ${server(place)} has expired.`,
    do: "Renew the server's certificate.",
  }),
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  "28P01": (place) => ({
    what: `The password of user "${place.user}" was refused.`,
    do: `Correct the password in ${place.name}; characters such as @ : / % # must be percent-encoded.`,
  }),
  "28000": (place, message) =>
    /no encryption|SSL off/.test(message)
      ? {
          what: `${server(place)} accepts user "${place.user}" over TLS only.`,
          do: `Add sslmode=require to the URL in ${place.name}.`,
        }
      : {
          what: `${server(place)} does not let user "${place.user}" in.`,
          do: "Check the user name, and the server's pg_hba.conf.",
        },
  "3D000": (place) => ({
    what: `There is no database "${place.database}" on ${server(place)}.`,
    do: `Correct the database in ${place.name}, or create it.`,
  }),
  "42501": (place) => ({
    what: `User "${place.user}" may not connect to the database "${place.database}".`,
    do: `GRANT CONNECT ON DATABASE "${place.database}" TO "${place.user}";`,
  }),
  "53300": (place) => ({
    what: `${server(place)} has no connection left for user "${place.user}".`,
    do: "Close idle connections or raise max_connections, then run again.",
  }),
  "57P03": (place) => ({
    what: `${server(place)} is still starting, stopping or recovering.`,
    do: "Run again when it accepts connections.",
  }),
};

/** pg raises these as plain errors without a code. */
const byMessage: readonly (readonly [pattern: RegExp, code: string])[] = [
  [/timeout expired/, "ETIMEDOUT"],
  [/Connection terminated|socket disconnected/, "ECONNRESET"],
];

/** The code of a failed connection: SQLSTATE, Node's code, also of the first of several attempts; undefined if none. */
export function connectionErrorCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return connectionErrorCode(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string" && error.code !== "") return error.code;
  return byMessage.find(([pattern]) => pattern.test(error.message))?.[1];
}

/** A failed connection as a message that names the server, the reason and the remedy. */
export function connectionError(error: unknown, place: Place): UserError {
  const message = error instanceof Error ? error.message : String(error);
  const code = connectionErrorCode(error);
  const where = `${place.name}: ${server(place)}, database "${place.database}", user "${place.user}"`;
  const options = { cause: error };
  if (/client password must be a (non-empty )?string/.test(message)) {
    const what = `${server(place)} asks for the password of user "${place.user}", and ${place.name} has none.`;
    return new UserError(
      { what, where, do: `Put it into ${place.name}: postgresql://user:password@host/database.` },
      options,
    );
  }
  if (/does not support SSL/.test(message)) {
    const what = `${server(place)} does not offer TLS, and sslmode=${place.sslmode} asks for it.`;
    return new UserError(
      { what, where, do: `Turn TLS on at the server, or write sslmode=disable in ${place.name}.` },
      options,
    );
  }
  const explain = code === undefined ? undefined : explanations[code];
  const parts = explain?.(place, message) ?? {
    what: `The connection to ${server(place)} failed.`,
    do: `Check the address in ${place.name}, and that a PostgreSQL server listens there.`,
  };
  const seen = message === "" ? code : code === undefined ? message : `${message} (${code})`;
  return new UserError({ ...parts, where, ...(seen === undefined ? {} : { seen }) }, options);
}
