import type { Client } from "pg";
import type { Row } from "./build-row";
import { literalsOf } from "./mined";
import { solve } from "./oracle";
import type { RowPlan } from "./row-plan";

const mostRows = 30;
const mostLiterals = 40;

/**
 * Rows of values that the triggers' bodies name, for the columns that they read: what a trigger refuses, it compares
 * with. One column at a time, then two.
 */
export async function triggerRows(client: Client, plans: readonly RowPlan[]): Promise<readonly Row[]> {
  const [plan, ...others] = plans;
  if (plan === undefined || others.length > 0) return [];
  const { table, columns } = plan.values;
  const body = table.triggers.join(" ");
  const { strings, numbers } = literalsOf(body);
  const literals = [...strings, ...numbers].filter((one) => one.length <= 60).slice(0, mostLiterals);
  const read = [...columns.values()].filter(
    ({ column, isUnique }) =>
      !isUnique &&
      new RegExp(`\\bnew\\s*\\.\\s*"?${column.name.replace(/[^\w]/g, "\\$&")}(?!\\w)`, "i").test(body) &&
      !plan.keys.some(({ key }) => key.columns.includes(column.name)),
  );
  if (literals.length === 0 || read.length === 0) return [];
  const answers = await solve(
    client,
    read.map(({ column }) => ({
      pools: [{ column: column.name, type: column.typeName, values: literals }],
      computed: [],
      alias: table.name,
      conditions: [],
      limit: mostLiterals,
    })),
  );
  const values = read.map(({ column }, at) => ({
    name: column.name,
    values: (answers[at] ?? []).map(([value]) => value ?? null),
  }));
  const single = values.flatMap(({ name, values }) => values.map((value) => new Map([[name, value]])));
  const [first, second] = values;
  const pairs =
    first === undefined || second === undefined
      ? []
      : first.values.flatMap((one) =>
          second.values.map(
            (other) =>
              new Map([
                [first.name, one],
                [second.name, other],
              ]),
          ),
        );
  return [...single.slice(0, mostRows), ...pairs.slice(0, mostRows)];
}
