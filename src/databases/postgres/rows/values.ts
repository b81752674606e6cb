import { createHash } from "node:crypto";
import { namedText } from "./named-values";
import type { TypeShape } from "./shape";

/** What a value depends on beside its type. */
export interface ValueContext {
  /** Keeps the values of two columns apart, e.g. the table's key and the column. */
  readonly salt: string;
  /** The column's name, for texts that look like what they are called. */
  readonly name: string;
  /** The column's number: a later column has a later time, so that what starts ends after it. */
  readonly number: number;
  /** Whether rows are told apart by it: then it stays away from the numbers that people and migrations write. */
  readonly isKey: boolean;
}

/** Keys begin here; a migration that inserts rows with ids of its own writes smaller ones. */
export const firstKey = 7_310_001;
export const firstSmallKey = 7_301;
/** Every uuid of ours starts so. */
export const uuidPrefix = "5eed";

export const words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"] as const;

const day = 86_400_000;
const texts = new Set(["text", "varchar", "bpchar", "citext", "name"]);

export function isText(type: TypeShape): boolean {
  return type.kind === "domain" ? type.of !== undefined && isText(type.of) : texts.has(type.name);
}

export function isNumber(type: TypeShape): boolean {
  if (type.kind === "domain") return type.of !== undefined && isNumber(type.of);
  return ["int2", "int4", "int8", "numeric", "float4", "float8", "oid", "money"].includes(type.name);
}

/** The longest text that a column takes, in characters. */
export function lengthLimit(type: TypeShape, modifier: number): number | undefined {
  if (type.kind === "domain" && type.of !== undefined) return lengthLimit(type.of, type.modifier);
  if (type.name === "name") return 63;
  return ["varchar", "bpchar"].includes(type.name) && modifier > 4 ? modifier - 4 : undefined;
}

/** Digits before and after the point; undefined for numeric without limits. */
export function precision(modifier: number): { readonly whole: number; readonly scale: number } | undefined {
  if (modifier < 4) return undefined;
  const digits = ((modifier - 4) >> 16) & 0xffff;
  // The scale is signed since PostgreSQL 15, 11 bits.
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  return { whole: Math.max(digits - scale, 0), scale };
}

