import { UserError } from "../../errors";

/** The parts of a connection URL as they are written, percent-decoded. `parameters` has lower-case names. */
export interface UrlParts {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

const percentEncode =
  "Percent-encode the password and the user name: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25, a space is %20.";
const form = "postgresql://user:password@host:5432/database?sslmode=require";

/**
 * Splits `postgresql://user:password@host:port/database?name=value`. Stricter than any one driver: what libpq,
 * SQLAlchemy and sqlx read differently (a second @, a raw #) is refused, and no message repeats a part of the URL,
 * because any part may be the password's second half. `name` is the setting or variable it came from.
 */
export function splitUrl(url: string, name: string): UrlParts {
  const wrong = (what: string, help: string) =>
    new UserError({ what: `${name} ${what}`, where: name, do: help });
  const encoding = (seen: string) =>
    new UserError({ what: `${name} is not a valid connection URL.`, where: name, seen, do: percentEncode });

  const text = url.trim();
  if (text === "") throw wrong("is empty.", `Set it to ${form}.`);
  if (/^["']/.test(text))
    throw wrong("starts with a quote character.", "Remove the quotes around the value.");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw wrong("is not a connection URL.", `Write it as ${form}.`);
  if (!/^postgres(ql)?(\+[a-z0-9_]+)?$/.test(scheme)) {
    throw wrong(
      `has the scheme "${scheme.slice(0, 20)}", not postgres or postgresql.`,
      `Write it as ${form}.`,
    );
  }

  const rest = text.slice(scheme.length + 3);
  if (rest.includes("#")) throw encoding("It has a # that is not encoded.");
  const [, authority = "", path = "", query = ""] = /^([^/?]*)\/?([^?]*)\??(.*)$/s.exec(rest) ?? [];
  const at = authority.split("@");
  if (at.length > 2) throw encoding("It has more than one @ before the host.");
  if (at.length === 1 && `${path}?${query}`.includes("@")) throw encoding("It has a / or ? before the @.");
  if (path.includes("/")) throw encoding("It has more than one / after the host.");

  const decode = (part: string): string => {
    if (/%(?![0-9a-f]{2})/i.test(part))
      throw encoding("It has a % that is not followed by two hexadecimal digits.");
    try {
      return decodeURIComponent(part);
    } catch (error) {
      throw new UserError(
        {
          what: `${name} is not a valid connection URL.`,
          where: name,
          seen: "Its percent-encoding is not UTF-8.",
          do: percentEncode,
        },
        { cause: error },
      );
    }
  };

  const account = at.length === 2 ? at[0]! : "";
  const colon = account.indexOf(":");
  const [host, port] = splitHost(at.at(-1)!, wrong, encoding);
  const parameters = new Map<string, string>();
  for (const pair of query.split("&").filter((part) => part !== "")) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw encoding("It has a ? that no name=value follows.");
    parameters.set(decode(pair.slice(0, equals)).toLowerCase(), decode(pair.slice(equals + 1)));
  }
  const given = (part: string) => (part === "" ? undefined : decode(part));
  return {
    user: given(colon < 0 ? account : account.slice(0, colon)),
    password: colon < 0 ? undefined : decode(account.slice(colon + 1)),
    host: given(host),
    port,
    database: given(path),
    parameters,
  };
}

function splitHost(
  text: string,
  wrong: (what: string, help: string) => UserError,
  encoding: (seen: string) => UserError,
): [host: string, port: number | undefined] {
  if (text.includes(",")) throw wrong("names several hosts.", "Name the primary server alone.");
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]*))(?::(.*))?$/is.exec(text);
  if (match === null) throw encoding("What stands where the host should be is not a host name.");
  const [, bracketed, plain = "", digits = ""] = match;
  if (digits === "") return [bracketed ?? plain, undefined];
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535)
    throw encoding("What stands where the port should be is not a number from 1 to 65535.");
  return [bracketed ?? plain, port];
}
