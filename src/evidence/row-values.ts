/** A value as it is compared: equal texts mean the same value. */
export type Canonical = (value: string | null) => string | null;

const isNumber = /^(?:smallint|integer|bigint|numeric|real|double precision)\b(?!.*\[\])/;
const isBoolean = /^boolean$/;
const isTime = /^(?:timestamp|date|time)\b(?!.*\[\])/;
const isJson = /^jsonb?$/;
const isUuid = /^uuid$/;
const isNetwork = /^(?:inet|cidr)$/;

/**
 * How the values of a column are compared whose type may have changed: 1.50 is 1.5 as soon as one of the types is a
 * number, but never from one text to another. Times are those of a snapshot, in UTC.
 */
export function canonicalFor(before: string, after: string): Canonical {
  const rules = [before, after].flatMap((type) => rulesOf(type, before === after));
  const unique = [...new Set(rules)];
  return (value) => (value === null ? null : unique.reduce((text, rule) => rule(text), value));
}

function rulesOf(type: string, same: boolean): ((text: string) => string)[] {
  if (isNumber.test(type)) return [decimal];
  if (same) return [];
  if (isBoolean.test(type)) return [truth];
  if (isTime.test(type)) return [instant];
  if (isJson.test(type)) return [json];
  if (isUuid.test(type)) return [uuid];
  return isNetwork.test(type) ? [address] : [];
}

/** Without an exponent and without zeros that say nothing; other texts, NaN among them, stay. */
function decimal(text: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^\s*([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,4}))?\s*$/.exec(text) ?? [];
  if (sign === undefined || whole + fraction === "") return text;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const left = point <= 0 ? "0" : digits.slice(0, point).padEnd(point, "0");
  const right = point <= 0 ? digits.padStart(digits.length - point, "0") : digits.slice(point);
  const plain = `${left.replace(/^0+(?=\d)/, "")}.${right}`.replace(/\.?0*$/, "");
  return sign === "-" && plain !== "0" ? `-${plain}` : plain;
}

/** boolin's words (manual, 8.6), and the numbers that a cast makes of them. */
function truth(text: string): string {
  const word = text.trim().toLowerCase();
  if (/^(?:t|tr|tru|true|y|ye|yes|on|1)$/.test(word)) return "true";
  return /^(?:f|fa|fal|fals|false|n|no|of|off|0)$/.test(word) ? "false" : text;
}

/** A day is its midnight. */
function instant(text: string): string {
  return text
    .trim()
    .replace("T", " ")
    .replace(/(?:\+00(?::00)?|Z)$/, "")
    .replace(/(?<=\d-\d\d-\d\d) 00:00:00(?:\.0+)?$/, "")
    .replace(/(?<=:\d\d\.\d*?)0+$/, "")
    .replace(/\.$/, "");
}

function json(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, sorted(part)]));
}

function uuid(text: string): string {
  return text.toLowerCase().replace(/[{}-]/g, "");
}

function address(text: string): string {
  return text.replace(/(?<=^[\d.]+)\/32$|(?<=^[\da-f:.]*:[\da-f:.]*)\/128$/i, "");
}
