import type { Operation } from "../model/operation";
import type { Direction } from "../model/revision";
import { type Deed, deedsOf } from "./words";

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
  /** Lines of the later text where what runs is known only when it runs. */
  readonly unknown: readonly number[];
}

/** The difference of one direction of a revision between two of its texts. */
export function differenceOf(before: RevisionText, after: RevisionText, direction: Direction): Difference {
  const old = placedDeeds(before, direction);
  const rest = [...placedDeeds(after, direction)];
  const pairs: { readonly one: PlacedDeed; readonly other: PlacedDeed }[] = [];
  const gone: PlacedDeed[] = [];
  const take = (isIt: (each: PlacedDeed) => boolean): PlacedDeed | undefined => {
    const at = rest.findIndex(isIt);
    return at < 0 ? undefined : rest.splice(at, 1)[0];
  };
  // The same in full first, so that of two alike each finds its own.
  const unmatched = old.filter(
    (one) => take((each) => isSame(one, each) && each.source === one.source) === undefined,
  );
  for (const one of unmatched) {
    const other = take((each) => isSame(one, each)) ?? take((each) => isAlike(one, each));
    if (other === undefined) gone.push(one);
    else pairs.push({ one, other });
  }
  const changed = pairs.filter(({ one, other }) => one.deed.how !== other.deed.how);
  // Of a table whose columns are told its own text says no more.
  const told = new Set([...rest, ...gone, ...changed.map(({ one }) => one)].map(wholeOf));
  return {
    added: withoutParts(rest),
    removed: withoutParts(gone),
    changed: changed.map(({ one, other }) => ({ before: one.deed, after: other.deed })),
    otherwise: pairs
      .filter(
        ({ one, other }) => one.deed.how === other.deed.how && !one.deed.isPart && !told.has(wholeOf(one)),
      )
      .map(({ other }) => ({ deed: other.deed, line: other.line })),
    unknown: after.operations
      .filter(({ kind, origin }) => kind === "unknown" && origin.direction === direction)
      .map(({ origin }) => origin.line),
  };
}

/** Tables that these operations of one direction name. */
export function tablesOf(operations: readonly Operation[], direction: Direction): Set<string> {
  const named = operations
    .filter(({ origin }) => origin.direction === direction)
    .flatMap((operation) => deedsOf(operation).flatMap(({ table }) => table ?? []));
  return new Set(named);
}

interface PlacedDeed {
  readonly deed: Deed;
  readonly line: number;
  /** The source of the whole change, whatever its layout. */
  readonly source: string;
}

function placedDeeds({ text, operations }: RevisionText, direction: Direction): PlacedDeed[] {
  const lines = text.split("\n");
  return operations
    .filter(({ origin }) => origin.direction === direction)
    .flatMap((operation) => {
      const { line, endLine } = operation.origin;
      const source = lines
        .slice(line - 1, endLine)
        .join("\n")
        .replace(/[\s,'"]+/g, "");
      return deedsOf(operation).map((deed) => ({ deed, line, source }));
    });
}

function isAlike({ deed: one }: PlacedDeed, { deed: other }: PlacedDeed): boolean {
  return one.object === other.object && one.verb === other.verb;
}

function isSame(one: PlacedDeed, other: PlacedDeed): boolean {
  return isAlike(one, other) && one.deed.how === other.deed.how;
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
