import { parseSync } from "libpg-query";
import type { Revision } from "../model/revision";
import type { RecordedStatement } from "../model/statement";
import type { RecordedStep } from "./steps";

/**
 * The statement by which a revision's own text ended the transaction that the tool had begun: it ran, and it stands
 * in the revision. The driver's COMMIT of an autocommit block has the same text, but no call in the revision.
 */
export function ownTransactionEnd(
  step: Pick<RecordedStep, "direction" | "statements">,
  revision: Revision | undefined,
): RecordedStatement | undefined {
  const ended = step.statements.filter(({ sql, error }) => error === undefined && endsTransaction(sql));
  // To ask a revision for its calls is to parse its file.
  if (ended.length === 0) return undefined;
  const calls = revision?.[step.direction]?.calls ?? [];
  const texts = new Set(calls.flatMap(({ literals }) => literals.map(normal)));
  return ended.find(({ sql }) => texts.has(normal(sql)));
}

function normal(sql: string): string {
  return sql.trim().replace(/;$/, "").trimEnd().toLowerCase();
}

const ends = new Set(["TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"]);

/** By the grammar: END is also a word of PL/pgSQL. */
function endsTransaction(sql: string): boolean {
  if (!/\b(?:commit|rollback|abort|end)\b/i.test(sql)) return false;
  try {
    return (parseSync(sql).stmts ?? []).some(
      ({ stmt }) =>
        stmt !== undefined && "TransactionStmt" in stmt && ends.has(stmt.TransactionStmt.kind ?? ""),
    );
  } catch {
    return false;
  }
}
