import type { Client } from "pg";
import type { FilledTable } from "../../../model/rows";
import { prepareValues, type TableValues } from "./candidates";
import { settleClocks } from "./clocks";
import { fillUnit } from "./fill-unit";
import { introspect } from "./introspect";
import { solveJoints } from "./joints";
import { setLateKeys } from "./late-keys";
import type { FillOptions } from "./options";
import type { Combination } from "./oracle";
import { isHard, orderTables, type Unit } from "./order";
import { Parents } from "./parents";
import { type PlannedKey, planRows, type RowPlan } from "./row-plan";
import { withOpenRowSecurity } from "./row-security";
import { tryQuery } from "./savepoint";
import { raiseSequences } from "./sequences";
import { inOwnTransaction, withQualifiedNames } from "./session";
import type { DatabaseShape, ForeignKey, Table } from "./shape";

export type { FillOptions, TableSteering } from "./options";

/**
 * Puts a few rows into every table of the database, all in one transaction on the client's session, whose settings stay as
 * they were. Equal schemas get equal rows. Tables are told in the order of their names, skipped ones not at all; a table
 * that could not be filled carries the reason. The client must not be in a transaction; rejects only where the session
 * itself fails.
 */
export async function fillTables(client: Client, options: FillOptions): Promise<readonly FilledTable[]> {
  let setBack = async () => {};
  try {
    const filled = await inOwnTransaction(client, async () => {
      const shape = await withQualifiedNames(client, () => introspect(client));
      setBack = await raiseSequences(client, shape.sequences);
      return withOpenRowSecurity(client, shape, () => fillShape(client, shape, options));
    });
    await setBack();
    return filled;
  } catch (error) {
    // What failed first is what must be told.
    await setBack().catch(() => undefined);
    throw error;
  }
}

async function fillShape(client: Client, shape: DatabaseShape, options: FillOptions): Promise<FilledTable[]> {
  const rowsFor = ({ key }: Table) => options.steering?.get(key)?.rows ?? options.rows;
  const all = shape.tables.filter(
    ({ key }) => !options.skip.has(key) && options.steering?.get(key)?.skip !== true,
  );
  const filled = all.flatMap((table) => (table.isAllowed ? [] : [forbidden(table, rowsFor(table))]));
  const tables = all.filter(({ isAllowed }) => isAllowed);
  if (tables.length === 0) return filled;
  const counts = await countRows(client, tables);
  const prepared = await prepareValues(
    client,
    tables.map((table) => {
      const rows = rowsFor(table);
      const offset = counts.get(table) ?? 0;
      return { table, offset, wanted: options.topUp ? rows : Math.max(rows - offset, 0) };
    }),
    { ...options, isUnicode: shape.isUnicode },
  );
  const values = new Map(prepared.map((one) => [one.table, one]));
  const parents = new Parents(client, { strangersFirst: options.topUp });
  const units = orderTables(tables);
  const waiting = new Set(tables.map(({ oid }) => oid));
  const hasTriggers = shape.tables.some(({ triggers }) => triggers.length > 0);
  for (const unit of units) {
    filled.push(...(await fillTablesOf(client, unit, values, parents, waiting, hasTriggers)));
    for (const { oid } of unit.tables) waiting.delete(oid);
  }
  for (const { table, key } of units.flatMap(({ late }) => late))
    await setLateKeys(client, { table, key }, { keepsOneNull: values.get(table)?.tier === "hostile" });
  await settleClocks(client, tables);
  return filled.sort((left, right) => (left.table < right.table ? -1 : 1));
}

function forbidden({ key }: Table, wanted: number): FilledTable {
  const reason = "The role that fills the tables may not read it and insert into it.";
  return { table: key, wanted, rows: 0, reason, suspended: false };
}

/** A table that cannot be read (one of its partitions is on a server that is not there) counts as empty. */
async function countRows(client: Client, tables: readonly Table[]): Promise<Map<Table, number>> {
  const count = ({ key, isPartitioned }: Table, at: number) =>
    `select ${at} as at, (select pg_catalog.count(*)::int4 from (select from ${isPartitioned ? "" : "only "}${key} limit 10000) as t) as rows`;
  const read = (text: string) => tryQuery<{ at: number; rows: number }>(client, { text });
  const rows = (await read(tables.map(count).join(" union all "))) ?? [];
  if (rows.length === 0)
    for (const [at, table] of tables.entries()) rows.push(...((await read(count(table, at))) ?? []));
  return new Map(rows.map(({ at, rows }) => [tables[at]!, rows]));
}

