import type { TypeShape } from "./shape";
import { arrayOf, lengthLimit, nthValue, precision, quotedPart, type ValueContext } from "./values";

/**
 * Values that later changes stumble over, the most telling ones first: full lengths, ends of the range, empty ones,
 * pairs that differ in case only, quotes, letters beyond ASCII, far dates. The server decides which it takes.
 */
export function extremesOf(type: TypeShape, modifier: number, context: ValueContext): readonly string[] {
  const nested = (of: TypeShape, its: number) => extremesOf(of, its, context);
  switch (type.kind) {
    case "domain":
      return type.of === undefined ? [] : nested(type.of, type.modifier);
    case "enum":
      return [...type.labels].reverse();
    case "array": {
      const element = type.of;
      if (element === undefined) return [];
      const edges = nested(element, modifier);
      const first = nthValue(element, modifier, 0, context);
      const many = [...edges.slice(0, 4), ...(first === undefined ? [] : [first])];
      return [
        "{}",
        ...(many.length > 0 ? [arrayOf(many)] : []),
        "{NULL}",
        ...edges.slice(0, 2).map((one) => arrayOf([one])),
      ];
    }
    case "range": {
      const first = nthValue(type, -1, 0, context);
      return ["empty", "(,)", ...(first === undefined ? [] : [first.replace(/,.*/, ",)")])];
    }
    case "multirange": {
      const two = [0, 1].flatMap((at) => (type.of && nthValue(type.of, -1, at, context)) ?? []);
      return ["{}", ...(two.length === 2 ? [`{${two.join(",")}}`] : []), "{(,)}"];
    }
    case "composite": {
      const parts = type.attributes.map(({ type: of, modifier: its }) => nested(of, its)[0]);
      return [
        `(${parts.map((part) => (part === undefined ? "" : quotedPart(part))).join(",")})`,
        `(${type.attributes.map(() => "").join(",")})`,
      ];
    }
    default:
      return baseExtremes(type, modifier);
  }
}

const awkward = "O'Brien \\ % _ Ünïcødé ✓";

function baseExtremes(type: TypeShape, modifier: number): readonly string[] {
  switch (type.name) {
    case "int2":
      return ["32767", "-32768", "0", "-1"];
    case "int4":
      return ["2147483647", "-2147483648", "0", "-1", "100000"];
    case "int8":
      return ["9223372036854775807", "-9223372036854775808", "4294967296", "0", "-1"];
    case "numeric":
      return numericExtremes(modifier);
    case "float4":
    case "float8":
      return ["1e15", "-1.5", "0", "0.1", "3.14159"];
    case "text":
    case "varchar":
    case "bpchar":
    case "citext":
    case "name":
      return textExtremes(lengthLimit(type, modifier));
    case "char":
      return ["z", "A"];
    case "date":
      return ["2999-12-31", "1970-01-01", "2024-02-29", "1899-12-31"];
    case "timestamp":
    case "timestamptz":
      return [
        "2024-02-29 12:34:56.789012",
        "2999-12-31 23:59:59",
        "1970-01-01 00:00:00",
        "2038-01-19 03:14:08",
        "1899-12-31 00:00:00",
      ].map((text) => (type.name === "timestamptz" ? `${text}+00` : text));
    case "time":
      return ["23:59:59.999999", "00:00:00"];
    case "timetz":
      return ["23:59:59.999999+00", "00:00:00-12"];
    case "interval":
      return ["1 month", "0", "-1 day", "00:00:00.000001"];
    case "json":
    case "jsonb":
      return ["null", "[1, null]", "{}", "[]", '"text"', '{"a": {"b": [true, "✓"]}}'];
    case "bytea":
      return [`\\x${"00ff".repeat(64)}`, "\\x"];
    case "varbit":
      return modifier > 0 ? ["1".repeat(modifier), "0"] : ["10101", "0"];
    case "bit":
      return ["1".repeat(Math.max(modifier, 1)), "0".repeat(Math.max(modifier, 1))];
    case "inet":
      return ["::1", "10.0.0.0/8", "255.255.255.255"];
    case "cidr":
      return ["::/0", "10.0.0.0/8"];
    case "money":
      return ["92233720368547758.07", "-1.00", "0.00"];
    case "tsvector":
      return [""];
    case "hstore":
      return ["a=>NULL", ""];
    default:
      return isKnown(type, modifier) ? [] : guesses;
  }
}

function isKnown(type: TypeShape, modifier: number): boolean {
  return nthValue(type, modifier, 0, { salt: "", name: "", number: 1, isKey: false }) !== undefined;
}

/** For types that nothing is known of, an extension's for the most part; the server keeps what it can read. */
const guesses = [
  ...[
    "1",
    "2",
    "3",
    "a",
    "b",
    "{}",
    "[1,2,3]",
    "(1,2)",
    "(3,4)",
    "1 2 3",
    "1..2",
    "1:2:",
    "0/1",
    "true",
    "2024-01-15",
  ],
  ...["pg_class", "pg_type", "integer", "text", "now", "simple", "english", "pg_catalog"],
  ...["978-0-393-04002-9", "978-3-16-148410-0", "1436-4522", "0317-8471", "220356483481", "M-2306-7118-7"],
  ...[
    "POINT(0 0)",
    "LINESTRING(0 0,1 1)",
    "POLYGON((0 0,1 0,1 1,0 0))",
    "MULTIPOINT((0 0))",
    "MULTILINESTRING((0 0,1 1))",
  ],
  ...[
    "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
    "POINT Z(0 0 0)",
    "SRID=4326;POLYGON((0 0,1 0,1 1,0 0))",
    "SRID=3857;POINT(0 0)",
  ],
];

function numericExtremes(modifier: number): readonly string[] {
  const limit = precision(modifier);
  if (limit === undefined) return ["12345678901234567890.123456789", "-0.1", "0", "-1"];
  const { whole, scale } = limit;
  const most = `${"9".repeat(whole) || "0"}${scale > 0 ? `.${"9".repeat(scale)}` : ""}`;
  return [most, `-${most}`, ...(scale > 0 ? [`0.${"1".repeat(scale)}`] : []), "0"];
}

function textExtremes(limit: number | undefined): readonly string[] {
  const all = ["x".repeat(limit ?? 300), "", "Alpha", "alpha", awkward, "alpha ", "0", "null"];
  return limit === undefined ? all : [...new Set(all.map((text) => [...text].slice(0, limit).join("")))];
}
