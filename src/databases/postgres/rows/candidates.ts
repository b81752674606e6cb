import type { Client } from "pg";
import type { RowTier } from "../../../model/rows";
import { extremesOf } from "./extremes";
import { mentions } from "./introspect";
import { formats, literalsOf, minedValues } from "./mined";
import type { FillOptions, TableSteering } from "./options";
import { type Question, solve } from "./oracle";
import type { Check, Column, Table } from "./shape";
import { capacity, isNumber, isText, lengthLimit, md5, nthValue, type ValueContext } from "./values";

/** Where a column's values come from. All of them were accepted by the server, except those that count on. */
export interface ColumnValues {
  readonly column: Column;
  /** Rows are told apart by it, alone or with others. */
  readonly isUnique: boolean;
  readonly isRequired: boolean;
  /** How many plain values there are; Infinity: as many as one likes. */
  readonly count: number;
  /** The plain value number `index`; undefined where there is none. */
  plain(index: number): string | undefined;
  /** Hostile ones, the most telling first. */
  readonly edges: readonly string[];
  /** Those that the CHECKs and predicates of the table name. */
  readonly spoken: readonly string[];
  /** What the project says are its only values. */
  readonly only: readonly string[] | undefined;
  /** Of these, what the column's type or CHECKs do not take. */
  readonly refused: readonly string[];
}

/** A table with all that is needed to make rows for it. */
export interface TableValues {
  readonly table: Table;
  readonly tier: RowTier;
  readonly wanted: number;
  /** Rows that it had: values are counted from there on, so that a second fill does not repeat the first. */
  readonly offset: number;
  readonly columns: ReadonlyMap<string, ColumnValues>;
  /** CHECKs that need more than one column, or a foreign key's; generated columns stand for their sources. */
  readonly joint: readonly Check[];
  readonly uniqueSets: Table["uniqueSets"];
}

interface Draft {
  readonly column: Column;
  readonly isUnique: boolean;
  readonly isRequired: boolean;
  readonly context: ValueContext;
  /** How far its plain values are ahead of those of the first column of its type. */
  readonly shift: number;
  readonly only: readonly string[] | undefined;
  readonly hints: readonly string[];
  readonly window: readonly string[];
  readonly mined: readonly string[];
  /** Where nothing else meets a CHECK. */
  readonly shapes: readonly string[];
  readonly edges: readonly string[];
  readonly question: Question | undefined;
  /** Of a column without conditions: what the server is asked per type. */
  readonly asked: readonly string[];
}

/** How many plain values of a column are offered to a condition. */
const windowOf = (rows: number) => rows * 2 + 6;
const mostMined = 160;
/** Where the value lies that stands for one that a migration inserts; near ones for types that have few. */
const detours = [0, 10_000, 10_001, 10_002, 10_003];

/** Candidates for every column of these tables, tested by the server in one round trip. */
export async function prepareValues(
  client: Client,
  tables: readonly { readonly table: Table; readonly offset: number; readonly wanted: number }[],
  options: FillOptions & { readonly isUnicode: boolean },
): Promise<TableValues[]> {
  const drafts = tables.map(({ table, offset, wanted }) => {
    const steering = options.steering?.get(table.key) ?? {};
    const uniqueSets = [
      ...table.uniqueSets,
      ...(steering.unique ?? []).map((name) => ({
        name: "",
        columns: [name],
        predicateColumns: [],
        predicate: undefined,
      })),
    ];
    const unique = new Set(uniqueSets.flatMap(({ columns }) => columns));
    const tier = steering.tier ?? options.tier;
    const columns = table.columns
      .filter(({ generated }) => generated === undefined)
      .map((column) => draftOf(table, column, { offset, wanted, unique, tier, steering, options }));
    return { table, offset, wanted, tier, uniqueSets, columns };
  });

  const byType = new Map<string, { column: Column; values: Set<string> }>();
  for (const { column, asked } of drafts.flatMap(({ columns }) => columns)) {
    const known = byType.get(column.typeName) ?? { column, values: new Set<string>() };
    for (const value of asked) known.values.add(value);
    byType.set(column.typeName, known);
  }
  const typed = [...byType].filter(([, { values }]) => values.size > 0);
  const questions = drafts.flatMap(({ columns }) => columns.flatMap(({ question }) => question ?? []));
  const answers = await solve(client, [
    ...typed.map(([type, { values }]) => ofType(type, [...values])),
    ...questions,
  ]);
  const accepted = new Map(
    typed.map(([type], index) => [type, new Set((answers[index] ?? []).map(([value]) => value))]),
  );
  let next = typed.length;
  return drafts.map(({ columns, table, ...rest }) => ({
    ...rest,
    table,
    joint: jointChecks(table),
    columns: new Map(
      columns.map((draft) => {
        const good =
          draft.question === undefined
            ? accepted.get(draft.column.typeName)
            : new Set((answers[next++] ?? []).map(([value]) => value));
        return [draft.column.name, valuesOf(draft, good ?? new Set(), rest.offset, rest.wanted, rest.tier)];
      }),
    ),
  }));
}

