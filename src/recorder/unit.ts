import type { BoundValue, RecordedStatement } from "../model/statement";
import { BodyReader, bodyOf, type Frame } from "./frames";
import { decodeBind, decodeError, decodeParse } from "./messages";
import type { Recording, TransactionState } from "./recording";

/** COPY data is kept for the replay up to this many bytes a statement. */
const keptCopyBytes = 4 << 20;

interface Prepared {
  readonly sql: string;
  readonly types: readonly number[];
}

interface Portal extends Prepared {
  readonly values: readonly BoundValue[];
}

/** What the server still owes an answer for, in the order it was sent. */
type Pending =
  | { readonly kind: "parse"; readonly source: Portal }
  | { readonly kind: "bind"; readonly source: Portal }
  | { readonly kind: "describe" }
  | { readonly kind: "close" }
  | { readonly kind: "call" }
  | { readonly kind: "execute"; readonly statement: RecordedStatement }
  | { readonly kind: "query"; readonly statement: RecordedStatement };

/**
 * Follows one connection's messages in both directions and turns them into recorded statements. A unit is
 * what ends with one ReadyForQuery: a simple Query, or everything up to a Sync.
 */
export class UnitTracker {
  /** Statements of the unit under way, with the command tags that the server gave each. */
  unit: { readonly statement: RecordedStatement; readonly tags: string[] }[] = [];
  /** True between the message that ends a unit and its ReadyForQuery. */
  awaitingReady = false;
  /** True while the client sends COPY data. */
  copying = false;
  state: TransactionState = "I";
  transaction = 0;

  private readonly prepared = new Map<string, Prepared>();
  private readonly portals = new Map<string, Portal>();
  private pending: Pending[] = [];
  private readonly started = new Map<RecordedStatement, number>();
  private copied: { chunks: Buffer[]; bytes: number } | undefined;

  constructor(
    private readonly connection: number,
    private readonly recording: () => Recording,
    private readonly numbers: { statement(): number; transaction(): number },
  ) {}

  fromClient(frame: Frame): void {
    switch (frame.type) {
      case "Q": {
        this.prepared.delete("");
        this.portals.delete("");
        const sql = new BodyReader(bodyOf(frame)).text();
        const statement = this.begin("simple", { sql, types: [], values: [] });
        this.pending.push({ kind: "query", statement });
        this.awaitingReady = true;
        break;
      }
      case "P": {
        const { name, sql, types } = decodeParse(frame);
        this.prepared.set(name, { sql, types });
        this.pending.push({ kind: "parse", source: { sql, types, values: [] } });
        break;
      }
      case "B": {
        const { portal, statement, values } = decodeBind(frame);
        const source = { ...(this.prepared.get(statement) ?? { sql: "", types: [] }), values };
        this.portals.set(portal, source);
        this.pending.push({ kind: "bind", source });
        break;
      }
      case "E": {
        const portal = this.portals.get(new BodyReader(bodyOf(frame)).text());
        const statement = this.begin("extended", portal ?? { sql: "", types: [], values: [] });
        this.pending.push({ kind: "execute", statement });
        break;
      }
      case "D":
        this.pending.push({ kind: "describe" });
        break;
      case "C": {
        const reader = new BodyReader(bodyOf(frame));
        const closed = reader.byte() === 0x53 ? this.prepared : this.portals;
        closed.delete(reader.text());
        this.pending.push({ kind: "close" });
        break;
      }
      case "F":
        this.pending.push({ kind: "call" });
        this.awaitingReady = true;
        break;
      case "S":
        // While COPY data flows the server throws Sync away (manual 55.2.6).
        if (!this.copying) this.awaitingReady = true;
        break;
      case "d":
        this.keepCopy(bodyOf(frame));
        break;
      case "c":
      case "f":
        this.endCopy();
        break;
    }
  }

  /** Everything but ReadyForQuery. */
  fromServer(frame: Frame): void {
    const head = this.pending[0];
    switch (frame.type) {
      case "1":
      case "2":
      case "3":
      case "V":
        this.pending.shift();
        break;
      case "n":
      case "T":
        if (head?.kind === "describe") this.pending.shift();
        break;
      case "C":
        this.complete(head, new BodyReader(bodyOf(frame)).text());
        break;
      case "I":
      case "s":
        this.complete(head, "");
        break;
      case "G":
        this.copying = true;
        // The Sync that a driver sent together with Execute is thrown away by the server.
        if (head?.kind === "execute") this.awaitingReady = false;
        this.copied = { chunks: [], bytes: 0 };
        break;
      case "E":
        this.fail(head, frame);
        break;
    }
  }

  /** Ends the unit; returns what it held. */
  ready(state: TransactionState): UnitTracker["unit"] {
    const unit = this.unit;
    for (const { statement } of unit) this.stopClock(statement);
    this.state = state;
    this.unit = [];
    this.pending = [];
    this.started.clear();
    this.awaitingReady = false;
    this.copying = false;
    return unit;
  }

  private begin(protocol: "simple" | "extended", source: Portal): RecordedStatement {
    if (this.state === "I" && this.unit.length === 0) this.transaction = this.numbers.transaction();
    const statement: RecordedStatement = {
      sequence: this.numbers.statement(),
      connection: this.connection,
      transaction: this.transaction,
      protocol,
      sql: source.sql,
      values: source.values,
      valueTypes: source.types,
      autocommit: this.state === "I",
      milliseconds: 0,
      rows: undefined,
      error: undefined,
    };
    this.recording().statements.push(statement);
    this.unit.push({ statement, tags: [] });
    this.started.set(statement, performance.now());
    return statement;
  }

  private complete(head: Pending | undefined, tag: string): void {
    if (head?.kind !== "execute" && head?.kind !== "query") return;
    const entry = this.unit.find(({ statement }) => statement === head.statement);
    if (tag !== "") entry?.tags.push(tag);
    const rows = /(\d+)$/.exec(tag)?.[1];
    if (rows !== undefined) head.statement.rows = (head.statement.rows ?? 0) + Number(rows);
    if (head.kind === "execute") {
      this.stopClock(head.statement);
      this.pending.shift();
    }
  }

  private fail(head: Pending | undefined, frame: Frame): void {
    const error = decodeError(frame);
    // A statement that fails at Parse or Bind was never executed, and is what the reader wants to see.
    const statement =
      head?.kind === "execute" || head?.kind === "query"
        ? head.statement
        : head?.kind === "parse" || head?.kind === "bind"
          ? this.begin("extended", head.source)
          : this.unit.at(-1)?.statement;
    if (statement !== undefined) {
      statement.error = error;
      this.stopClock(statement);
    }
    this.pending = [];
    this.endCopy();
  }

  private stopClock(statement: RecordedStatement): void {
    const started = this.started.get(statement);
    if (started === undefined) return;
    statement.milliseconds = performance.now() - started;
    this.started.delete(statement);
  }

  private keepCopy(bytes: Buffer): void {
    if (this.copied === undefined) return;
    this.copied.bytes += bytes.length;
    if (this.copied.bytes <= keptCopyBytes) this.copied.chunks.push(Buffer.from(bytes));
  }

  private endCopy(): void {
    this.copying = false;
    const statement = this.unit.at(-1)?.statement;
    if (this.copied === undefined || statement === undefined) return;
    const { chunks, bytes } = this.copied;
    this.recording().copied.set(
      statement.sequence,
      bytes <= keptCopyBytes ? Buffer.concat(chunks) : undefined,
    );
    this.copied = undefined;
  }
}
