import type { RowPlan } from "./row-plan";
import type { Refusal } from "./savepoint";
import type { UniqueSet } from "./shape";

/** What the server's refusals taught about one table. */
export interface Lessons {
  readonly bumps: Map<string, number>;
  readonly required: Set<string>;
  /** No other row would fare better. */
  isHopeless: boolean;
}

export function newLessons(): Lessons {
  return { bumps: new Map(), required: new Set(), isHopeless: false };
}

/** Before the next row: it begins anew, but where rows must differ: values that are taken stay taken. */
export function nextRow(state: readonly Lessons[], plans: readonly RowPlan[]): void {
  state.forEach(({ bumps }, at) => {
    for (const name of bumps.keys())
      if (!plans[at]!.places.some(({ set }) => set.columns.includes(name))) bumps.delete(name);
  });
}

/** No other row would fare better. A trigger may say insufficient_privilege, too, in words of its own. */
export function isHopeless({ code, message }: Refusal): boolean {
  return hopeless.has(code) || (code === "42501" && message.startsWith("permission denied"));
}

/** Another row has these values. */
export function isConflict({ code }: Refusal): boolean {
  return code === "23505" || code === "23P01";
}

/** Whether every value has been tried that a unique set can have. */
export function isExhausted(refusal: Refusal, plans: readonly RowPlan[], tries: number): boolean {
  if (!isConflict(refusal)) return false;
  return plans.some(({ places }) =>
    places.some(({ set, capacity }) => set.name === refusal.constraint && tries >= capacity),
  );
}

/** A statement or a lock that takes too long, recursion without end. */
const hopeless = new Set(["57014", "55P03", "54001", "53200"]);
/** Codes of constraints and of values; every other one comes from a trigger, or a function that the row reached. */
const constraintCodes = new Set(["23505", "23P01", "23502", "23514", "23503", "22001", "22003", "54000"]);
/** After so many tries the keys move, too. */
const patience = 8;

export function isTriggers(refusal: Refusal): boolean {
  return !constraintCodes.has(refusal.code) && !isHopeless(refusal);
}

/** Decides what the next try of the row changes: other values of the columns that the constraint speaks of. */
export function learn(
  refusal: Refusal,
  plans: readonly RowPlan[],
  state: readonly Lessons[],
  tries: number,
): void {
  if (isHopeless(refusal)) {
    for (const lessons of state) lessons.isHopeless = true;
    return;
  }
  const named = plans.findIndex(
    ({ values: { table } }) => table.name === refusal.table && table.schema === refusal.schema,
  );
  plans.forEach((plan, at) => {
    if (named >= 0 && named !== at) return;
    const lessons = state[at]!;
    if (refusal.code === "23502" && refusal.column !== undefined) lessons.required.add(refusal.column);
    for (const column of columnsToMove(refusal, plan, tries))
      lessons.bumps.set(column, (lessons.bumps.get(column) ?? 0) + 1);
  });
}

function columnsToMove(refusal: Refusal, { values, keys }: RowPlan, tries: number): readonly string[] {
  const all = [...values.columns.keys()];
  const isKeys = (name: string) => keys.some(({ key }) => key.columns.includes(name));
  const { table, uniqueSets } = values;
  switch (refusal.code) {
    case "23505":
    case "23P01": {
      const set = uniqueSets.find(({ name }) => name === refusal.constraint);
      if (set === undefined)
        return [...values.columns.values()].filter((one) => one.isUnique).map((one) => one.column.name);
      return conflicting(set, isKeys, tries);
    }
    case "23502":
      return refusal.column === undefined ? all : [refusal.column];
    case "23503": {
      const key = keys.find((one) => one.key.name === refusal.constraint);
      return key?.key.columns ?? all.filter(isKeys);
    }
    case "23514": {
      const check = table.checks.find(({ name }) => name === refusal.constraint);
      return check === undefined || check.columns.length === 0 ? all : check.columns;
    }
    default:
      // A trigger seldom minds what tells rows apart.
      return all.filter(
        (name) => tries >= patience || (!isKeys(name) && !values.columns.get(name)!.isUnique),
      );
  }
}

function conflicting(set: UniqueSet, isKeys: (name: string) => boolean, tries: number): readonly string[] {
  const free = set.columns.filter((name) => !isKeys(name));
  if (tries >= patience) return [...new Set([...set.columns, ...set.predicateColumns])];
  return free.length > 0 ? free : set.columns;
}

/** One sentence that names the constraint, or what the server said. */
export function reasonOf(refusal: Refusal | undefined, plans: readonly RowPlan[]): string {
  const tables = plans.flatMap(({ values: { table } }) => table);
  const empty = tables.find(({ isPartitioned, partitions }) => isPartitioned && partitions === 0);
  if (empty !== undefined) return `${empty.key} is partitioned and has no partition.`;
  if (refusal === undefined) return "No row was tried.";
  const { code, constraint, message } = refusal;
  if (code === "") return "A trigger or a rule of the table drops the row without an error.";
  const said = message.replaceAll(/\s+/g, " ").slice(0, 200);
  if (constraint === undefined || constraint === "") return `The server said: ${said} (${code}).`;
  const parents = plans.flatMap(({ keys }) =>
    keys.filter(
      ({ key, options, kind }) => key.name === constraint && kind === "parents" && options.length === 0,
    ),
  );
  if (parents.length > 0)
    return `The foreign key ${constraint} needs a row of ${parents[0]!.key.parentKey}, which has none.`;
  if (code === "23505" || code === "23P01")
    return `No other values were found for ${constraint}, which must be unique.`;
  return `No values were found that ${constraint} takes; the server said: ${said} (${code}).`;
}
