import type { CoveredLines, OperationOrigin, Remark } from "../model/operation";
import type { SqlReading } from "../operations/read-sql";

const addressed = /migration-gate:\s*([\s\S]*)/;

/** `-- migration-gate: …` in SQL text. */
export function remarksIn(
  sql: string,
  { comments, statements }: SqlReading,
  at: (from: number, to: number) => OperationOrigin,
  covered: (from: number, to: number) => CoveredLines,
): Remark[] {
  return comments.flatMap(({ from, to }) => {
    const text = addressed.exec(sql.slice(from, to))?.[1]?.replace(/\*\/$/, "").trim();
    if (text === undefined) return [];
    const { file, line, column } = at(from, from + 1);
    const spoken = coveredBy(sql, from, to, statements);
    const covers = spoken === undefined ? undefined : covered(spoken.from, spoken.to);
    return [{ file, line, column, text, covers }];
  });
}

/** The statement that a comment is in, stands right before or ends the line of, else the one that follows it. */
function coveredBy(sql: string, from: number, to: number, statements: SqlReading["statements"]) {
  const next = statements.find((statement) => statement.from >= to);
  const isBefore =
    next !== undefined &&
    !sql.slice(from, next.from).includes("\n") &&
    !sql.slice(to, next.from).includes(";");
  const around = statements.findLast(
    (statement) =>
      statement.from < from &&
      (statement.to > from || (!isBefore && !sql.slice(statement.to, from).includes("\n"))),
  );
  return around ?? next;
}
