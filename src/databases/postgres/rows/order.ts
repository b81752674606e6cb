import type { ForeignKey, Table } from "./shape";

/** Tables that are filled at one time: one, or those whose NOT NULL keys go round in a circle. */
export interface Unit {
  readonly tables: readonly Table[];
  /** Foreign keys whose parents come later: NULL for now, and set afterwards. */
  readonly late: readonly { readonly table: Table; readonly key: ForeignKey }[];
}

/** True where no column of the key may be NULL. */
export function isHard(table: Table, key: ForeignKey): boolean {
  return key.columns.every(
    (name) => table.columns.find((column) => column.name === name)?.isRequired === true,
  );
}

/** An order in which every parent is filled before its children, as far as NOT NULL asks for it. */
export function orderTables(tables: readonly Table[]): Unit[] {
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  const parentsOf = (table: Table, keys: (key: ForeignKey) => boolean) =>
    table.foreignKeys.flatMap((key) => {
      const parent = byOid.get(key.parentRoot);
      return parent === undefined || parent === table || !keys(key) ? [] : [parent];
    });
  const circles = circlesOf(tables, (table) => parentsOf(table, (key) => isHard(table, key)));
  const circleOf = new Map(circles.flatMap((circle) => circle.map((table) => [table, circle] as const)));
  const units: Unit[] = [];
  const done = new Set<Table>();
  const open = new Set(circles);
  while (open.size > 0) {
    const outside = (circle: readonly Table[], hard: boolean) =>
      circle.flatMap((table) =>
        table.foreignKeys.flatMap((key) => {
          const parent = byOid.get(key.parentRoot);
          if (parent === undefined || done.has(parent) || circleOf.get(parent) === circle) return [];
          return !hard || isHard(table, key) ? [{ table, key }] : [];
        }),
      );
    const ready = [...open].filter((circle) => outside(circle, true).length === 0);
    // Leaving a key that a CHECK speaks of NULL is the dearest.
    const cost = (circle: readonly Table[]) =>
      outside(circle, false).reduce((sum, { table, key }) => sum + 1 + (isChecked(table, key) ? 10 : 0), 0);
    const costs = ready.map(cost);
    const cheapest = ready[costs.indexOf(Math.min(...costs))]!;
    const next = Math.min(...costs) === 0 ? ready.filter((_, index) => costs[index] === 0) : [cheapest];
    for (const circle of next) {
      units.push({ tables: circle, late: outside(circle, false) });
      open.delete(circle);
    }
    for (const circle of next) for (const table of circle) done.add(table);
  }
  return units;
}

function isChecked(table: Table, key: ForeignKey): boolean {
  return table.checks.some(({ columns }) => columns.some((name) => key.columns.includes(name)));
}

/** Strongly connected tables, without recursion: a chain of foreign keys can be long. */
function circlesOf(tables: readonly Table[], parentsOf: (table: Table) => readonly Table[]): Table[][] {
  const reached = new Map(tables.map((table) => [table, reachable(table, parentsOf)]));
  const taken = new Set<Table>();
  return tables.flatMap((table) => {
    if (taken.has(table)) return [];
    const circle = tables.filter(
      (other) => other === table || (reached.get(table)!.has(other) && reached.get(other)!.has(table)),
    );
    for (const one of circle) taken.add(one);
    return [circle];
  });
}

function reachable(start: Table, parentsOf: (table: Table) => readonly Table[]): Set<Table> {
  const found = new Set<Table>();
  const open = [start];
  for (let table = open.pop(); table !== undefined; table = open.pop()) {
    for (const parent of parentsOf(table)) {
      if (found.has(parent)) continue;
      found.add(parent);
      open.push(parent);
    }
  }
  return found;
}
