import { secretVariables } from "./settings";

/** Shorter values would maim ordinary words, and GitHub drops job outputs in which a mask is found. */
const shortest = 6;

/** Passwords that every example has: hiding them would hide words of the reports. */
const noSecrets = new Set(["postgres", "postgresql", "password", "passwd", "example", "secret", "database"]);

/** Variables that hold one, whatever they look like. */
const secretNames =
  /^(?:PGPASSWORD|(?:GITHUB|GH)(?:_ENTERPRISE)?_TOKEN|ACTIONS_RUNTIME_TOKEN|ACTIONS_ID_TOKEN_REQUEST_TOKEN|NPM_TOKEN|NODE_AUTH_TOKEN)$/;

/** A secret setting is one as a whole, but an address is shown without its password. */
const isAddress = (value: string): boolean => value.includes("://");

/** libpq's parameters of an address (PostgreSQL manual, 34.1.2), also after a `&amp;` that a page has made of `&`. */
const passwordInQuery = /[?&](?:amp;)?(?:ssl)?password=([^&#\s"'<>]+)/gi;

/** A value that is an address, its password as it may be written by mistake: with quotes, spaces, even another @. */
const wholeAddress = /^\s*(?:--[\w-]+=)?[a-z][a-z0-9+.-]*:\/\/([^:/@]*):(.*)@([^@/?#]*)(?:\/([^?#]*))?/is;

/**
 * An address somewhere in a value. A scheme begins no word later than its first letter and is short: a text of a
 * million letters would else be searched from each of them to its end.
 */
const addressInText =
  /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,40}:\/\/([^\s:/@]{0,200}):(\S{0,1000})@([^\s/?#@]*)(?:\/([^\s?#]*))?/gi;

/** The same in a report, where quotes and angle brackets end it. */
export const addressOfText =
  /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,40}:\/\/[^\s:/@]{0,200}):([^\s"'<>]{0,1000})@/gi;

/**
 * What this process was given and nobody may read: passwords of addresses in variables and arguments, and tokens.
 * Never a word that is printed anyway, such as a user, host or database of the same address.
 */
export function secretsOf(args: readonly string[], environment: NodeJS.ProcessEnv): string[] {
  const found = new Set<string>();
  const add = (value: string, printed: readonly string[] = []) => {
    if (value.length >= shortest && !noSecrets.has(value) && !printed.includes(value)) found.add(value);
  };
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (secretNames.test(name) || (secretVariables.includes(name) && !isAddress(value))) add(value.trim());
  }
  for (const text of [...args, ...Object.values(environment)]) {
    if (text === undefined) continue;
    const whole = wholeAddress.exec(text);
    for (const [, user = "", password = "", host = "", database = ""] of [
      ...(whole === null ? [] : [whole]),
      ...text.matchAll(addressInText),
    ]) {
      const printed = [user, host.split(":")[0] ?? "", database];
      add(password, printed);
      add(decoded(password), printed);
    }
    for (const [, password = ""] of text.matchAll(passwordInQuery)) {
      for (const spelled of [password, decoded(password), decoded(password.replaceAll("+", " "))])
        add(spelled);
    }
  }
  return [...found];
}

/**
 * The spellings in which a tool may print it, for a runner that hides fixed texts: percent-encoded, as JSON, SQL or
 * shell text, hexadecimal, base64.
 */
export function spellings(secret: string): string[] {
  const percent = encodeURIComponent(wellFormed(secret));
  const strict = percent.replace(/[!'()*]/g, hexOf);
  const slashes = strict.replaceAll("%2F", "/");
  const plus = [percent, strict, slashes].map((text) => text.replaceAll("%20", "+"));
  const encoded = [percent, strict, slashes, ...plus];
  const lower = encoded.map((text) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
  const json = JSON.stringify(secret).slice(1, -1);
  const all = [
    secret,
    ...encoded,
    ...lower,
    // configparser (alembic.ini) doubles it.
    ...[secret, ...encoded].map((text) => text.replaceAll("%", "%%")),
    json,
    JSON.stringify(json).slice(1, -1),
    json.replace(/[\u0080-\uffff]/g, unicodeOf),
    secret.replaceAll("'", "''"),
    secret.replaceAll("\\", "\\\\").replaceAll("'", "\\'"),
    ...binarySpellings(secret),
  ];
  return [...new Set(all)].filter((text) => text.length >= shortest).sort((a, b) => b.length - a.length);
}

function binarySpellings(secret: string): string[] {
  return [Buffer.from(secret).toString("hex"), ...base64Spellings(secret)];
}

/**
 * As it looks inside the base64 of a longer text, e.g. `user:password`: at each of the three places a byte can have in
 * a group, without the letters that its neighbours share.
 */
function base64Spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inner = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const bits = 8 * (offset + bytes.length);
    return text.slice(Math.ceil((8 * offset) / 6), Math.floor(bits / 6));
  });
  const whole = [bytes.toString("base64"), ...inner].filter((text) => text.length >= 8);
  return [...whole, ...whole.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}

/**
 * Takes the secrets out of a text, and the password out of every address. Each character may be written in its own
 * way, so that a half-encoded password is found too.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const binary = [...new Set(secrets.flatMap(binarySpellings))].sort((a, b) => b.length - a.length);
  const all = [...secrets.map(anySpelling), ...binary.map(literal)];
  const pattern = all.length === 0 ? undefined : new RegExp(all.join("|"), "g");
  return (text) => {
    const clean = pattern === undefined ? text : text.replace(pattern, "***");
    const isShown = (password: string): boolean => noSecrets.has(password) || /^\{\w+\}$/.test(password);
    return clean
      .replace(addressOfText, (address, before, password) => (isShown(password) ? address : `${before}:***@`))
      .replace(passwordInQuery, (parameter: string, password: string) =>
        isShown(password) ? parameter : `${parameter.slice(0, -password.length)}***`,
      );
  };
}

/** The same value with every text in it redacted; names of fields stay. */
export function redactDeep<Value>(value: Value, redact: (text: string) => string): Value {
  const visit = (part: unknown): unknown => {
    if (typeof part === "string") return redact(part);
    if (Array.isArray(part)) return part.map(visit);
    if (part !== null && typeof part === "object") {
      return Object.fromEntries(Object.entries(part).map(([name, field]) => [name, visit(field)]));
    }
    return part;
  };
  return visit(value) as Value;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function anySpelling(secret: string): string {
  return [...secret].map(anySpellingOf).join("");
}

function anySpellingOf(character: string): string {
  const bytes = [...Buffer.from(wellFormed(character))].map((byte) => byte.toString(16).padStart(2, "0"));
  const percent = bytes
    .map((byte) => `%%?${byte.replace(/[a-f]/g, (c) => `[${c}${c.toUpperCase()}]`)}`)
    .join("");
  const json = JSON.stringify(character).slice(1, -1);
  const twice = JSON.stringify(json).slice(1, -1);
  const words = [twice, json, json.replace(/[\u0080-\uffff]/g, unicodeOf), character];
  if (character === " ") words.push("+");
  if (character === "%") words.unshift("%%");
  if (character === "'") words.unshift("''", "\\'");
  // The longest first, so that nothing of an escape stays behind.
  const written = [...new Set(words)].sort((a, b) => b.length - a.length).map(literal);
  return `(?:${[percent, ...written].join("|")})`;
}

function hexOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function unicodeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** encodeURIComponent throws at half a surrogate pair. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
