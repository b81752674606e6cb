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
  private readonly kept = new Map<string, string>();
  private generation = 0;
  private outgoing: Buffer[] = [];
  private waiting: { resolve(): void; reject(error: Error): void; until: "answer" | "ready" } | undefined;
  private row: Buffer | null = null;
  private unanswered: Answer[] = [];
  private entered = false;
  private error: ServerError | undefined;
  private readyState: TransactionState = "I";

  constructor(private readonly send: (bytes: Buffer) => void) {}

  get active(): boolean {
    return this.waiting !== undefined;
  }

  /** Runs `work` under a savepoint; whatever happens the client's transaction is as it was. */
  async visit<T>(state: "I" | "T", work: () => Promise<T>): Promise<T> {
    const inTransaction = state === "T";
    this.error = undefined;
    this.entered = false;
    if (inTransaction) this.queue("savepoint", `SAVEPOINT ${prefix}`);
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.recover(inTransaction);
      throw error;
    }
    try {
      if (inTransaction) this.queueLeave();
      await this.roundTrip("ready");
    } catch (error) {
      await this.recover(inTransaction);
      throw error;
    }
    if (this.readyState !== state) throw new Error(`the injection changed the state to ${this.readyState}`);
    return result;
  }

  /** One statement with text parameters; the first column of its first row. */
  async ask(name: string, sql: string, values: readonly string[]): Promise<Buffer> {
    const answer = this.queue(name, sql, values);
    await this.roundTrip("answer");
    if (answer.row === null) throw new Error(`no answer to ${name}`);
    return answer.row;
  }

  /** Goes out with the next statement that is asked, and is answered by then. */
  tell(name: string, sql: string): Answer {
    return this.queue(name, sql);
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
        this.error = decodeError(frame);
        if (this.waiting?.until === "answer") this.settle();
        return this.error.severity === "FATAL" || this.error.severity === "PANIC";
      }
      case "Z":
        this.readyState = String.fromCharCode(frame.raw[5]!) as TransactionState;
        this.settle();
        return false;
      case "A":
        return true;
      default:
        return false;
    }
  }

  /** The connection is gone. */
  abort(reason: string): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    waiting?.reject(new Error(reason));
  }

  private queue(name: string, sql: string, values: readonly string[] = []): Answer {
    let prepared = this.kept.get(sql);
    if (prepared === undefined) {
      prepared = `${prefix}_${this.generation}_${name}_${this.kept.size}`;
      this.kept.set(sql, prepared);
      this.outgoing.push(parseMessage(prepared, sql));
    }
    this.outgoing.push(runMessages(prepared, values));
    const answer: Answer = { row: null };
    this.unanswered.push(answer);
    return answer;
  }

  private queueLeave(): void {
    this.queue("rollback", `ROLLBACK TO SAVEPOINT ${prefix}`);
    this.queue("release", `RELEASE SAVEPOINT ${prefix}`);
  }

  private async roundTrip(until: "answer" | "ready"): Promise<void> {
    const bytes = Buffer.concat([...this.outgoing, until === "ready" ? syncMessage : flushMessage]);
    this.outgoing = [];
    this.entered = true;
    await new Promise<void>((resolve, reject) => {
      this.waiting = { resolve, reject, until };
      this.send(bytes);
    });
    if (this.error !== undefined) throw new InjectionError(this.error);
  }

  private settle(): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting?.until === "ready" || this.error !== undefined) this.unanswered = [];
    waiting?.resolve();
  }

  /** After an error the server skips until Sync, and what was prepared in the failed part may be missing. */
  private async recover(inTransaction: boolean): Promise<void> {
    this.outgoing = [];
    this.unanswered = [];
    this.row = null;
    const stale = [...this.kept.values()];
    this.kept.clear();
    this.generation += 1;
    // Nothing was sent yet: there is no savepoint to go back to.
    if (!this.entered) return;
    try {
      this.error = undefined;
      await this.roundTrip("ready").catch(() => undefined);
      this.error = undefined;
      this.outgoing.push(...stale.map(closeStatementMessage));
      if (inTransaction) this.queueLeave();
      await this.roundTrip("ready");
    } catch (error) {
      throw new Error(`the client's transaction could not be restored: ${String(error)}`);
    }
  }
}
