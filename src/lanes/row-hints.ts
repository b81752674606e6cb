import type { DatabaseFacts, TableFacts } from "../databases/postgres/table-facts";
import type { QualifiedName } from "../model/operation";
import { type ColumnName, namedLiterals } from "../operations/named-literals";
import type { DeployTry } from "./deploy-try";

/** Values that a change expects in columns of the base, by catalog key of table and column, e.g. `boards.cards.priority`. */
export type RowHints = ReadonlyMap<string, readonly string[]>;

type HintedTable = Pick<TableFacts, "key" | "schema" | "name" | "columns">;

/** What a text must look like to become another type's value. */
const samples: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(["int2", "int4", "int8"].map((name) => [name, ["1", "2", "3"]])),
  ...Object.fromEntries(["numeric", "float4", "float8"].map((name) => [name, ["1", "2.5", "3"]])),
  ...Object.fromEntries(["json", "jsonb"].map((name) => [name, ['{"a": 1}', "[]"]])),
  ...Object.fromEntries(
    ["date", "timestamp", "timestamptz"].map((name) => [name, ["2024-01-15", "2024-06-30"]]),
  ),
  bool: ["true", "false"],
  uuid: ["0e3f7a52-5b1c-4d3e-9f60-000000000001", "0e3f7a52-5b1c-4d3e-9f60-000000000002"],
  time: ["10:30:00", "23:15:00"],
  interval: ["1 day", "2 hours"],
  inet: ["10.1.0.1", "10.1.0.2"],
};

/** A column of generated data names more than anybody wants. */
const most = 40;

/** What is known of a change by what was tried of it. */
export function hintsOfTries(
  tries: readonly Pick<DeployTry, "up" | "down" | "again" | "tables">[],
  { tables, enums }: DatabaseFacts,
): RowHints {
  const legs = tries.flatMap(({ up, down, again }) => [up, down, again]);
  const texts = legs.flatMap((leg) => leg?.recording.statements ?? []).map(({ sql }) => sql);
  const all = [...tables, ...tries.flatMap((one) => one.tables ?? [])];
  return hintsOf([...new Set(texts)], { tables: all, enums });
}

/**
 * What these statements name: literals of CHECKs and conditions, labels of enums to which a column is cast, samples of other
 * types to which a text is cast, values that are inserted. Other tables and columns than these are left out.
 */
export function hintsOf(
  texts: readonly string[],
  { tables, enums }: { readonly tables: readonly HintedTable[]; readonly enums: DatabaseFacts["enums"] },
): RowHints {
  const { values, casts, labels } = namedLiterals(texts);
  const hints = new Map<string, string[]>();
  const add = (at: ColumnName, found: readonly string[], isForText: boolean): void => {
    for (const { key, columns } of tables.filter((table) => at.tables.some((name) => isNamed(table, name)))) {
      const column = columns.find(({ name, isText }) => name === at.column && (isText || !isForText));
      if (column === undefined) continue;
      const all = new Set([...(hints.get(`${key}.${column.key}`) ?? []), ...found]);
      hints.set(`${key}.${column.key}`, [...all].slice(0, most));
    }
  };
  for (const { at, type } of casts) {
    const known = [...(labels.get(type) ?? []), ...(enums[type] ?? [])];
    if (known.length > 0) add(at, known, false);
    else add(at, samples[type] ?? [], true);
  }
  for (const { at, values: found } of values) add(at, found, false);
  return hints;
}

/** Without a schema search_path decides, which nobody knows here. */
function isNamed({ schema, name }: HintedTable, wanted: QualifiedName): boolean {
  return name === wanted.name && (wanted.schema === undefined || wanted.schema === schema);
}
