import type { ColumnDef, Constraint, RangeVar } from "libpg-query";
import type { DataQuery } from "../model/rows";
import { defaultOf } from "./column";
import { type Mentioned, mentionedIn, quoted, quotedTable, typeSql } from "./data-query-names";
import type { StatementText } from "./data-query-text";
import { nameOf } from "./names";

/** A list shows this many rows and says no more. */
export const shown = "LIMIT 20";

/** A query without its SQL; `only` leaves out the tables that inherit. */
export type Asked = Omit<DataQuery, "functions" | "sql"> & {
  readonly only?: boolean;
  readonly alias?: string;
};

/**
 * The table that a statement is about, as a query's FROM. Columns that the statement itself adds are put to it with the
 * value that every row will get, so that constraints on them can be asked for on a database that does not have them.
 */
export class AskedTable {
  readonly name: string;
  readonly #only: string;
  /** undefined: what the rows will get cannot be told. */
  readonly #added = new Map<string, string | undefined>();
  readonly #functions: string[] = [];

  constructor(
    readonly relation: RangeVar | undefined,
    readonly text: StatementText,
  ) {
    this.name = quotedTable(nameOf(relation));
    this.#only = relation?.inh === true ? "" : "ONLY ";
  }

  /** A column that the same statement adds; `again`: it drops one of that name, too. */
  add(column: ColumnDef, again: boolean): void {
    const filled = (column.constraints ?? []).flatMap((node) =>
      "Constraint" in node ? [node.Constraint] : [],
    );
    const value = again ? undefined : this.#valueOf(column, filled);
    this.#added.set(column.colname ?? "", value);
  }

  isAdded(column: string): boolean {
    return this.#added.has(column);
  }

  #valueOf(column: ColumnDef, constraints: readonly Constraint[]): string | undefined {
    const type = typeSql(column.typeName);
    const made = constraints.find(({ contype = "" }) =>
      ["CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY"].includes(contype),
    );
    if (
      type === undefined ||
      /^"(?:big|small)?serial[248]?"$/.test(type) ||
      made?.contype === "CONSTR_IDENTITY"
    )
      return;
    if (made === undefined) return `NULL::${type}`;
    const { functions, hasQuery } = mentionedIn(made.raw_expr);
    const isGenerated = made.contype === "CONSTR_GENERATED";
    // A function that is called once a row gives other values each time.
    if (hasQuery || made.raw_expr === undefined) return;
    if (!isGenerated && ["volatile", "unknown"].includes(defaultOf(made.raw_expr))) return;
    this.#functions.push(...functions);
    const start = this.text.at(made.location);
    if (isGenerated) {
      const open = this.text.find("(", start) ?? start;
      return `${this.text.expression(open + 1, this.text.closing(open))}::${type}`;
    }
    const next = constraints
      .map(({ location = 0 }) => location)
      .concat(column.collClause?.location ?? 0)
      .filter((location) => location > (made.location ?? 0));
    const comma = this.text.find(",", start) ?? this.text.end;
    const end = Math.min(comma, ...next.map((location) => this.text.at(location)));
    return `${this.text.expression(start + 1, end)}::${type}`;
  }

  /** FROM's table, by its own name or `alias`; undefined where a column is named whose values cannot be told. */
  from(columns: readonly string[], only = false, alias?: string): string | undefined {
    const named = columns.filter((column) => this.#added.has(column));
    const table = `${only ? "ONLY " : this.#only}${this.name}`;
    if (named.length === 0) return alias === undefined ? table : `${table} AS ${alias}`;
    const values = named.map((column) => this.#added.get(column));
    if (values.includes(undefined)) return undefined;
    const own = quoted(this.relation?.relname);
    const columnsSql = named.map((column, index) => `${values[index]} AS ${quoted(column)}`);
    return `(SELECT ${own}.*, ${columnsSql.join(", ")} FROM ${table}) AS ${alias ?? own}`;
  }

  /** A query about columns and expressions of this table; none where it cannot be asked. */
  ask(
    { columns, functions, hasQuery }: Mentioned,
    { only, alias, ...query }: Asked,
    sql: (from: string) => string,
  ): DataQuery[] {
    const from = this.from(columns, only, alias);
    if (from === undefined || hasQuery) return [];
    const own = columns.some((column) => this.#added.has(column)) ? this.#functions : [];
    return [{ ...query, sql: sql(from), functions: [...new Set([...functions, ...own])] }];
  }
}
