import { parseSync } from "libpg-query";
import type { Revision } from "../model/revision";
import type { RecordedStatement } from "../model/statement";
import type { RecordedStep } from "./steps";

/**
 * The statement by which a revision's own text ended the transaction that the tool had begun: it ran, and it stands
 * in the revision. The driver's COMMIT of an autocommit block has the same text, but no call in the revision. `textOf` reads
 * a file of the project.
 */
export function ownTransactionEnd(
  step: Pick<RecordedStep, "direction" | "statements">,
  revision: Revision | undefined,
  textOf: (file: string) => string,
): RecordedStatement | undefined {
  const ended = step.statements.filter(({ sql, error }) => error === undefined && endsTransaction(sql));
  const own = ended.length === 0 ? undefined : revision?.[step.direction];
  if (own === undefined) return undefined;
  // To ask it for its calls is to parse its file, and most have no such word.
  const text = textOf(own.file).toLowerCase();
  if (!ended.some(({ sql }) => text.includes(word.exec(sql)?.[0].toLowerCase() ?? ""))) return undefined;
  const texts = new Set((own.calls ?? []).flatMap(({ literals }) => literals.map(normal)));
  return ended.find(({ sql }) => texts.has(normal(sql)));
}

function normal(sql: string): string {
  return sql.trim().replace(/;$/, "").trimEnd().toLowerCase();
}

const word = /\b(?:commit|rollback|abort|end)\b/i;
const ends = new Set(["TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"]);

/** By the grammar: END is also a word of PL/pgSQL. */
function endsTransaction(sql: string): boolean {
  if (!word.test(sql)) return false;
  try {
    return (parseSync(sql).stmts ?? []).some(
      ({ stmt }) =>
        stmt !== undefined && "TransactionStmt" in stmt && ends.has(stmt.TransactionStmt.kind ?? ""),
    );
  } catch {
    return false;
  }
}
