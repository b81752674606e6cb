import type { Row } from "./build-row";
import type { RowPlan } from "./row-plan";

/**
 * Joins rows that point at each other in a circle: a key and what it points at get one value, whichever of the two has
 * one already; where neither has, the parent's column gets its plain one.
 */
export function linkTogether(
  plans: readonly RowPlan[],
  built: readonly Row[],
  number: number,
): readonly Row[] {
  if (plans.length < 2) return built;
  const rows = built.map((row) => new Map(row));
  const links = plans.flatMap((plan, child) =>
    plan.keys
      .filter(({ kind }) => kind === "together")
      .flatMap(({ key }) => {
        const parent = plans.findIndex(({ values }) => values.table.oid === key.parentRoot);
        return key.columns.map((name, at) => ({ child, name, parent, parentName: key.parentColumns[at]! }));
      }),
  );
  const settle = () => {
    for (let changed = true; changed; ) {
      changed = false;
      for (const { child, name, parent, parentName } of links) {
        const own = rows[child]!.get(name);
        const its = rows[parent]!.get(parentName);
        if (its !== undefined && own !== its) rows[child]!.set(name, its);
        else if (its === undefined && own !== undefined) rows[parent]!.set(parentName, own);
        else continue;
        changed = true;
      }
    }
  };
  settle();
  for (const { child, name, parent, parentName } of links) {
    if (rows[child]!.has(name)) continue;
    const values = plans[parent]!.values;
    const value = values.columns.get(parentName)?.plain(values.offset + number);
    if (value === undefined) continue;
    rows[parent]!.set(parentName, value);
    settle();
  }
  return rows;
}
