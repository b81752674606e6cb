import { isOwnFrame, type Traceback } from "../python/traceback";
import { type Cause, sentence } from "./cause";

const refusals: readonly (readonly [RegExp, string, string])[] = [
  [
    /Connection refused|Connect call failed/,
    "The database's server refused the connection",
    "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  ],
  [
    /could not translate host name|Name or service not known|nodename nor servname|failed to resolve host|Temporary failure in name resolution/,
    "The database's host name is not known",
    "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  ],
  [
    /password authentication failed|no password supplied/,
    "The database refused the password",
    "Set the variable that env.py reads (database-url-env).",
  ],
  [
    /no pg_hba\.conf entry/,
    "The database's server does not let this host in",
    "Set the variable that env.py reads (database-url-env).",
  ],
  [
    /role "(.+)" does not exist/,
    "The database has no such role",
    "Set the variable that env.py reads (database-url-env), or create the role in setup.",
  ],
  [
    /database "(.+)" does not exist/,
    "The server has no such database",
    "Set the variable that env.py reads (database-url-env).",
  ],
  [
    /timeout expired|timed out|TimeoutError/,
    "The database did not answer in time",
    "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  ],
  [
    /SSL|certificate/,
    "The connection's TLS failed",
    "Leave TLS out of database-url-format and of env.py's connect arguments for the shadow database.",
  ],
];

/** A server that cannot be reached or refuses; undefined for every other exception. */
export function connectionCause({ type, message }: Traceback): Cause | undefined {
  const shown = `${type.split(".").at(-1)} ${message}`;
  if (
    !/^(OperationalError|ConnectionRefusedError|gaierror|TimeoutError|OSError|DBAPIError|InterfaceError|ConnectionDoesNotExistError)/.test(
      shown,
    )
  )
    return undefined;
  const first = (message.split("\n")[0] ?? "").replace(/^(\([\w.]+\) )/, "");
  for (const [pattern, summary, advice] of refusals) {
    if (pattern.test(shown))
      return { summary: `${summary}: ${sentence(first)}`, do: advice, placeless: true };
  }
  return {
    summary: `The database could not be used: ${sentence(first)}`,
    do: "Set the variable that env.py reads (database-url-env).",
    placeless: true,
  };
}

/** An address that SQLAlchemy does not take; undefined for every other exception. */
export function addressCause(name: string, { message, frames }: Traceback): Cause | undefined {
  const inUrl = /sqlalchemy[/\\]engine[/\\]url\.py$/.test(frames.at(-1)?.file ?? "");
  if (name === "NoSuchModuleError") {
    const dialect = /sqlalchemy\.dialects:(\S+)/.exec(message)?.[1] ?? "";
    return {
      summary: `SQLAlchemy knows no dialect "${dialect}".`,
      do: "Set database-url-format to one it knows, such as postgresql+psycopg2.",
    };
  }
  if (/asyncio extension requires an async driver/.test(message)) {
    return {
      summary: `env.py connects with asyncio, and the address names a driver without it.`,
      do: "Set database-url-format to postgresql+asyncpg, or another asyncio driver.",
    };
  }
  if (inUrl || name === "ArgumentError") {
    const reader = frames.findLast(isOwnFrame)?.file.split(/[/\\]/).at(-1) ?? "env.py";
    return {
      summary: `${reader} gives SQLAlchemy an address that it cannot read.`,
      do: "Set the variable that env.py reads (database-url-env), with the form that it expects (database-url-format).",
    };
  }
  return undefined;
}
