import type { RecordedStep } from "../evidence/steps";
import { identityOf } from "../model/catalog";
import type { RowLoss } from "../model/rows";

/**
 * Whether a step's own statements speak of what was lost: they drop the table or column, or delete from or update the
 * table by name. What goes by a cascade, or by a cast, is said nowhere.
 */
export function saysSo(step: RecordedStep, { table, column, kind }: RowLoss): boolean {
  const drops = step.changes.some(
    ({ key, after }) =>
      after === undefined &&
      (identityOf(key) === table || (column !== undefined && identityOf(key).startsWith(`${table}.`))),
  );
  if (kind === "table gone" || kind === "column gone") return drops;
  const name = lastName(table);
  return step.statements.some(
    ({ sql }) => /^\s*(?:with\b|delete\b|truncate\b|update\b|do\b|merge\b)/i.test(sql) && hasName(sql, name),
  );
}

/** Whether a statement names a table, quoted as the server does, in whatever way. */
export function namesTable(sql: string, table: string): boolean {
  return hasName(sql, lastName(table));
}

function lastName(table: string): string {
  const quoted = /"((?:[^"]|"")+)"$/.exec(table)?.[1];
  return quoted?.replaceAll('""', '"') ?? table.slice(table.lastIndexOf(".") + 1);
}

function hasName(sql: string, name: string): boolean {
  const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w$])${pattern}(?![\\w$])`, "i").test(sql);
}