interface DraftOptions {
  readonly offset: number;
  readonly wanted: number;
  readonly unique: ReadonlySet<string>;
  readonly tier: RowTier;
  readonly steering: TableSteering;
  readonly options: FillOptions & { readonly isUnicode: boolean };
}

function draftOf(table: Table, column: Column, given: DraftOptions): Draft {
  const { offset, wanted, unique, steering, options } = given;
  const { name, type, modifier } = column;
  const isUnique = unique.has(name);
  const salt = `${table.key} ${name}`;
  const context = { salt, name, number: column.number, isKey: isUnique || column.isNumbered };
  const checks = table.checks.filter((check) => sourcesOf(table, check).includes(name));
  const own = isForeign(table, name) ? [] : checks.filter((check) => sourcesOf(table, check).length === 1);
  const expressions = [
    ...checks.map(({ expression }) => expression),
    ...type.checks,
    ...(type.of?.checks ?? []),
  ];
  const predicates = table.uniqueSets.flatMap(({ predicate }) =>
    predicate !== undefined && mentions(predicate, name) ? [predicate] : [],
  );
  const window = Array.from(
    { length: windowOf(wanted) },
    (_, index) => nthValue(type, modifier, offset + index, context) ?? [],
  ).flat();
  const only = steering.values?.[name];
  const hints = options.hints?.get(`${table.key}.${column.key}`) ?? [];
  const spoken = literalsOf([...predicates, column.isNumbered ? "" : (column.default ?? "")].join(" "));
  const mined = [
    ...minedValues(expressions, type, windowOf(wanted), salt).slice(0, mostMined),
    ...spoken.strings,
    ...(isText(type) ? [] : spoken.numbers),
  ];
  const shapes =
    expressions.length > 0 && isText(type)
      ? [...formats, ...(isUnique ? variants(windowOf(wanted), offset) : [])]
      : [];
  const edges = column.isNumbered ? [] : extremesOf(type, modifier, context).filter(isPossible(column));
  const isOpen = expressions.length === 0 && only === undefined;
  // A cast cuts silently what an INSERT refuses.
  const limit = lengthLimit(type, modifier) ?? Number.POSITIVE_INFINITY;
  // One letter that the database's encoding lacks, and the server reads nothing of the question.
  const isWritable = (text: string) => options.isUnicode || /^[\0-\x7f]*$/.test(text);
  const candidates = [
    ...new Set([...(only ?? []), ...hints, ...window, ...mined, ...shapes, ...edges]),
  ].filter((text) => [...text].length <= limit && isWritable(text));
  return {
    column,
    isUnique,
    isRequired: column.isRequired || (steering.notNull ?? []).includes(name),
    context,
    shift: shiftOf(table, column, unique),
    only,
    hints,
    window,
    mined,
    shapes,
    edges,
    question: isOpen
      ? undefined
      : {
          ...ofType(column.typeName, only ?? candidates, name),
          alias: table.name,
          computed: computedFor(table, [name], own),
          conditions: own.map(({ expression }) => expression),
        },
    asked: isOpen ? [...hints, ...window.slice(0, 1), ...mined, ...edges].filter(isWritable) : [],
  };
}

const clock = /\b(?:now|\w+_timestamp|timeofday)\(\)|\b(?:CURRENT|LOCAL)_?(?:DATE|TIME)/i;

/** What takes the clock's time by default says when something happened: that never lies ahead. */
function isPossible({ default: expression }: Column): (value: string) => boolean {
  return (value) =>
    expression === undefined || !clock.test(expression) || !/^(?:20[3-9]|2[1-9])\d/.test(value);
}

/** Distinct texts of other shapes than the plain ones, for a CHECK that these do not meet. */
function variants(count: number, offset: number): string[] {
  const letters = (index: number) =>
    [26 ** 2, 26, 1].map((unit) => String.fromCharCode(97 + (Math.floor(index / unit) % 26))).join("");
  return Array.from({ length: count }, (_, index) => offset + index).flatMap((index) => [
    `ALPHA-${index}`,
    `ABC${1000 + index}`,
    letters(index),
    letters(index).toUpperCase(),
    String(1000 + index),
    md5(String(index)),
  ]);
}

function ofType(type: string, values: readonly string[], column = "value"): Question {
  const pools = [{ column, type, values }];
  return { pools, computed: [], alias: "candidates", conditions: [], limit: values.length };
}

