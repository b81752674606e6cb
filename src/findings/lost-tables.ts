import type { Operation } from "../model/operation";
import type { Squash } from "../revisions/squash";
import type { HistoryContext } from "./history-words";

/**
 * Tables that the squashed revisions made and that no new text makes: a new database would not have them. By their names
 * alone, because a schema may come from search_path; none where a part of the new texts is known only when it runs.
 */
export function lostTables({ squashed, rewritten }: Squash, context: HistoryContext): string[] {
  const { history, revisions } = context;
  const kept = new Set(rewritten.map(({ id }) => id));
  const now = revisions
    .filter(({ id }) => kept.has(id) || history.states.get(id) === "new")
    .flatMap((revision) => upgradeOf(context.textOf(revision).operations));
  if (now.some(({ kind }) => kind === "unknown")) return [];
  const before = squashed.flatMap(({ id }) => {
    const landed = history.landed.get(id);
    return landed === undefined ? [] : upgradeOf(context.landedTextOf(landed).operations);
  });
  const made = tablesAfter(now);
  return [...tablesAfter(before)].filter((name) => !made.has(name));
}

function upgradeOf(operations: readonly Operation[]): Operation[] {
  return operations.filter(({ origin }) => origin.direction === "upgrade");
}

function tablesAfter(operations: readonly Operation[]): Set<string> {
  const tables = new Set<string>();
  for (const operation of operations) {
    if (operation.kind === "createTable") tables.add(operation.table.name);
    if (operation.kind === "dropTable") tables.delete(operation.table.name);
    if (operation.kind === "renameTable" && tables.delete(operation.table.name))
      tables.add(operation.to.name);
  }
  return tables;
}
