import type { RecordedStep } from "../evidence/steps";
import type { RowLoss } from "../model/rows";
import { hasWord, lastPart } from "./names";

/**
 * Whether a step's own statements speak of what was lost: they drop the table or column by name, or delete from or update
 * the table. What goes by a cascade, or by a cast, is said nowhere.
 */
export function saysSo({ statements }: Pick<RecordedStep, "statements">, loss: RowLoss): boolean {
  const { table, column, kind } = loss;
  const isGone = kind === "table gone" || kind === "column gone";
  const verb = isGone ? /\bdrop\b/i : /^\s*(?:with\b|delete\b|truncate\b|update\b|do\b|merge\b)/i;
  return statements.some(
    ({ sql }) =>
      verb.test(sql) &&
      namesTable(sql, table) &&
      (kind !== "column gone" || column === undefined || hasWord(sql, column, "i")),
  );
}

/** Whether a statement names a table, quoted as the server does, in whatever way. */
export function namesTable(sql: string, table: string): boolean {
  return hasWord(sql, lastPart(table), "i");
}
