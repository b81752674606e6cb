import type { TableValues } from "./candidates";
import type { Joint } from "./joints";
import type { Combination } from "./oracle";
import type { ForeignKey, UniqueSet } from "./shape";

/** Everything that rows of one table are made from. */
export interface RowPlan {
  readonly values: TableValues;
  /** The widest first: what a tenant's key decides, a narrower key follows. */
  readonly keys: readonly PlannedKey[];
  readonly joints: readonly Joint[];
  readonly places: readonly UniquePlace[];
}

export interface PlannedKey {
  readonly key: ForeignKey;
  /**
   * - parents: one of the options.
   * - itself: an earlier row of this table, or the row's own key where NULL cannot stand.
   * - together: the row with the same number of a table that is filled at the same time.
   */
  readonly kind: "parents" | "itself" | "together";
  readonly options: readonly Combination[];
  /** Columns that may be NULL; with one of them NULL the key points nowhere. */
  readonly nullable: readonly string[];
  /** Every parent in turn gets a row; else two rows share one, so that keys that need a common parent find one. */
  readonly isSpread: boolean;
}

/**
 * What makes rows differ in a unique set. A slot is a foreign key (`key name`), a joint (`joint 0`) or a column
 * (`column name`). Where one of them never ends it counts alone; else all do, as the digits of a number.
 */
export interface UniquePlace {
  readonly set: UniqueSet;
  readonly slots: readonly { readonly slot: string; readonly size: number }[];
  /** How many rows there can be as far as this set goes. */
  readonly capacity: number;
}

export function planRows(
  values: TableValues,
  keys: readonly PlannedKey[],
  joints: readonly Joint[],
): RowPlan {
  const places = values.uniqueSets.map((set) => placeOf(set, values, keys, joints));
  return { values, keys, joints, places };
}

function placeOf(
  set: UniqueSet,
  values: TableValues,
  keys: readonly PlannedKey[],
  joints: readonly Joint[],
): UniquePlace {
  const slots = new Map<string, number>();
  for (const name of set.columns) {
    const key = keys.find((one) => one.key.columns.includes(name));
    const joint = joints.findIndex((one) => one.columns.includes(name));
    if (key !== undefined) slots.set(`key ${key.key.name}`, Math.max(key.options.length, 1));
    else if (joint >= 0) slots.set(`joint ${joint}`, joints[joint]!.plain.length);
    else slots.set(`column ${name}`, Math.max(values.columns.get(name)?.count ?? 1, 1));
  }
  const many = values.offset + values.wanted * 2;
  const all = [...slots].map(([slot, size]) => ({ slot, size }));
  const counting = all.find(({ slot, size }) => slot.startsWith("column") && size >= many);
  return {
    set,
    slots: counting === undefined ? all.sort((left, right) => right.size - left.size) : [counting],
    capacity:
      counting === undefined
        ? all.reduce((product, { size }) => product * size, 1)
        : Number.POSITIVE_INFINITY,
  };
}
