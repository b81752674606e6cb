import type { Operation, QualifiedName, RevisionBody } from "../model/operation";
import type { Revision } from "../model/revision";
import type { RuleContext } from "./rule";

/**
 * What the rules read of a revision. What it does to tables, columns and indexes that it makes itself is left out here,
 * once for all rules: nobody reads or writes them yet, and they are empty.
 */
export function contextOf(revision: Revision, body: RevisionBody, needsDowngrade: boolean): RuleContext {
  const upgrade = body.operations.filter(({ origin }) => origin.direction === "upgrade");
  const born = new Born();
  const operations = upgrade.filter((operation) => {
    const isNew = born.has(operation);
    born.learn(operation);
    return !isNew;
  });
  return {
    revision,
    needsDowngrade,
    operations,
    upgrade,
    downgrade: body.operations.filter(({ origin }) => origin.direction === "downgrade"),
  };
}

/** Names of what a revision has made so far; without a schema a name stands for itself in any. */
class Born {
  private readonly tables = new Set<string>();
  private readonly columns = new Set<string>();
  private readonly indexes = new Set<string>();

  learn(operation: Operation): void {
    switch (operation.kind) {
      case "createTable":
        this.tables.add(operation.table.name);
        return;
      case "createMaterializedView":
        this.tables.add(operation.view.name);
        return;
      case "renameTable":
        if (this.tables.has(operation.table.name)) this.tables.add(operation.to.name);
        return;
      case "dropTable":
        this.tables.delete(operation.table.name);
        return;
      case "addColumn":
        this.columns.add(columnKey(operation.table, operation.column.name));
        return;
      case "createIndex":
        if (operation.index !== undefined) this.indexes.add(operation.index);
        return;
      default:
    }
  }

  has(operation: Operation): boolean {
    if (operation.kind === "createTable" || operation.kind === "unknown") return false;
    if ("table" in operation && operation.table !== undefined && this.tables.has(operation.table.name))
      return true;
    if (operation.kind === "refreshView") return this.tables.has(operation.view.name);
    if (operation.kind === "dropIndex") return this.indexes.has(operation.index.name);
    if (operation.kind === "dropColumn" || operation.kind === "renameColumn")
      return this.columns.has(columnKey(operation.table, operation.column));
    return false;
  }
}

function columnKey(table: QualifiedName, column: string): string {
  return JSON.stringify([table.name, column]);
}