async function fillTablesOf(
  client: Client,
  unit: Unit,
  values: ReadonlyMap<Table, TableValues>,
  parents: Parents,
  waiting: ReadonlySet<number>,
  hasTriggers: boolean,
): Promise<FilledTable[]> {
  const plans: RowPlan[] = [];
  for (const table of unit.tables)
    plans.push(
      await planTable(
        client,
        await recounted(client, values.get(table)!, hasTriggers),
        unit,
        parents,
        waiting,
      ),
    );
  const wanted = Math.max(...plans.map((plan) => plan.values.wanted));
  const outcome = await fillUnit(client, plans, wanted);
  return plans.map(({ values: { table, offset } }) => {
    // Where ours found no place, those that triggers of other tables put in meanwhile stand for them.
    const made = Math.max(offset - values.get(table)!.offset, 0);
    const rows = Math.min(outcome.rows + made, wanted);
    const reason = rows < wanted ? outcome.reason : undefined;
    const refused = refusedIn(values.get(table)!);
    return {
      ...outcome,
      table: table.key,
      wanted,
      rows,
      reason,
      ...(refused.length === 0 ? {} : { refused }),
    };
  });
}

function refusedIn({ columns }: TableValues): NonNullable<FilledTable["refused"]> {
  const all = [...columns.values()].map(({ column, refused }) => ({ column: column.name, values: refused }));
  return all.filter(({ values }) => values.length > 0);
}

/** Triggers of the tables before may have put rows into this one. */
async function recounted(client: Client, values: TableValues, hasTriggers: boolean): Promise<TableValues> {
  if (!hasTriggers) return values;
  const offset = (await countRows(client, [values.table])).get(values.table) ?? values.offset;
  return { ...values, offset };
}

async function planTable(
  client: Client,
  values: TableValues,
  unit: Unit,
  parents: Parents,
  waiting: ReadonlySet<number>,
): Promise<RowPlan> {
  const { table } = values;
  const isSpread = parents.strangersFirst;
  const keys: PlannedKey[] = [];
  for (const key of table.foreignKeys) {
    const isOwn = key.parentRoot === table.oid;
    const isTogether = !isOwn && isHard(table, key) && unit.tables.some(({ oid }) => oid === key.parentRoot);
    keys.push({
      key,
      kind: isOwn ? "itself" : isTogether ? "together" : "parents",
      options: isTogether ? [] : chosen(values, key, await parents.keysOf(key, !waiting.has(key.parentRoot))),
      isSpread,
      nullable: key.columns.filter((name) => values.columns.get(name)?.column.isRequired === false),
    });
  }
  return planRows(values, keys, await solveJoints(client, values, offeredBy(keys, values)));
}

/** Where a project says which values a column has, parents with others are left out, if any is left. */
function chosen(
  { columns }: TableValues,
  { columns: names }: ForeignKey,
  options: readonly Combination[],
): readonly Combination[] {
  const good = options.filter((option) =>
    names.every((name, at) => columns.get(name)?.only?.includes(option[at] ?? "") !== false),
  );
  return good.length > 0 ? good : options;
}

/** The values that foreign keys leave to a column; those to the table itself, the keys that its rows are going to have. */
function offeredBy(
  keys: readonly PlannedKey[],
  { columns, offset, wanted }: TableValues,
): Map<string, string[]> {
  const offered = new Map<string, string[]>();
  for (const { key, options, kind } of keys) {
    key.columns.forEach((name, at) => {
      const own = columns.get(key.parentColumns[at]!);
      const coming =
        kind === "itself" && own !== undefined
          ? Array.from({ length: wanted }, (_, index) => own.plain(offset + index) ?? null)
          : [];
      const all = [...options.map((option) => option[at] ?? null), ...coming].filter((one) => one !== null);
      if (all.length > 0 && !offered.has(name)) offered.set(name, all);
    });
  }
  return offered;
}
