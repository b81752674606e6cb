import type { Client } from "pg";
import { computedFor, sourcesOf, type TableValues } from "./candidates";
import { type Combination, type Question, solve } from "./oracle";
import type { Check } from "./shape";

/** Columns that CHECKs tie to each other, with values that meet these together. */
export interface Joint {
  readonly columns: readonly string[];
  /** As few NULLs as can be, first. */
  readonly plain: readonly Combination[];
  readonly nulls: readonly Combination[];
  readonly edges: readonly Combination[];
}

const mostSolutions = 300;
/** Combinations that the server looks through: at first, and where there was no solution among them. */
const sizes = [6_000, 120_000] as const;
const mostOfColumn = 40;

/**
 * Solves a table's CHECKs: those that share columns together, by one query that lists what meets them. `keys` are the
 * values that foreign keys leave to a column. A group without a solution is left out: its rows are tried as they come.
 */
export async function solveJoints(
  client: Client,
  values: TableValues,
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<Joint[]> {
  const groups = groupsOf(values);
  if (groups.length === 0) return [];
  const solved = new Map<Group, readonly Combination[]>();
  for (const size of sizes) {
    const open = groups.filter((group) => (solved.get(group) ?? []).length === 0);
    if (open.length === 0) break;
    const answers = await solve(
      client,
      open.map((group) => questionOf(values, group, keys, size)),
    );
    open.forEach((group, index) => {
      solved.set(group, answers[index] ?? []);
    });
  }
  return groups.flatMap((group) => {
    const solutions = solved.get(group) ?? [];
    return solutions.length === 0 ? [] : [jointOf(values, group.columns, solutions)];
  });
}

interface Group {
  readonly columns: readonly string[];
  readonly checks: readonly Check[];
}

function groupsOf({ table, joint }: TableValues): Group[] {
  let groups: Group[] = [];
  for (const check of joint) {
    const columns = sourcesOf(table, check);
    const touched = groups.filter((group) => group.columns.some((column) => columns.includes(column)));
    groups = groups.filter((group) => !touched.includes(group));
    groups.push({
      columns: [...new Set([...touched.flatMap((group) => group.columns), ...columns])],
      checks: [...touched.flatMap((group) => group.checks), check],
    });
  }
  return groups;
}

function questionOf(
  values: TableValues,
  { columns, checks }: Group,
  keys: ReadonlyMap<string, readonly string[]>,
  size: number,
): Question {
  const pools = columns.map((name) => {
    const source = values.columns.get(name)!;
    const candidates: (string | null)[] = [...new Set(keys.get(name) ?? ownValues(values, name))];
    if (!source.isRequired) candidates.push(null);
    return { column: name, type: source.column.typeName, values: candidates };
  });
  const combinations = () => pools.reduce((product, pool) => product * pool.values.length, 1);
  while (combinations() > size) {
    const largest = pools.reduce((most, pool) => (pool.values.length > most.values.length ? pool : most));
    if (largest.values.length <= 2) break;
    largest.values = thinned(largest.values);
  }
  return {
    pools,
    computed: computedFor(values.table, columns, checks),
    alias: values.table.name,
    conditions: checks.map(({ expression }) => expression),
    limit: mostSolutions,
  };
}

function ownValues({ columns, offset, wanted }: TableValues, name: string): string[] {
  const source = columns.get(name)!;
  const many = source.isUnique ? wanted * 2 + 6 : 6;
  const plain = Array.from({ length: Math.min(many, source.count, mostOfColumn) }, (_, index) =>
    source.plain(offset + index),
  );
  // Of a constrained column all that is left is worth a try.
  const rest = Number.isFinite(source.count)
    ? Array.from({ length: Math.min(source.count, mostOfColumn) }, (_, index) => source.plain(offset + index))
    : [];
  const { spoken, edges } = source;
  return [...plain, ...spoken.slice(0, mostOfColumn), ...rest, ...edges.slice(0, mostOfColumn)].filter(
    (value) => value !== undefined,
  );
}

/** Every fourth of the second half goes. */
function thinned(values: readonly (string | null)[]): (string | null)[] {
  const half = Math.floor(values.length / 2);
  const kept = values.filter((value, index) => index < half || value === null || (index - half) % 4 !== 0);
  return kept.length < values.length ? kept : values.slice(0, -2).concat(values.slice(-1));
}

function jointOf(values: TableValues, columns: readonly string[], solutions: readonly Combination[]): Joint {
  const nullsOf = (solution: Combination) => solution.filter((value) => value === null).length;
  const unique = columns.flatMap((name, index) =>
    values.columns.get(name)?.isUnique === true ? [index] : [],
  );
  const ordered = distinctFirst(solutions, unique);
  return {
    columns,
    plain: [...ordered].sort((left, right) => nullsOf(left) - nullsOf(right)),
    nulls: [...ordered].sort((left, right) => nullsOf(right) - nullsOf(left)),
    edges: [...ordered].reverse(),
  };
}

/** Solutions that bring a new value into the unique columns come first. */
function distinctFirst(solutions: readonly Combination[], unique: readonly number[]): readonly Combination[] {
  if (unique.length === 0) return solutions;
  const seen = new Set<string>();
  const fresh = solutions.filter((solution) => {
    const key = JSON.stringify(unique.map((index) => solution[index]));
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const early = new Set(fresh);
  return [...fresh, ...solutions.filter((solution) => !early.has(solution))];
}
