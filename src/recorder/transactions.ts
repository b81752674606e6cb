import { parseSync } from "libpg-query";
import type { Boundary, TransactionState } from "./recording";

/** What the server did of a transaction statement, and the savepoint that it named. */
interface Command {
  readonly kind: "begin" | "commit" | "rollback" | "rollback to" | "savepoint" | "release" | "prepare";
  readonly name: string;
}

/** One statement text with the command tags that came for it. */
export interface Answered {
  readonly sql: string;
  readonly tags: readonly string[];
}

/** Command tags of transaction statements; COMMIT of a failed transaction answers ROLLBACK. */
const tagKinds: Readonly<Record<string, Command["kind"]>> = {
  BEGIN: "begin",
  "START TRANSACTION": "begin",
  COMMIT: "commit",
  ROLLBACK: "rollback",
  SAVEPOINT: "savepoint",
  RELEASE: "release",
  "PREPARE TRANSACTION": "prepare",
};

/** Boundaries of one connection whose transaction is still open, and which of its savepoints lies before which. */
export class OpenTransaction {
  private pending: Boundary[] = [];
  private savepoints: { readonly name: string; readonly boundaries: number }[] = [];

  add(boundary: Boundary): void {
    this.pending.push(boundary);
  }

  /** Sets the outcome of boundaries that a unit decided; returns those that it rolled back, newest first. */
  ended(unit: readonly Answered[], state: TransactionState): Boundary[] {
    const lost: Boundary[] = [];
    for (const answered of unit) {
      if (answered.tags.length === 0) continue;
      for (const command of commandsOf(answered, state)) this.apply(command, lost);
    }
    // COMMIT that failed has no tag.
    if (state === "I") this.drop(0, lost);
    return lost;
  }

  private apply({ kind, name }: Command, lost: Boundary[]): void {
    const at = this.savepoints.findLastIndex((savepoint) => savepoint.name === name);
    switch (kind) {
      case "begin":
        return;
      case "commit":
        for (const boundary of this.pending) boundary.outcome = "committed";
        this.pending = [];
        this.savepoints = [];
        return;
      case "savepoint":
        this.savepoints.push({ name, boundaries: this.pending.length });
        return;
      case "release":
        if (at >= 0) this.savepoints.length = at;
        return;
      case "rollback to":
        // A savepoint that is not known: nothing of the transaction is sure.
        this.drop(this.savepoints[at]?.boundaries ?? 0, lost);
        this.savepoints.length = at + 1;
        return;
      default:
        this.drop(0, lost);
        this.savepoints = [];
    }
  }

  private drop(from: number, lost: Boundary[]): void {
    for (const boundary of this.pending.splice(from).reverse()) {
      boundary.outcome = "rolled back";
      lost.push(boundary);
    }
  }
}

function commandsOf({ sql, tags }: Answered, state: TransactionState): Command[] {
  const kinds = tags.flatMap((tag) => tagKinds[tag] ?? []);
  const named = kinds.some((kind) => kind === "savepoint" || kind === "release" || kind === "rollback");
  // The name does not matter, or there is only one thing that a ROLLBACK can be.
  if (!named || (kinds.length === 1 && kinds[0] === "rollback" && state === "I")) {
    return kinds.map((kind) => ({ kind, name: "" }));
  }
  const written = transactionStatements(sql);
  return kinds.map((kind, index) => {
    const statement = written[index];
    const name = statement?.savepoint_name ?? "";
    return kind === "rollback" && (statement === undefined || statement.kind === "TRANS_STMT_ROLLBACK_TO")
      ? { kind: "rollback to", name }
      : { kind, name };
  });
}

interface TransactionStatement {
  readonly kind?: string;
  readonly savepoint_name?: string;
}

/** The transaction statements of a text, in order; none when it does not parse here. */
function transactionStatements(sql: string): TransactionStatement[] {
  try {
    return (parseSync(sql).stmts ?? []).flatMap(({ stmt }) =>
      stmt !== undefined && "TransactionStmt" in stmt ? [stmt.TransactionStmt as TransactionStatement] : [],
    );
  } catch {
    return [];
  }
}
