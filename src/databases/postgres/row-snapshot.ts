import { type Client, escapeIdentifier } from "pg";
import type { RowSnapshot, RowValues, TableRows } from "../../model/rows";
import { isMember, isUserSchema, qualified } from "./catalog/fragments";

export interface RowReading {
  /** Tables that are left out, such as the version table, as in catalog keys: quoted and schema-qualified. */
  readonly skip?: ReadonlySet<string>;
  /** Of the tables that are read, on the server's disk: what is kept here. The largest tables are left unread first. Default 32 MB. */
  readonly mostBytes?: number;
}

interface FoundTable {
  /** As in catalog keys. */
  readonly name: string;
  readonly bytes: string;
  readonly partitioned: boolean;
  readonly columns: TableRows["columns"];
  readonly key: readonly string[];
  readonly readable: boolean;
  readonly foreign: boolean;
  /** Row security would hide rows from this role. */
  readonly hidden: boolean;
  /** The role may do with it what its owner may. */
  readonly owned: boolean;
}

/** One way to print every value, whatever the client and its role are set to; names of users cannot stand for others. */
const settings: Readonly<Record<string, string>> = {
  search_path: "pg_catalog, pg_temp",
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  bytea_output: "hex",
  xmloption: "content",
  extra_float_digits: "1",
  statement_timeout: "0",
  lock_timeout: "5s",
  jit: "off",
  max_parallel_workers_per_gather: "0",
  row_security: "off",
};

const settle = `select ${Object.entries(settings)
  .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`)
  .join(", ")}`;

/** pg_partition_tree holds the table itself, too. */
const parts = (what: string, where: string): string =>
  `(select ${what} from pg_partition_tree(c.oid) p join pg_class l on l.oid = p.relid where ${where})`;

const tablesStatement = `select ${qualified("n.nspname", "c.relname")} as name,
  case c.relkind when 'r' then pg_relation_size(c.oid) + case c.reltoastrelid when 0 then 0 else pg_relation_size(c.reltoastrelid) end
    else ${parts("coalesce(sum(pg_table_size(l.oid)), 0)", "l.relkind = 'r'")} end::text as bytes,
  c.relkind = 'p' as partitioned,
  coalesce((select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''), '[]') as columns,
  array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey[0:i.indnkeyatts - 1])
    where i.indrelid = c.oid and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)) as key,
  has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable,
  c.relkind = 'p' and exists ${parts("", "l.relkind = 'f'")} as foreign,
  row_security_active(c.oid) as hidden,
  pg_has_role(c.relowner, 'usage') as owned
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't' and ${isUserSchema("n")} and not ${isMember("pg_class", "c.oid")}
order by n.nspname, c.relname`;

/**
 * All rows of all tables as of one moment: of partitioned tables by their root; not of views, foreign tables, temporary
 * ones, an extension's. Needs a connection of its own that is in no transaction, and leaves it as it was; a role without
 * superuser is enough. What it cannot or shall not read stands in the snapshot with the reason. Tried on PostgreSQL 14 to 18.
 */
export async function readRows(client: Client, options: RowReading = {}): Promise<RowSnapshot> {
  await client.query("begin isolation level repeatable read read write");
  try {
    await client.query(settle);
    const { rows: all } = await client.query<FoundTable>(tablesStatement);
    const wanted = all.filter(({ name }) => options.skip?.has(name) !== true);
    const reasons = new Map<FoundTable, string>();
    for (const table of wanted) {
      const reason = unreadable(table);
      if (reason !== undefined) reasons.set(table, reason);
    }
    leaveLargest(wanted, reasons, options.mostBytes ?? 32 * 1024 * 1024);
    const read = wanted.filter((table) => !reasons.has(table));
    await liftRowSecurity(client, read);
    const values = await readAll(client, read);
    const counted = wanted.filter((table) => reasons.get(table) === tooLarge);
    await liftRowSecurity(client, counted);
    const counts = await countAll(client, counted);
    return new Map(
      wanted.map((table) => {
        const { name, columns, key } = table;
        const reason = reasons.get(table);
        const unread = reason === undefined ? {} : { unread: { reason, rows: counts.get(table) } };
        return [name, { table: name, columns, key, rows: values.get(table) ?? [], ...unread }];
      }),
    );
  } finally {
    // Sets the settings back, and row security with them.
    await client.query("rollback");
  }
}

const tooLarge = "it is among the largest tables, which together are too large to be kept";

function unreadable({ readable, foreign, hidden, owned }: FoundTable): string | undefined {
  if (!readable) return "the role may not read it";
  if (foreign) return "a partition of it is a foreign table";
  return hidden && !owned ? "its row security hides rows from the role" : undefined;
}

/** Of the smallest tables the sum is below the limit. */
function leaveLargest(tables: readonly FoundTable[], reasons: Map<FoundTable, string>, limit: number): void {
  const bySize = tables
    .filter((table) => !reasons.has(table))
    .sort((a, b) => Number(a.bytes) - Number(b.bytes));
  let sum = 0;
  for (const table of bySize) {
    sum += Number(table.bytes);
    if (sum > limit) reasons.set(table, tooLarge);
  }
}

/** An owner is bound by it only where it is forced; the rollback forces it again. */
async function liftRowSecurity(client: Client, tables: readonly FoundTable[]): Promise<void> {
  for (const { name } of tables.filter(({ hidden }) => hidden)) {
    await client.query(`alter table ${name} no force row level security`);
  }
}

async function readAll(
  client: Client,
  tables: readonly FoundTable[],
): Promise<ReadonlyMap<FoundTable, RowValues[]>> {
  const found = new Map(tables.map((table): [FoundTable, RowValues[]] => [table, []]));
  // An array, because json_build_array takes 100 arguments at most.
  const rows = await selectAll<RowValues>(client, tables, (table) => {
    const columns = table.columns.map(({ name }) => `x.${escapeIdentifier(name)}::text`);
    return `array_to_json(array[${columns.join(",")}]::text[]) from ${source(table)} x`;
  });
  for (const [table, values] of rows) found.get(table)!.push(values);
  return found;
}

async function countAll(
  client: Client,
  tables: readonly FoundTable[],
): Promise<ReadonlyMap<FoundTable, number>> {
  return new Map(
    await selectAll<number>(client, tables, (table) => `count(*)::float8 from ${source(table)}`),
  );
}

/** Above this the server plans a UNION longer than it takes to ask again (3,000 tables at once: 8 s on PostgreSQL 15). */
const atOnce = 200;

async function selectAll<Value>(
  client: Client,
  tables: readonly FoundTable[],
  select: (table: FoundTable) => string,
): Promise<[FoundTable, Value][]> {
  const found: [FoundTable, Value][] = [];
  for (let first = 0; first < tables.length; first += atOnce) {
    const some = tables.slice(first, first + atOnce);
    const { rows } = await client.query<[number, Value]>({
      text: some.map((table, index) => `select ${index}, ${select(table)}`).join(" union all "),
      rowMode: "array",
    });
    for (const [index, value] of rows) found.push([some[index]!, value]);
  }
  return found;
}

/** Tables that inherit keep rows of their own and are read by themselves. */
function source({ name, partitioned }: FoundTable): string {
  return partitioned ? name : `only ${name}`;
}
