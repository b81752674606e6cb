import { textsMatching } from "./regular-expression";
import type { TypeShape } from "./shape";
import { arrayOf, words } from "./values";

/** SQL's strings, as the server prints them: quotes doubled, backslashes as they are but in E''. */
const string = /(?:\bE)?'((?:[^']|'')*)'/g;
const number = /(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])/g;
const longest = 5_000;

export interface Literals {
  readonly strings: readonly string[];
  /** With one more and one less. */
  readonly numbers: readonly string[];
}

/** The same without quoted names: an apostrophe in one of them begins no string. */
function withoutNames(sql: string): string {
  return sql.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, (token) => (token.startsWith('"') ? "name" : token));
}

/** The literals of an SQL expression that the server printed, or of a function's body. */
export function literalsOf(text: string): Literals {
  const sql = withoutNames(text);
  const strings = [...sql.matchAll(string)].map(([all, text = ""]) => unquoted(text, all.startsWith("E")));
  const numbers = [...sql.replace(string, " ").matchAll(number)].flatMap(([text]) => {
    const digits = /\.(\d+)$/.exec(text)?.[1]?.length ?? 0;
    const near = [Number(text) + 1, Number(text) - 1].map((one) => one.toFixed(digits));
    return Number.isSafeInteger(Math.trunc(Number(text))) ? [text, ...near] : [text];
  });
  return { strings: [...new Set(strings)], numbers: [...new Set(numbers)] };
}

function unquoted(text: string, escaped: boolean): string {
  const single = text.replaceAll("''", "'");
  return escaped ? single.replaceAll("\\\\", "\\") : single;
}

/** Values for a column that these expressions (CHECKs, predicates, a domain's) speak of; the server tests each. */
export function minedValues(
  expressions: readonly string[],
  type: TypeShape,
  wanted: number,
  salt: string,
): readonly string[] {
  if (expressions.length === 0) return [];
  const all = withoutNames(expressions.join(" "));
  const { strings, numbers } = literalsOf(all);
  const base = baseOf(type);
  const values = [
    ...strings,
    ...patterns(all, wanted, salt),
    ...numbers,
    ...(base.name.startsWith("int") ? between(numbers, wanted) : []),
    ...lengths(all, base.name === "bytea", strings),
    ...(base.name === "json" || base.name === "jsonb" ? documents(strings) : []),
    ...(base.kind === "array" ? arrays(strings, numbers) : []),
  ];
  return [...new Set(values)].filter((value) => value.length <= longest && !value.includes("\0"));
}

function baseOf(type: TypeShape): TypeShape {
  return type.kind === "domain" && type.of !== undefined ? baseOf(type.of) : type;
}