function valuesOf(
  draft: Draft,
  good: ReadonlySet<string | null | undefined>,
  offset: number,
  wanted: number,
  tier: RowTier,
): ColumnValues {
  const { column, isUnique, isRequired, context, only } = draft;
  const { type, modifier } = column;
  const among = (values: readonly string[]) => [...new Set(values.filter((value) => good.has(value)))];
  const hints = among(draft.hints);
  const avoided = new Set(isUnique ? draft.hints : []);
  const nth = (index: number): string | undefined => {
    for (const detour of detours) {
      const value = nthValue(type, modifier, index + detour, context);
      if (value === undefined || !avoided.has(value)) return value;
    }
    return nthValue(type, modifier, index, context);
  };
  const edges = edgesOf(draft, among, avoided, tier);
  const refused = (only ?? []).filter((value) => !good.has(value));
  const base = { column, isUnique, isRequired, only, refused, spoken: among(draft.mined) };
  const listed = (list: readonly string[]): ColumnValues => ({
    ...base,
    count: list.length,
    plain: (index) => list[index % Math.max(list.length, 1)],
    edges: only === undefined ? edges : list,
  });
  if (only !== undefined) return listed(among(only));
  const isOpen = draft.question === undefined;
  const preferred = isUnique ? [] : hints;
  if (isOpen && draft.window.length > 0 && good.has(draft.window[0])) {
    const count = capacity(type, modifier);
    const isKnown = preferred.length > 0;
    return {
      ...base,
      count: isKnown ? preferred.length : count,
      // Labels that a revision names are all that it may accept: none other among them.
      plain: (index) => (isKnown ? preferred[index % preferred.length] : nth(index + draft.shift)),
      edges,
    };
  }
  const isFree = (value: string) => !avoided.has(value);
  const window = among(draft.window).filter(isFree);
  const enough = window.length >= (isUnique ? Math.min(wanted, capacity(type, modifier)) : 1);
  const rest = among([...draft.mined, ...draft.shapes, ...draft.edges]).sort((left, right) =>
    isUnique ? Number(isSmall(left)) - Number(isSmall(right)) : 0,
  );
  // The list begins with value number `offset`.
  const found = preferred.length > 0 ? preferred : enough ? window : [...new Set([...window, ...rest])];
  const free = found.filter(isFree);
  // Without any, the server shall say which constraint refuses what everybody would write.
  const list = free.length > 0 ? free : found.length > 0 ? found : draft.window;
  const values = listed(list);
  return {
    ...values,
    plain: (index) => values.plain(index + list.length - (offset % Math.max(list.length, 1))),
  };
}

/** Two columns of a row that hold the same would hide that a revision takes one for the other. */
function shiftOf(table: Table, column: Column, unique: ReadonlySet<string>): number {
  const isPlain = ({ name, isNumbered }: Column) => !unique.has(name) && !isNumbered;
  if (!isPlain(column)) return 0;
  return table.columns.filter(
    (other) => other.number < column.number && other.typeName === column.typeName && isPlain(other),
  ).length;
}

/** Where rows are told apart, no number by itself: 0, ±1 and the ends of the range are nobody's id. */
function edgesOf(
  { column, isUnique, edges, mined }: Draft,
  among: (values: readonly string[]) => string[],
  avoided: ReadonlySet<string>,
  tier: RowTier,
): readonly string[] {
  if (tier === "plain" || (isUnique && isNumber(column.type))) return [];
  if (!isUnique) return interleave(among(edges), among(mined));
  return among([...mined, ...edges]).filter((value) => !isSmall(value) && !avoided.has(value));
}

function isSmall(value: string): boolean {
  return /^[-+]?[01](?:\.0*)?$/.test(value);
}

function interleave(left: readonly string[], right: readonly string[]): string[] {
  const longest = Math.max(left.length, right.length);
  const mixed = Array.from({ length: longest }, (_, index) => [left[index], right[index]]).flat();
  return [...new Set(mixed.filter((value) => value !== undefined))];
}

/** The columns that one writes to meet a check. */
export function sourcesOf(table: Table, check: Check): readonly string[] {
  const generated = (name: string) =>
    table.columns.find((column) => column.name === name)?.generated?.columns;
  return [...new Set(check.columns.flatMap((name) => generated(name) ?? [name]))];
}

/** Generated columns that these checks read, computed from the columns that there are. */
export function computedFor(
  table: Table,
  columns: readonly string[],
  checks: readonly Check[],
): Question["computed"] {
  return table.columns.flatMap(({ name, generated }) =>
    generated !== undefined &&
    checks.some((check) => check.columns.includes(name)) &&
    generated.columns.every((source) => columns.includes(source))
      ? [{ column: name, expression: generated.expression }]
      : [],
  );
}

function jointChecks(table: Table): Check[] {
  return table.checks.filter((check) => {
    const sources = sourcesOf(table, check);
    return sources.length > 1 || sources.some((name) => isForeign(table, name));
  });
}

export function isForeign(table: Table, column: string): boolean {
  return table.foreignKeys.some(({ columns }) => columns.includes(column));
}
