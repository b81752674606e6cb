import type { Change, QualifiedName } from "../model/operation";

/** Whether two names stand for one table. */
export type SameTable = (left: QualifiedName, right: QualifiedName) => boolean;

/** Without a schema a name stands for itself in any: for what is only read. */
export const maybeSame: SameTable = (left, right) =>
  left.name === right.name &&
  (left.schema === undefined || right.schema === undefined || left.schema === right.schema);

/** Without a schema a name is public's, where nothing else is known: for what a server saw. */
export const surelySame: SameTable = (left, right) =>
  left.name === right.name && (left.schema ?? "public") === (right.schema ?? "public");

interface Column {
  readonly table: QualifiedName;
  readonly name: string;
}

/**
 * What a revision has made so far. With IF NOT EXISTS it may have been there before with all its rows, so that nothing is
 * learned from that.
 */
export class Born {
  private tables: QualifiedName[] = [];
  private columns: Column[] = [];
  private readonly indexes: QualifiedName[] = [];

  constructor(private readonly same: SameTable) {}

  learn(change: Change): void {
    switch (change.kind) {
      case "createTable":
        if (change.ifNotExists !== true) this.tables.push(change.table);
        return;
      case "createMaterializedView":
        if (change.ifNotExists !== true) this.tables.push(change.view);
        return;
      case "renameTable":
        this.rename(change.table, change.to);
        return;
      case "dropTable":
        this.tables = this.tables.filter((table) => !this.same(table, change.table));
        return;
      case "addColumn":
        if (change.ifNotExists !== true) this.columns.push({ table: change.table, name: change.column.name });
        return;
      case "createIndex":
        if (change.index !== undefined && (change.ifNotExists !== true || this.hasTable(change.table)))
          this.indexes.push({ schema: change.table.schema, name: change.index });
        return;
      default:
    }
  }

  /** True where a change is of nothing but what was made before it. */
  has(change: Change): boolean {
    if (change.kind === "createTable" || change.kind === "unknown") return false;
    if ("table" in change && change.table !== undefined && this.hasTable(change.table)) return true;
    if (change.kind === "refreshView") return this.hasTable(change.view);
    if (change.kind === "dropIndex") return this.indexes.some((index) => this.same(index, change.index));
    if (change.kind === "dropColumn" || change.kind === "renameColumn")
      return this.columns.some(({ table, name }) => name === change.column && this.same(table, change.table));
    return false;
  }

  hasTable(name: QualifiedName): boolean {
    return this.tables.some((table) => this.same(table, name));
  }

  private rename(from: QualifiedName, to: QualifiedName): void {
    const renamed = (table: QualifiedName): QualifiedName => (this.same(table, from) ? to : table);
    this.tables = this.tables.map(renamed);
    this.columns = this.columns.map(({ table, name }) => ({ table: renamed(table), name }));
  }
}
