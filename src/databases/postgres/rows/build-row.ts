import type { ColumnValues } from "./candidates";
import type { Joint } from "./joints";
import type { Combination } from "./oracle";
import type { PlannedKey, RowPlan } from "./row-plan";
import type { ForeignKey } from "./shape";

/** Values by column; a column that is not there gets its default. */
export type Row = ReadonlyMap<string, string | null>;

/**
 * - plain: distinct, modest, no NULL where a value can stand.
 * - typical: the first row, plain as well.
 * - nulls: NULL wherever it is allowed.
 * - copy: the first row again, but for what must be unique.
 * - edges: a walk over the extremes.
 */
export type Profile = "plain" | "typical" | "nulls" | "copy" | "edges";

export interface Try {
  /** From 0, within this fill. */
  readonly number: number;
  readonly profile: Profile;
  /** How often this row was refused. */
  readonly tries: number;
  /** How many values further to go, by column. */
  readonly bumps: ReadonlyMap<string, number>;
  /** Columns in which the server refused a NULL. */
  readonly required: ReadonlySet<string>;
  /** Rows that went in. */
  readonly earlier: readonly Row[];
  /** Values that a trigger's body names. */
  readonly forced?: Row;
}

const profiles = ["typical", "nulls", "copy"] as const;
/** How often the keys are turned until the CHECKs on them can be met; then one after the other becomes NULL; then what must be unique is turned. */
const turns = { nulls: 12, all: 16 } as const;

/** The profile of a row of the hostile tier. */
export function profileOf(number: number): Profile {
  return profiles[number] ?? "edges";
}

/** A row to try; the columns of keys that are filled together with another table are left out. */
export function buildRow(plan: RowPlan, attempt: Try): Row {
  const indexes = uniqueIndexes(plan, attempt);
  let row = new Map<string, string | null>();
  for (let turn = 0; turn < turns.all; turn++) {
    row = new Map(attempt.forced);
    setKeys(plan, attempt, indexes, row, turn);
    for (const key of plan.keys) if (key.kind === "itself") setEarlierKey(plan, key, attempt, row, turn);
    if (setJoints(plan, attempt, indexes, row)) break;
  }
  const held = new Set(plan.keys.flatMap((key) => heldColumns(key, row)));
  for (const [name, column] of plan.values.columns) {
    if (row.has(name) || held.has(name)) continue;
    const value = columnValue(plan, column, attempt, indexes.get(`column ${name}`));
    if (value !== undefined) row.set(name, value);
  }
  for (const { key, kind } of plan.keys) if (kind === "itself") setOwnKey(key, row);
  return row;
}

function bumpOf({ bumps }: Try, columns: readonly string[]): number {
  return Math.max(0, ...columns.map((name) => bumps.get(name) ?? 0));
}

/** Which value each slot of the unique sets takes: the first set that names a slot decides. */
function uniqueIndexes({ places, values }: RowPlan, attempt: Try): Map<string, number> {
  const indexes = new Map<string, number>();
  for (const { set, slots } of places) {
    const isCounted = slots.length === 1 && slots[0]!.slot.startsWith("column");
    const start = isCounted ? values.offset : 0;
    const number = start + attempt.number + bumpOf(attempt, set.columns);
    let left = number;
    const first = number % (slots[0]?.size ?? 1);
    slots.forEach(({ slot, size }, at) => {
      // The diagonal: rows that differ in the first digit differ in the next ones, too.
      const index = slots.length === 1 ? number : (left + (at > 0 ? first : 0)) % size;
      if (!indexes.has(slot)) indexes.set(slot, index);
      left = Math.floor(left / size);
    });
  }
  return indexes;
}

function isNullable(name: string, plan: RowPlan, { required }: Try): boolean {
  return plan.values.columns.get(name)?.isRequired === false && !required.has(name);
}

/** False where the key must point somewhere. */
function setNull(
  plan: RowPlan,
  { key, nullable }: PlannedKey,
  attempt: Try,
  row: Map<string, string | null>,
): boolean {
  const open = nullable.filter(
    (name) => isNullable(name, plan, attempt) && (!row.has(name) || row.get(name) === null),
  );
  if (open.length === 0 || (key.isFull && open.length < key.columns.length)) return false;
  for (const name of open) row.set(name, null);
  return true;
}

function agrees(
  columns: readonly string[],
  option: Combination,
  row: ReadonlyMap<string, string | null>,
): boolean {
  return columns.every((name, at) => !row.has(name) || row.get(name) === option[at]);
}

