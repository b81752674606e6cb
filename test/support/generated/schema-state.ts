import type { Random } from "../random";

export interface Column {
  readonly name: string;
  type: string;
  nullable: boolean;
  default: string | undefined;
  comment: string | undefined;
  /** References keep their type; an enum is changed by its own operations only. */
  readonly role: "plain" | "reference" | "enum";
  /** Indexes, constraints, views and policies that name it. */
  uses: number;
  /** True once anything of it was changed after it was made, or when a revision of its own made it. */
  hasHistory: boolean;
}

export interface Table {
  readonly name: string;
  readonly sequence: number;
  readonly columns: Column[];
  readonly indexes: { readonly name: string; readonly columns: readonly string[] }[];
  comment: string | undefined;
  rows: number;
  hasPolicy: boolean;
}

export interface EnumType {
  readonly name: string;
  readonly table: Table;
  readonly column: string;
  readonly labels: string[];
}

export interface Named {
  readonly name: string;
  /** What replaces it takes another number: the body, the filter, the increment. */
  version: number;
  readonly table?: Table;
}

/** The schema as far as the operations have built it. Names are never used twice. */
export class SchemaState {
  readonly tables: Table[] = [];
  readonly enums: EnumType[] = [];
  readonly functions: Named[] = [];
  readonly views: Named[] = [];
  readonly sequences: Named[] = [];
  counter = 0;
  /** Of two branches each keeps to its own half of the tables, so that any order of their revisions is right. */
  half: 0 | 1 | undefined;
  /** One revision touches an object once: otherwise one part of its downgrade could hide what another left. */
  readonly #touched = new Set<object>();

  constructor(readonly random: Random) {}

  beginRevision(half: 0 | 1 | undefined): void {
    this.#touched.clear();
    this.half = half;
  }

  name(prefix: string): string {
    return `${prefix}${++this.counter}`;
  }

  touch(item: object): void {
    this.#touched.add(item);
  }

  isTouched(item: object): boolean {
    return this.#touched.has(item);
  }

  isOurs(table: Table): boolean {
    return this.half === undefined || table.sequence % 2 === this.half;
  }

  /** One of these that this revision has not touched yet; now it has. */
  free<T extends object>(items: readonly T[], fits: (item: T) => boolean = () => true): T | undefined {
    const possible = items.filter((item) => !this.isTouched(item) && fits(item));
    if (possible.length === 0) return undefined;
    const item = this.random.pick(possible);
    this.touch(item);
    return item;
  }

  table(fits: (table: Table) => boolean = () => true): Table | undefined {
    return this.free(this.tables, (table) => this.isOurs(table) && fits(table));
  }

  tableAndColumn(fits: (column: Column) => boolean): [Table, Column] | undefined {
    const table = this.table((candidate) => candidate.columns.some(fits));
    return table && [table, this.random.pick(table.columns.filter(fits))];
  }
}
