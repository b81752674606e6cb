import { escapeIdentifier } from "pg";
import type { TableFacts } from "../databases/postgres/table-facts";
import type { RowLevel } from "../model/deploy-lane";
import type { RowSettings, TableRowSettings, TableSteering, UnusedRowSetting } from "../model/row-settings";
import type { FilledTable, RowTier } from "../model/rows";
import { near } from "../nearest";

export type NamedTable = Pick<TableFacts, "key" | "schema" | "name" | "columns">;

/** What a fill is told, of a level that puts rows in. */
export interface Steering {
  readonly tier: RowTier;
  readonly rows: number;
  /** By table, as in catalog keys. */
  readonly tables: ReadonlyMap<string, TableSteering>;
}

/** Few rows show what a statement does with them; more would only take longer. */
const rowsPerTable = 10;

/**
 * The project's settings for these tables. A level is never made wilder by them: where plain rows or a single one are
 * asked for, all tables have these.
 */
export function steeringFor(
  level: Exclude<RowLevel, "landed">,
  settings: RowSettings | undefined,
  tables: readonly NamedTable[],
): Steering {
  const standard = settings?.default ?? {};
  const tierOf = ({ tier }: TableSteering): RowTier => (level === "hostile" ? (tier ?? "hostile") : "plain");
  const rowsOf = ({ rows }: TableSteering): number => (level === "single" ? 1 : (rows ?? rowsPerTable));
  const steered = (settings?.tables ?? []).flatMap((own): [string, TableSteering][] => {
    const table = meant(own.table, tables);
    if (table === undefined) return [];
    const { table: _, line: __, values, unique, notNull, ...rest } = { ...standard, ...own };
    return [
      [
        table.key,
        {
          ...rest,
          rows: rowsOf({ ...standard, ...own }),
          tier: tierOf({ ...standard, ...own }),
          values: Object.fromEntries(
            Object.entries(values ?? {}).map(([column, list]) => [columnNamed(column, table), list]),
          ),
          unique: (unique ?? []).map((column) => columnNamed(column, table)),
          notNull: (notNull ?? []).map((column) => columnNamed(column, table)),
        },
      ],
    ];
  });
  return { tier: tierOf(standard), rows: rowsOf(standard), tables: new Map(steered) };
}

/** Entries that mean no table or column of these, or no single one; `tables` are those of every schema that was filled. */
export function unusedRowSettings(
  settings: RowSettings | undefined,
  tables: readonly NamedTable[],
): UnusedRowSetting[] {
  return (settings?.tables ?? []).flatMap((own): UnusedRowSetting[] => {
    const found = tablesNamed(own.table, tables);
    const [table] = found;
    if (table === undefined || new Set(found.map(({ key }) => key)).size > 1) {
      const names = tables.flatMap(({ key, name }) => (own.table.includes(".") ? key : name));
      return [
        {
          table: own.table,
          column: undefined,
          line: own.line,
          among: [...new Set(found.map(({ key }) => key))],
          nearest: table === undefined ? near(own.table, names) : undefined,
        },
      ];
    }
    const columns = [...new Set(found.flatMap(({ columns }) => columns.map(({ name }) => name)))];
    return columnsOf(own)
      .filter((column) => !columns.some((name) => isName(column, name)))
      .map((column) => ({
        table: own.table,
        column,
        line: own.line,
        among: [table.key],
        nearest: near(column, columns),
      }));
  });
}

/** Values that the server does not take for their column, as a fill of the base met them. */
export function refusedValues(
  settings: RowSettings | undefined,
  tables: readonly NamedTable[],
  filled: readonly FilledTable[],
): UnusedRowSetting[] {
  const refusals = new Map(filled.map(({ table, refused }) => [table, refused ?? []]));
  return (settings?.tables ?? []).flatMap((own) => {
    const key = meant(own.table, tables)?.key ?? "";
    return (refusals.get(key) ?? []).map(({ column, values }) => ({
      table: own.table,
      column,
      line: own.line,
      among: [key],
      refused: values,
      nearest: undefined,
    }));
  });
}

function columnsOf({ values, unique, notNull }: TableRowSettings): string[] {
  return [...new Set([...Object.keys(values ?? {}), ...(unique ?? []), ...(notNull ?? [])])];
}

/** The one table that is meant; a name without a schema that several tables have means none. */
function meant(written: string, tables: readonly NamedTable[]): NamedTable | undefined {
  const [table, ...others] = tablesNamed(written, tables);
  return others.length === 0 ? table : undefined;
}

function tablesNamed(written: string, tables: readonly NamedTable[]): NamedTable[] {
  return tables.filter(
    ({ key, schema, name }) => written === key || written === `${schema}.${name}` || isName(written, name),
  );
}

function isName(written: string, name: string): boolean {
  return written === name || written === escapeIdentifier(name);
}

function columnNamed(written: string, { columns }: NamedTable): string {
  return columns.find(({ name }) => isName(written, name))?.name ?? written;
}