function setKeys(
  plan: RowPlan,
  attempt: Try,
  indexes: ReadonlyMap<string, number>,
  row: Map<string, string | null>,
  turn: number,
): void {
  plan.keys.forEach((planned, at) => {
    if (planned.kind !== "parents") return;
    const { key, options } = planned;
    const unique = indexes.get(`key ${key.name}`);
    const isSpent = unique !== undefined && unique >= options.length;
    const isNull = isSpent || (attempt.profile === "nulls" && attempt.tries < 6) || turn >= turns.nulls - at;
    if (isNull && setNull(plan, planned, attempt, row)) return;
    const possible = options.filter((option) => agrees(key.columns, option, row));
    if (possible.length === 0) {
      setNull(plan, planned, attempt, row);
      return;
    }
    const bump = bumpOf(attempt, key.columns) * (at + 1);
    const walk = attempt.profile === "copy" ? at : (attempt.number >> 1) + at;
    const index = unique ?? (planned.isSpread ? attempt.number : walk) + bump;
    const turned = unique === undefined ? Math.floor(turn / (at + 1)) : Math.max(turn - turns.nulls, 0);
    const option = possible[(index + turned) % possible.length]!;
    key.columns.forEach((name, place) => {
      row.set(name, option[place] ?? null);
    });
  });
}

/** False where no solution agrees with what the keys have chosen. */
function setJoints(
  plan: RowPlan,
  attempt: Try,
  indexes: ReadonlyMap<string, number>,
  row: Map<string, string | null>,
): boolean {
  let all = true;
  plan.joints.forEach((joint, at) => {
    const unique = indexes.get(`joint ${at}`);
    const list = unique === undefined ? solutionsFor(joint, attempt) : joint.plain;
    const possible = list.filter((solution) => agrees(joint.columns, solution, row));
    if (possible.length === 0) {
      all = false;
      return;
    }
    const bump = bumpOf(attempt, joint.columns);
    const walk = attempt.profile === "nulls" || attempt.profile === "copy" ? 0 : attempt.number;
    const solution = possible[(unique ?? walk + bump) % possible.length]!;
    joint.columns.forEach((name, place) => {
      row.set(name, solution[place] ?? null);
    });
  });
  return all;
}

function solutionsFor(joint: Joint, { profile, tries }: Try): readonly Combination[] {
  if (profile === "nulls" && tries < 6) return joint.nulls;
  return profile === "edges" ? joint.edges : joint.plain;
}

/** An earlier row of this table, else none where that is allowed. */
function setEarlierKey(
  plan: RowPlan,
  planned: PlannedKey,
  attempt: Try,
  row: Map<string, string | null>,
  turn: number,
): void {
  const { key, options } = planned;
  const isNull = (attempt.profile === "nulls" && attempt.tries < 6) || turn >= turns.nulls;
  if (isNull && setNull(plan, planned, attempt, row)) return;
  const earlier = attempt.earlier.map((one) => key.parentColumns.map((name) => one.get(name) ?? null));
  const possible = [...options, ...earlier].filter(
    (option) => option.every((value) => value !== null) && agrees(key.columns, option, row),
  );
  const walk = (attempt.number >> 1) + turn + bumpOf(attempt, key.columns);
  const option = possible[walk % Math.max(possible.length, 1)];
  if (option === undefined) setNull(plan, planned, attempt, row);
  else
    key.columns.forEach((name, place) => {
      row.set(name, option[place] ?? null);
    });
}

/** Columns that get their value from the row itself, or from the row that is made at the same time. */
function heldColumns({ key, kind }: PlannedKey, row: Row): readonly string[] {
  if (kind === "parents" || key.columns.some((name) => row.get(name) === null)) return [];
  return key.columns.filter(
    (name, at) => !row.has(name) && (kind === "together" || name !== key.parentColumns[at]),
  );
}

/** The row is its own parent where there is none before it. */
function setOwnKey(key: ForeignKey, row: Map<string, string | null>): void {
  key.columns.forEach((name, place) => {
    const own = row.get(key.parentColumns[place]!);
    if (!row.has(name) && own !== undefined) row.set(name, own);
  });
}

function columnValue(
  plan: RowPlan,
  values: ColumnValues,
  attempt: Try,
  unique: number | undefined,
): string | null | undefined {
  const { column, isUnique, edges } = values;
  const { profile, number, tries } = attempt;
  const canBeNull = isNullable(column.name, plan, attempt);
  const bump = attempt.bumps.get(column.name) ?? 0;
  const counted = plan.values.offset + number;
  if (profile === "nulls" && canBeNull && tries < 6) return null;
  const orNull = (value: string | undefined) => value ?? (canBeNull ? null : undefined);
  if (isUnique || column.isNumbered) {
    // One extreme a row, and none in a second try: an extreme twice is what it would be refused for.
    const isEdge = profile === "edges" && bump === 0 && (number + column.number) % 2 === 0;
    const edge = isEdge && unique !== undefined ? edges[(number - profiles.length) >> 1] : undefined;
    if (canBeNull && unique !== undefined && unique >= values.count) return null;
    return edge ?? orNull(values.plain(unique ?? counted + bump));
  }
  if (profile === "edges") {
    if (canBeNull && (number + column.number) % 7 === 0) return null;
    if (edges.length > 0) return edges[(number - profiles.length + tries + bump) % edges.length]!;
  }
  const first = profile === "copy" || profile === "typical" ? plan.values.offset : counted;
  return orNull(values.plain(first + bump));
}
