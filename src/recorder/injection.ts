import type { ServerError } from "../model/statement";
import type { Frame } from "./frames";
import {
  closeStatementMessage,
  decodeError,
  firstColumn,
  flushMessage,
  parseMessage,
  runMessages,
  syncMessage,
} from "./messages";
import type { TransactionState } from "./recording";

/** Statements and portals of ours on the client's session; a client that used this name would be refused by itself. */
const prefix = "_migration_gate";

/** The first column of a statement's first row, once the server gave it. */
export interface Answer {
  row: Buffer | null;
}

/** The server refused one of our statements. */
export class InjectionError extends Error {
  constructor(readonly server: ServerError) {
    super(`${server.sqlstate}: ${server.message}`);
  }
}

/**
 * Asks on the client's own session while its ReadyForQuery is withheld. Extended protocol only and under
 * reserved names: a simple Query would destroy the client's unnamed statement (26000 at its next Bind).
 * In a transaction everything runs inside a savepoint that is rolled back, which also restores settings
 * and releases our own catalog locks; outside one it is a single implicit transaction (Flush, no Sync).
 */
export class Injector {
  /** The transaction's state as the last visit left it. */
  state: TransactionState = "I";
  private readonly kept = new Map<string, string>();
  /** Names of statements that may still be there and are not used any more. */
  private stale: string[] = [];
  private named = 0;
  private outgoing: Buffer[] = [];
  private waiting: { resolve(): void; reject(error: Error): void; until: "answer" | "ready" } | undefined;
  private row: Buffer | null = null;
  private unanswered: Answer[] = [];
  private sent = false;
  /** The conversation's end went out with the last question. */
  private left = false;
  private inTransaction = false;
  private error: ServerError | undefined;
  private gone: string | undefined;

  constructor(private readonly send: (bytes: Buffer) => void) {}

  /** Runs `work` under a savepoint; whatever happens the client's transaction is as it was. */
  async visit<T>(state: "I" | "T", work: () => Promise<T>): Promise<T> {
    const inTransaction = state === "T";
    this.inTransaction = inTransaction;
    this.error = undefined;
    this.sent = false;
    this.left = false;
    this.state = state;
    if (inTransaction) this.queue("savepoint", `SAVEPOINT ${prefix}`);
    try {
      const result = await work();
      if (!this.left) await this.leave();
      return result;
    } catch (error) {
      if (!this.left) await this.recover(inTransaction);
      throw error;
    }
  }

  /** One statement with text parameters; the first column of its first row. After the `last` one nothing can be asked. */
  async ask(name: string, sql: string, values: readonly string[], last = false): Promise<Buffer> {
    const answer = this.queue(name, sql, values);
    if (last) await this.leave();
    else await this.roundTrip("answer");
    if (answer.row === null) throw new Error(`no answer to ${name}`);
    return answer.row;
  }

  /** Goes out with the next statement that is asked, and is answered by then. */
  tell(name: string, sql: string): Answer {
    return this.queue(name, sql);
  }

  /** The client removed all prepared statements, ours among them (DEALLOCATE ALL, DISCARD ALL). */
  forget(): void {
    this.stale.push(...this.kept.values());
    this.kept.clear();
  }

  /** A message of the server while we ask. Returns true when the client must see it as well. */
  fromServer(frame: Frame): boolean {
    switch (frame.type) {
      case "D": {
        const column = firstColumn(frame);
        this.row ??= column === null ? null : Buffer.from(column);
        return false;
      }
      case "C": {
        const answer = this.unanswered.shift();
        if (answer !== undefined) answer.row = this.row;
        this.row = null;
        if (this.unanswered.length === 0 && this.waiting?.until === "answer") this.settle();
        return false;
      }
      case "E": {
        const error = decodeError(frame);
        this.error ??= error;
        if (this.waiting?.until === "answer") this.settle();
        return error.severity === "FATAL" || error.severity === "PANIC";
      }
      case "Z":
        this.state = String.fromCharCode(frame.raw[5]!) as TransactionState;
        if (this.waiting?.until === "ready") this.settle();
        return false;
      case "A":
        return true;
      default:
        return false;
    }
  }

  /** The server's connection is gone: what is asked, now or later, fails. */
  abort(reason: string): void {
    this.gone = reason;
    const waiting = this.waiting;
    this.waiting = undefined;
    waiting?.reject(new Error(reason));
  }

  private queue(name: string, sql: string, values: readonly string[] = []): Answer {
    let prepared = this.kept.get(sql);
    if (prepared === undefined) {
      prepared = `${prefix}_${name}_${++this.named}`;
      this.kept.set(sql, prepared);
      this.outgoing.push(parseMessage(prepared, sql));
    }
    this.outgoing.push(runMessages(prepared, values));
    const answer: Answer = { row: null };
    this.unanswered.push(answer);
    return answer;
  }

  private async leave(): Promise<void> {
    if (this.inTransaction) this.queueLeave();
    await this.roundTrip("ready");
    this.left = true;
  }

  private queueLeave(): void {
    this.queue("rollback", `ROLLBACK TO SAVEPOINT ${prefix}`);
    this.queue("release", `RELEASE SAVEPOINT ${prefix}`);
  }

  private async roundTrip(until: "answer" | "ready"): Promise<void> {
    if (this.gone !== undefined) throw new Error(this.gone);
    const closes = this.stale.splice(0).map(closeStatementMessage);
    const bytes = Buffer.concat([
      ...closes,
      ...this.outgoing,
      until === "ready" ? syncMessage : flushMessage,
    ]);
    this.outgoing = [];
    this.sent = true;
    await new Promise<void>((resolve, reject) => {
      this.waiting = { resolve, reject, until };
      this.send(bytes);
    });
    if (this.error !== undefined) throw new InjectionError(this.error);
  }

  private settle(): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    waiting?.resolve();
  }

  /** After an error the server skips until Sync, and what was prepared in the failed part may be missing. */
  private async recover(inTransaction: boolean): Promise<void> {
    this.drop();
    if (!this.sent || this.gone !== undefined) {
      // Nothing was sent: there is no savepoint to go back to, and what was to be prepared is not there.
      this.forget();
      return;
    }
    try {
      this.error = undefined;
      await this.roundTrip("ready").catch(() => undefined);
      this.drop();
      this.forget();
      this.error = undefined;
      if (inTransaction) this.queueLeave();
      await this.roundTrip("ready");
    } catch (error) {
      this.drop();
      this.forget();
      // SAVEPOINT itself was refused, e.g. by a statement_timeout of 1 ms.
      throw new Error(`the tool's transaction could not be restored: ${String(error)}`);
    }
  }

  private drop(): void {
    this.outgoing = [];
    this.unanswered = [];
    this.row = null;
  }
}