/** LIKE is printed as ~~, SIMILAR TO as ~ similar_to_escape('…'); what is negated says what not to write. */
function patterns(sql: string, wanted: number, salt: string): string[] {
  const operators =
    /(?<negated>!)?(?<operator>~~\*?|~\*?|\^@)\s*\(?(?:ANY\s*\(ARRAY\[)?(?<similar>(?:pg_catalog\.)?similar_to_escape\()?\(?E?'(?<text>(?:[^']|'')*)'/g;
  return [...sql.matchAll(operators)].flatMap(({ groups = {} }) => {
    if (groups.negated !== undefined) return [];
    const pattern = unquoted(groups.text ?? "", false);
    if (groups.operator === "^@") return [pattern, `${pattern}${words[0]}`];
    if (groups.operator?.startsWith("~~") === true) return likes(pattern, wanted);
    const regular = groups.similar === undefined ? pattern : `^(?:${similar(pattern)})$`;
    return textsMatching(regular, wanted, salt);
  });
}

function likes(pattern: string, wanted: number): string[] {
  const filled = (text: string) =>
    pattern.replace(/\\(.)|%|_/g, (all, escaped?: string) => escaped ?? (all === "%" ? text : "a"));
  return [
    filled(""),
    ...Array.from({ length: wanted }, (_, index) => filled(`${words[index % words.length]}${index}`)),
  ];
}

function similar(pattern: string): string {
  return pattern.replace(/\\.|%|_|\./g, (all) => ({ "%": ".*", _: ".", ".": "\\." })[all] ?? all);
}

/** Whole numbers between the smallest and the greatest, as far apart as can be. */
function between(numbers: readonly string[], wanted: number): string[] {
  const known = numbers.map(Number).filter((one) => Number.isInteger(one));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (!Number.isFinite(low) || high - low < 2) return [];
  const step = Math.max(Math.floor((high - low) / (wanted + 1)), 1);
  const count = Math.min(wanted, Math.floor((high - low) / step));
  return Array.from({ length: count }, (_, index) => String(low + (index + 1) * step));
}

/** Texts and bytes of the lengths that are compared with: of each some distinct ones, and some that begin as a literal. */
function lengths(sql: string, isBytes: boolean, strings: readonly string[]): string[] {
  if (!/length|octet/i.test(sql)) return [];
  const sizes = [...sql.replace(string, " ").matchAll(number)]
    .map(([text]) => Number(text))
    .filter((size) => Number.isInteger(size) && size >= 0 && size <= longest / 2);
  const wanted = new Set(sizes.flatMap((size) => [size, size - 1, size + 1]).filter((size) => size >= 0));
  return [...wanted].flatMap((size) =>
    isBytes
      ? Array.from(
          { length: 12 },
          (_, index) =>
            `\\x${hex(index)
              .padStart(size * 2, "61")
              .slice(0, size * 2)}`,
        )
      : [
          ...Array.from({ length: 12 }, (_, index) =>
            `${index.toString(36)}${"y".repeat(size)}`.slice(0, size),
          ),
          ...strings
            .filter((one) => one.length < size && one.length <= 6)
            .flatMap((one) => [one.padEnd(size, "0"), one.padEnd(size, "x")]),
        ],
  );
}

function hex(index: number): string {
  return index.toString(16).padStart(2, "0");
}

/** Objects with the keys that are asked for, each with a value of every kind. */
function documents(strings: readonly string[]): string[] {
  const keys = strings.filter((one) => one !== "" && one.length <= 60 && !one.startsWith("{")).slice(0, 8);
  const kinds = ["[]", "{}", '"x"', "1", "true", "null", '["x"]', ...keys.map((key) => JSON.stringify(key))];
  const every = kinds
    .slice(0, 6)
    .map((kind) => `{${keys.map((key) => `${JSON.stringify(key)}: ${kind}`).join(", ")}}`);
  const one = keys.flatMap((key) => kinds.map((kind) => `{${JSON.stringify(key)}: ${kind}}`));
  return ["{}", "[]", ...every, ...one, '"x"', "1", "true", "null", '[{"k": 1}]'];
}

function arrays(strings: readonly string[], numbers: readonly string[]): string[] {
  const sizes = numbers.map(Number).filter((size) => Number.isInteger(size) && size > 0 && size <= 20);
  const elements = [strings.filter((one) => !/^[{[]/.test(one)), numbers, [...words], ["1", "2", "3"]];
  return elements
    .filter((list) => list.length > 0)
    .flatMap((list) => [
      arrayOf(list),
      ...list.slice(0, 12).map((one) => arrayOf([one])),
      ...sizes.map((size) => arrayOf(Array.from({ length: size }, (_, index) => list[index % list.length]!))),
    ]);
}

/** What a text may have to look like where a CHECK casts or compares it. */
export const formats: readonly string[] = [
  "{}",
  '{"a": 1}',
  "[]",
  "42",
  "7.5",
  "true",
  "2024-01-15",
  "10:00",
  "alpha@example.org",
  "https://example.org/alpha",
  "00000000-0000-4000-8000-000000000001",
  "10.0.0.1",
  "+15551000001",
  "A",
  "AA",
  "AAA",
  "ALPHA",
  "aa",
  "en-US",
  "UTC",
  "/alpha",
  "#a1b2c3",
  "0".repeat(32),
  "a".repeat(40),
  "a".repeat(64),
  "",
];
