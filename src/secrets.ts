/** Shorter values would maim ordinary words, and GitHub drops job outputs in which a mask is found. */
const shortest = 6;

/** Passwords that every example has: hiding them would hide words of the reports. */
const noSecrets = new Set(["postgres", "postgresql", "password", "passwd", "example", "secret", "database"]);

/** Variables that hold one, whatever they look like. Runners write an input's name with its dashes. */
const secretNames =
  /^(?:PGPASSWORD|GITHUB_TOKEN|GH_TOKEN|ACTIONS_RUNTIME_TOKEN|ACTIONS_ID_TOKEN_REQUEST_TOKEN|INPUT_GITHUB-TOKEN|NPM_TOKEN|NODE_AUTH_TOKEN)$/;

const addressWithPassword =
  /[a-z][a-z0-9+.-]*:\/\/([^\s:/@]*):([^\s"'<>]*)@([^\s/?#"'<>@]*)(?:\/([^\s?#"'<>]*))?/gi;

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
    if (value !== undefined && secretNames.test(name)) add(value);
  }
  for (const text of [...args, ...Object.values(environment)]) {
    for (const [, user = "", password = "", host = "", database = ""] of (text ?? "").matchAll(
      addressWithPassword,
    )) {
      const printed = [user, host.split(":")[0] ?? "", database];
      add(password, printed);
      add(decoded(password), printed);
    }
  }
  return [...found];
}

/** Every spelling in which a tool may print it: percent-encoded, as JSON, SQL or shell text, hexadecimal, base64. */
export function spellings(secret: string): string[] {
  const percent = encodeURIComponent(wellFormed(secret));
  const strict = percent.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const json = JSON.stringify(secret).slice(1, -1);
  const all = [
    secret,
    percent,
    strict,
    lower(percent),
    lower(strict),
    strict.replaceAll("%20", "+"),
    // configparser (alembic.ini) doubles it.
    secret.replaceAll("%", "%%"),
    strict.replaceAll("%", "%%"),
    json,
    JSON.stringify(json).slice(1, -1),
    json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`),
    secret.replaceAll("'", "''"),
    secret.replaceAll("\\", "\\\\").replaceAll("'", "\\'"),
    Buffer.from(secret).toString("hex"),
    ...base64Spellings(secret),
  ];
  return [...new Set(all)].filter((text) => text.length >= shortest).sort((a, b) => b.length - a.length);
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

/** Takes the secrets out of a text in all their spellings, and the password out of every address. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const all = [...new Set(secrets.flatMap(spellings))].sort((a, b) => b.length - a.length);
  const pattern = all.length === 0 ? undefined : new RegExp(all.map(literal).join("|"), "g");
  return (text) => {
    const clean = pattern === undefined ? text : text.replace(pattern, "***");
    return clean.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s"'<>]*@/gi, "$1:***@");
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

/** encodeURIComponent throws at half a surrogate pair. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
