import type { Operation } from "../model/operation";
import type { Direction } from "../model/revision";
import { type Deed, deedsOf, unknownType } from "./words";

/** A revision's text at one time, and what was read of it. */
export interface RevisionText {
  readonly text: string;
  readonly operations: readonly Operation[];
}

/** What one of two texts of a revision does and the other does not, in the order of the text. */
export interface Difference {
  /** Only the later text does it. */
  readonly added: readonly Deed[];
  /** Only the earlier one did. */
  readonly removed: readonly Deed[];
  /** Both do it to the same object, in another way. */
  readonly changed: readonly { readonly before: Deed; readonly after: Deed }[];
  /** Both do it, and what they say in full differs: another value, another condition. Lines are the later text's. */
  readonly otherwise: readonly { readonly deed: Deed; readonly line: number }[];
  /** Where what runs is known only when it runs, and differs. */
  readonly unknown: Lines;
  /** Where what differs leaves no trace: a setting, a COMMIT, a read. */
  readonly traceless: Lines;
}

/** Lines that only one of two texts has. */
export interface Lines {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** The difference of one direction of a revision between two of its texts. */
export function differenceOf(before: RevisionText, after: RevisionText, direction: Direction): Difference {
  const placed = { before: placedOperations(before, direction), after: placedOperations(after, direction) };
  // What is the same in full first, so that of two alike each finds its own.
  const full = match(placedDeeds(placed.before), placedDeeds(placed.after), sameKey, true);
  const same = match(full.before, full.after, sameKey, false);
  const alike = match(same.before, same.after, alikeKey, false);
  const { before: gone, after: rest } = alike;
  const pairs = [...same.pairs, ...alike.pairs];
  // A type that cannot be read may be the same.
  const isKnown = ({ deed }: PlacedDeed) => !deed.how.includes(unknownType);
  const isOther = ({ one, other }: Pair) => one.deed.how !== other.deed.how;
  const changed = pairs.filter((pair) => isOther(pair) && isKnown(pair.one) && isKnown(pair.other));
  const isChanged = new Set(changed);
  // Of a table whose columns are told its own text says no more.
  const told = new Set([...rest, ...gone, ...changed.map(({ one }) => one)].map(wholeOf));
  return {
    added: withoutParts(rest),
    removed: withoutParts(gone),
    changed: changed.map(({ one, other }) => ({ before: one.deed, after: other.deed })),
    otherwise: pairs
      .filter((pair) => !isChanged.has(pair))
      .filter((pair) => isOther(pair) || (!pair.one.deed.isPart && !told.has(wholeOf(pair.one))))
      .map(({ other }) => ({ deed: other.deed, line: other.line })),
    unknown: linesOf("unknown", placed),
    traceless: linesOf("noTrace", placed),
  };
}

interface PlacedDeed {
  readonly deed: Deed;
  readonly line: number;
  /** The source of the whole change, whatever its layout. */
  readonly source: string;
}

interface PlacedOperation {
  readonly operation: Operation;
  readonly source: string;
}

function placedOperations({ text, operations }: RevisionText, direction: Direction): PlacedOperation[] {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const own = operations
    .filter(({ origin }) => origin.direction === direction)
    .map((operation) => ({
      operation,
      from: (lineStarts[operation.origin.line - 1] ?? 0) + operation.origin.column - 1,
      to: lineStarts[operation.origin.endLine] ?? text.length,
    }));
  // Where a line holds several, the next one's start is this one's end.
  const starts = [...new Set(own.map(({ from }) => from))].sort((one, other) => one - other);
  const nextStart = new Map(starts.map((start, index) => [start, starts[index + 1] ?? text.length]));
  return own.map(({ operation, from, to }) => ({
    operation,
    source: text.slice(from, Math.min(to, nextStart.get(from) ?? to)).replace(/[\s,'"]+/g, ""),
  }));
}

function placedDeeds(placed: readonly PlacedOperation[]): PlacedDeed[] {
  return placed.flatMap(({ operation, source }) =>
    deedsOf(operation).map((deed) => ({ deed, line: operation.origin.line, source })),
  );
}

function linesOf(
  kind: Operation["kind"],
  {
    before,
    after,
  }: { readonly before: readonly PlacedOperation[]; readonly after: readonly PlacedOperation[] },
): Lines {
  const only = (these: readonly PlacedOperation[], those: readonly PlacedOperation[]) => {
    const known = new Set(those.map(({ source }) => source));
    return these
      .filter(({ operation, source }) => operation.kind === kind && !known.has(source))
      .map(({ operation }) => operation.origin.line);
  };
  return { before: only(before, after), after: only(after, before) };
}

function alikeKey({ deed: { object, verb } }: PlacedDeed): string {
  return `${verb}\0${object}`;
}

function sameKey(placed: PlacedDeed): string {
  return `${alikeKey(placed)}\0${placed.deed.how}`;
}

interface Pair {
  readonly one: PlacedDeed;
  readonly other: PlacedDeed;
}

interface Matched {
  readonly pairs: readonly Pair[];
  /** What found no partner. */
  readonly before: readonly PlacedDeed[];
  readonly after: readonly PlacedDeed[];
}

/** Pairs those with the same key, in order; linear, because a file of data may hold any number of statements. */
function match(
  before: readonly PlacedDeed[],
  after: readonly PlacedDeed[],
  keyOf: (placed: PlacedDeed) => string,
  withSource: boolean,
): Matched {
  const key = (placed: PlacedDeed) => (withSource ? `${keyOf(placed)}\0${placed.source}` : keyOf(placed));
  const waiting = new Map<string, PlacedDeed[]>();
  for (const placed of [...after].reverse()) {
    const group = waiting.get(key(placed));
    if (group === undefined) waiting.set(key(placed), [placed]);
    else group.push(placed);
  }
  const pairs: Pair[] = [];
  const left = before.filter((one) => {
    const other = waiting.get(key(one))?.pop();
    if (other !== undefined) pairs.push({ one, other });
    return other === undefined;
  });
  const taken = new Set(pairs.map(({ other }) => other));
  return { pairs, before: left, after: after.filter((placed) => !taken.has(placed)) };
}

/** Of a table that comes or goes as a whole its columns need not be named. */
function withoutParts(placed: readonly PlacedDeed[]): Deed[] {
  const whole = new Set(placed.filter(({ deed }) => !deed.isPart).map(wholeOf));
  return placed.filter((each) => !each.deed.isPart || !whole.has(wholeOf(each))).map(({ deed }) => deed);
}

/** A table and its columns, as far as one call makes them. */
function wholeOf({ deed }: PlacedDeed): string {
  return `${deed.verb} ${deed.table ?? deed.object}`;
}
