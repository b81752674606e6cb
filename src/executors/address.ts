import { UserError } from "../errors";
import { nearest as nearestOf } from "../nearest";

/** Where the tool is to connect: the recorder's listener, and the shadow's user and database. */
export interface AddressParts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const addressPlaceholders = ["url", "host", "port", "user", "password", "database"] as const;
type Placeholder = (typeof addressPlaceholders)[number];

const defaultScheme = "postgresql";
const schemePattern = /^[a-z][a-z0-9]*(?:\+[a-z0-9_]+)?(?::\/\/)?$/i;
const placeholderPattern = /\{([A-Za-z_-]+)\}/g;
const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * The address in the form that the project expects. `format` is a driver scheme such as `postgresql+asyncpg`, or
 * a template such as `postgresql+asyncpg://{user}:{password}@{host}:{port}/{database}`; values are percent-encoded.
 * A template that leaves out the port or the database would name another server than ours: a UserError.
 */
export function formatAddress(format: string, parts: AddressParts): string {
  const text = format.trim();
  if (schemePattern.test(text)) {
    return formatAddress(`${text.replace(/:\/\/$/, "")}://{user}:{password}@{host}:{port}/{database}`, parts);
  }
  const missing = ["port", "database"].filter((name) => !text.includes(`{${name}}`));
  if (missing.length > 0 && !text.includes("{url}")) {
    throw new UserError({
      what: `The setting database-url-format has no {${missing.join("} and no {")}}.`,
      seen: `${withoutPassword(text)} is neither a driver scheme nor a template.`,
      why: "An address without them would lead the tool to another database than the shadow.",
      do: `Set database-url-format to a driver scheme (postgresql+asyncpg) or to ${defaultScheme}://{user}:{password}@{host}:{port}/{database}.`,
    });
  }
  return fill(text, "database-url-format", (name) =>
    name === "url" ? formatAddress(defaultScheme, parts) : percentEncode(String(parts[name])),
  );
}

/**
 * The variables of the setting `env`: lines `NAME=value`, blank lines and lines that start with `#` left out.
 * The value may use `{url} {host} {port} {user} {password} {database}`; `url` is the formatted address, the others
 * are percent-encoded where the value is itself a URL (has `://`) and raw otherwise. Values are never shown.
 */
export function environmentLines(
  lines: readonly string[],
  url: string,
  parts: AddressParts,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    if (at < 1 || !namePattern.test(name)) throw malformedLine(index + 1, at < 0 ? undefined : name);
    const value = text.slice(at + 1);
    const inUrl = value.includes("://");
    variables[name] = fill(value, `env, variable ${name}`, (placeholder) => {
      if (placeholder === "url") return url;
      const part = String(parts[placeholder]);
      return inUrl ? percentEncode(part) : part;
    });
  }
  return variables;
}

function fill(template: string, where: string, fillIn: (name: Placeholder) => string): string {
  return template.replace(placeholderPattern, (whole, name: string) => {
    const known = addressPlaceholders.find((candidate) => candidate === name);
    if (known !== undefined) return fillIn(known);
    throw new UserError({
      what: `The placeholder ${whole} is not known.`,
      where: `setting ${where}`,
      seen: `Known are ${addressPlaceholders.map((each) => `{${each}}`).join(" ")}.`,
      do: `Write {${nearest(name)}} instead of ${whole}.`,
    });
  });
}

function malformedLine(number: number, name: string | undefined): UserError {
  return new UserError({
    what: `Line ${number} of the setting env is not NAME=value.`,
    seen: name === undefined ? "It has no =." : `"${name}" is not a variable's name.`,
    do: "Write one variable a line, for example DB_HOST={host}.",
  });
}

/** RFC 3986: all but unreserved characters, so that a value cannot end its part of the URL. */
function percentEncode(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function withoutPassword(url: string): string {
  return url.replace(/(:\/\/[^/@:\s]*:)(?!\{password\})[^\s]*@/, "$1***@");
}

function nearest(name: string): Placeholder {
  const aliases: Readonly<Record<string, Placeholder>> = {
    username: "user",
    pass: "password",
    dbname: "database",
    db: "database",
    name: "database",
    dsn: "url",
    uri: "url",
  };
  const lower = name.toLowerCase();
  const alias = aliases[lower];
  return alias ?? (nearestOf(lower, addressPlaceholders) as Placeholder);
}