/** How many different values `nthValue` has; Infinity where there is no end in sight. */
export function capacity(type: TypeShape, modifier: number): number {
  if (type.kind === "domain" && type.of !== undefined) return capacity(type.of, type.modifier);
  if (type.kind === "enum") return type.labels.length;
  if (type.name === "bool") return 2;
  if (type.name === "bit") return 2 ** Math.max(modifier, 1);
  const length = lengthLimit(type, modifier);
  if (length !== undefined && length < 4) return 36 ** length;
  if (type.name === "numeric") {
    const limit = precision(modifier);
    if (limit !== undefined) return 10 ** Math.min(limit.whole + limit.scale, 12) - 1;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * The value number `index` (from 0) of a type as text: distinct, modest, the same on every machine. Types without
 * a known form have none.
 */
export function nthValue(
  type: TypeShape,
  modifier: number,
  index: number,
  context: ValueContext,
): string | undefined {
  switch (type.kind) {
    case "domain":
      return type.of && nthValue(type.of, type.modifier, index, context);
    case "enum":
      return type.labels[index % type.labels.length];
    case "array": {
      const element = type.of && nthValue(type.of, modifier, index, context);
      return element === undefined ? undefined : arrayOf([element]);
    }
    case "range": {
      const subtype = type.of;
      const [low, high] = [2 * index, 2 * index + 1].map(
        (at) => subtype && nthValue(subtype, -1, at, context),
      );
      return low === undefined || high === undefined ? undefined : `[${inRange(low)},${inRange(high)})`;
    }
    case "multirange": {
      const range = type.of && nthValue(type.of, -1, index, context);
      return range === undefined ? undefined : `{${range}}`;
    }
    case "composite": {
      const parts = type.attributes.map((one) => nthValue(one.type, one.modifier, index, context));
      return `(${parts.map((part) => (part === undefined ? "" : quotedPart(part))).join(",")})`;
    }
    default:
      return texts.has(type.name)
        ? nthText(index, lengthLimit(type, modifier), context)
        : nthBase(type.name, modifier, index, context);
  }
}

/** Short texts count in base 36; longer ones are words, or what the column's name promises. */
function nthText(index: number, limit: number | undefined, { name }: ValueContext): string {
  const text = namedText(name, index) ?? `${words[index % words.length]}-${index}`;
  if (limit === undefined || text.length <= limit) return text;
  const plain = `${words[index % words.length]}-${index}`;
  if (plain.length <= limit) return plain;
  const digits = Math.min(limit, 4);
  return ((index + (digits > 1 ? 36 ** (digits - 1) : 10)) % 36 ** digits).toString(36).padStart(digits, "0");
}

function nthBase(name: string, modifier: number, index: number, context: ValueContext): string | undefined {
  const { isKey, salt } = context;
  const date = (at: number) => new Date(Date.UTC(2024, 0, 15) + at * day);
  const clock = () => new Date(date(index).getTime() + 36_000_000 + context.number * 60_000).toISOString();
  const hash = () => md5(`${salt} ${index}`);
  switch (name) {
    case "bool":
      return index % 2 === 0 ? "true" : "false";
    case "int2":
      return String(isKey ? firstSmallKey + (index % 25_000) : 3 + (index % 30_000));
    case "int4":
    case "int8":
    case "oid":
      return String(isKey ? firstKey + index : 3 + index);
    case "numeric":
      return nthNumeric(modifier, index, isKey);
    case "float4":
    case "float8":
      return String(2.5 + index);
    case "money":
      return `${10 + index}.25`;
    case "char":
      return String.fromCharCode(97 + (index % 26));
    case "uuid": {
      const x = hash();
      return `${uuidPrefix}${x.slice(0, 4)}-${x.slice(4, 8)}-4${x.slice(8, 11)}-8${x.slice(11, 14)}-${x.slice(14, 26)}`;
    }
    case "date":
      return date(index + context.number)
        .toISOString()
        .slice(0, 10);
    case "timestamp":
      return clock().slice(0, 19).replace("T", " ");
    case "timestamptz":
      return `${clock().slice(0, 19).replace("T", " ")}+00`;
    case "time":
    case "timetz": {
      const seconds = (36_000 + index * 61 + (context.number % 60)) % 86_400;
      const text = new Date(seconds * 1000).toISOString().slice(11, 19);
      return name === "time" ? text : `${text}+00`;
    }
    case "interval":
      return `${index + 1} hours`;
    case "json":
    case "jsonb":
      return `{"k": ${index + 2}}`;
    case "jsonpath":
      return `$."k${index}"`;
    case "xml":
      return `<k>${index}</k>`;
    case "bytea":
      return `\\x${hash()}`;
    case "bit":
      return (index % 2 ** Math.min(Math.max(modifier, 1), 30))
        .toString(2)
        .padStart(Math.max(modifier, 1), "0");
    case "varbit":
      return bits(index, modifier);
    case "inet":
      return `10.1.${(index >> 8) & 255}.${index & 255}`;
    case "cidr":
      return `10.${(index >> 8) & 255}.${index & 255}.0/24`;
    case "macaddr":
      return `08:00:2b:01:${hexByte(index >> 8)}:${hexByte(index)}`;
    case "macaddr8":
      return `08:00:2b:01:02:03:${hexByte(index >> 8)}:${hexByte(index)}`;
    case "point":
      return `(${index},${index + 1})`;
    case "line":
      return `{1,-1,${index}}`;
    case "lseg":
    case "box":
      return `(${index + 1},1),(${index},0)`;
    case "path":
    case "polygon":
      return `((${index},0),(${index + 1},1),(${index},1))`;
    case "circle":
      return `<(${index},0),1>`;
    case "tsvector":
      return `'${words[index % 8]}${index}':1`;
    case "tsquery":
      return `'${words[index % 8]}${index}'`;
    case "pg_lsn":
      return `0/${(index + 1).toString(16).toUpperCase()}`;
    case "xid":
    case "xid8":
    case "cid":
      return String(100 + index);
    case "tid":
      return `(${index},1)`;
    case "hstore":
      return `k=>${index}`;
    case "ltree":
    case "lquery":
      return `top.k${index}`;
    case "oidvector":
    case "int2vector":
      return `${index + 1} ${index + 2}`;
    case "regclass":
      return ["pg_class", "pg_type", "pg_proc"][index % 3];
    case "regtype":
      return ["integer", "text", "uuid"][index % 3];
    case "txid_snapshot":
    case "pg_snapshot":
      return `${index + 10}:${index + 20}:`;
    case "refcursor":
      return `${words[index % 8]}${index}`;
    case "vector":
    case "halfvec": {
      const size = modifier > 0 ? modifier : 3;
      return `[${Array.from({ length: size }, (_, at) => (at === 0 ? index + 1 : 0.5)).join(",")}]`;
    }
    case "geometry":
    case "geography":
      return `SRID=4326;POINT(${index % 180} ${index % 90})`;
    default:
      return undefined;
  }
}

function nthNumeric(modifier: number, index: number, isKey: boolean): string {
  const limit = precision(modifier);
  if (limit === undefined) return isKey ? String(firstKey + index) : `${2 + index}.5`;
  const { whole, scale } = limit;
  if (isKey && whole >= 8) return String(firstKey + index);
  if (whole >= 2) return String((2 + index) % 10 ** whole) + (scale > 0 ? ".5" : "");
  const units = 10 ** Math.max(Math.min(whole + scale, 12), 1);
  const digits = String((index + 2) % units).padStart(scale + 1, "0");
  return scale > 0 ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits;
}

function bits(index: number, modifier: number): string {
  const text = (index + 2).toString(2);
  return modifier > 0 ? text.slice(-modifier) : text;
}

function hexByte(value: number): string {
  return (value & 255).toString(16).padStart(2, "0");
}

export function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** A number that a text decides, 0 to 2^32 - 1. */
export function hashOf(text: string): number {
  return Number.parseInt(md5(text).slice(0, 8), 16);
}

export function arrayOf(elements: readonly (string | null)[]): string {
  return `{${elements.map((element) => (element === null ? "NULL" : quotedPart(element))).join(",")}}`;
}

function inRange(bound: string): string {
  return /^[\w.+-]+$/.test(bound) ? bound : quotedPart(bound);
}

export function quotedPart(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
