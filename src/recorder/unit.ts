import type { BoundValue, RecordedStatement, ServerError } from "../model/statement";
import { decodingOf } from "./encoding";
import { BodyReader, bodiesOf, bodyOf, type Frame, type TextDecoding } from "./frames";
import { decodeBind, decodeError, decodeParse } from "./messages";
import { Queue } from "./queue";
import type { Recording, TransactionState } from "./recording";

/** COPY data is kept for the replay up to this many bytes a statement. */
const keptCopyBytes = 4 << 20;
/** Of a statement that is too long to keep this many characters stay. */
const cutText = 10_000;

const opensBlock = /^\s*(?:begin|start\s+transaction)\b/i;
const endsBlock = /^\s*(?:commit|end|abort|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b/i;

interface Prepared {
  readonly sql: string;
  readonly types: readonly number[];
}

interface Portal extends Prepared {
  readonly values: readonly BoundValue[];
  /** Set by the first Execute; a later one fetches more of the same statement. */
  entry?: UnitEntry;
}

/** A statement of the unit under way, with the command tags that the server gave it. */
export interface UnitEntry {
  readonly statement: RecordedStatement;
  readonly tags: string[];
  /** The server answered it in whole, or suspended it, or refused it. */
  answered: boolean;
  startedAt: number;
}

/** What the server still owes an answer for, in the order it was sent. */
type Pending =
  | { readonly kind: "parse" | "bind"; readonly source: Portal }
  | { readonly kind: "describe" | "close" | "call" }
  | { readonly kind: "execute" | "query"; readonly entry: UnitEntry };

const describe: Pending = { kind: "describe" };
const close: Pending = { kind: "close" };
const call: Pending = { kind: "call" };
const unknownPortal: Portal = { sql: "", types: [], values: [] };

const unanswered: ServerError = {
  severity: "FATAL",
  sqlstate: "08006",
  message: "the connection ended before the server answered",
  detail: undefined,
  hint: undefined,
  context: undefined,
  position: undefined,
};

/** What the statements of all connections share. */
export interface UnitHost {
  recording(): Recording;
  nextStatement(): number;
  nextTransaction(): number;
  /** Whether so many more bytes of texts and values may be kept. */
  keeps(bytes: number): boolean;
}

/**
 * Follows one connection's messages in both directions and turns them into recorded statements. A unit is
 * what ends with one ReadyForQuery: a simple Query, or everything up to a Sync.
 */
export class UnitTracker {
  /** True between the message that ends a unit and its ReadyForQuery. */
  awaitingReady = false;
  /** True while the client sends COPY data. */
  copying = false;
  state: TransactionState = "I";

  private unit: UnitEntry[] = [];
  private transaction = 0;
  private inBlock = false;
  private readonly prepared = new Map<string, Prepared>();
  private readonly portals = new Map<string, Portal>();
  private readonly pending = new Queue<Pending>();
  private copied: { chunks: Buffer[]; bytes: number } | undefined;
  private decoding: TextDecoding | undefined;

  constructor(
    private readonly connection: number,
    private readonly host: UnitHost,
  ) {}

  fromClient(frame: Frame): void {
    switch (frame.type) {
      case "Q": {
        this.prepared.delete("");
        this.portals.delete("");
        const sql = new BodyReader(bodyOf(frame), 0, this.decoding).text();
        this.pending.push({ kind: "query", entry: this.begin("simple", { sql, types: [], values: [] }) });
        this.awaitingReady = true;
        break;
      }
      case "P": {
        const { name, sql, types } = decodeParse(frame, this.decoding);
        this.prepared.set(name, { sql, types });
        this.pending.push({ kind: "parse", source: { sql, types, values: [] } });
        break;
      }
      case "B": {
        const { portal, statement, values } = decodeBind(frame, this.decoding, (bytes) =>
          this.host.keeps(bytes),
        );
        const source: Portal = { ...(this.prepared.get(statement) ?? unknownPortal), values };
        this.portals.set(portal, source);
        this.pending.push({ kind: "bind", source });
        break;
      }
      case "E": {
        const portal = this.portals.get(new BodyReader(bodyOf(frame), 0, this.decoding).text());
        this.pending.push({ kind: "execute", entry: this.execute(portal) });
        break;
      }
      case "D":
        this.pending.push(describe);
        break;
      case "C": {
        const reader = new BodyReader(bodyOf(frame), 0, this.decoding);
        const closed = reader.byte() === 0x53 ? this.prepared : this.portals;
        closed.delete(reader.text());
        this.pending.push(close);
        break;
      }
      case "F":
        this.pending.push(call);
        this.awaitingReady = true;
        break;
      case "S":
        // While COPY data flows the server throws Sync away (manual 55.2.6).
        if (!this.copying) this.awaitingReady = true;
        break;
      case "d":
        this.keepCopy(frame);
        break;
      case "c":
      case "f":
        this.endCopy();
        break;
    }
  }

  /** Everything but ReadyForQuery. */
  fromServer(frame: Frame): void {
    const head = this.pending.first;
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
        this.copied = { chunks: [], bytes: 0 };
        this.startCopying(head);
        break;
      case "W":
        // Replication: data flows both ways until the client's CopyDone.
        this.startCopying(head);
        break;
      case "E":
        this.fail(head, frame);
        break;
      case "S":
        this.parameterStatus(frame);
        break;
    }
  }

  parameterStatus(frame: Frame): void {
    const reader = new BodyReader(bodyOf(frame));
    if (reader.text() === "client_encoding") this.decoding = decodingOf(reader.text());
  }

  /** Ends the unit; returns the statements of it that the server answered. */
  ready(state: TransactionState): readonly UnitEntry[] {
    const unit = this.unit;
    this.state = state;
    this.inBlock = state !== "I";
    this.awaitingReady = false;
    this.copying = false;
    if (state === "I") this.portals.clear();
    if (unit.length === 0) {
      if (this.pending.length > 0) this.pending.clear();
      return unit;
    }
    this.unit = [];
    this.pending.clear();
    if (unit.every(({ answered }) => answered)) return unit;
    // After an error the server skips what follows: those statements never ran.
    const skipped = new Set(unit.filter(({ answered }) => !answered).map(({ statement }) => statement));
    const { statements } = this.host.recording();
    const kept = statements.filter((statement) => !skipped.has(statement));
    statements.splice(0, statements.length, ...kept);
    return unit.filter(({ answered }) => answered);
  }

  /** The connection is gone: what is unanswered will never be answered. */
  abandon(): readonly UnitEntry[] {
    for (const entry of this.unit) {
      if (!entry.answered) this.refuse(entry, unanswered);
    }
    const unit = this.unit;
    this.unit = [];
    return unit;
  }

  private execute(portal: Portal | undefined): UnitEntry {
    const known = portal?.entry;
    if (known === undefined) {
      const entry = this.begin("extended", portal ?? unknownPortal);
      if (portal !== undefined) portal.entry = entry;
      return entry;
    }
    known.answered = false;
    known.startedAt = performance.now() - known.statement.milliseconds;
    if (!this.unit.includes(known)) this.unit.push(known);
    return known;
  }

  private begin(protocol: "simple" | "extended", source: Portal): UnitEntry {
    const { host } = this;
    // Statements of one Sync without a block are one transaction.
    if (!this.inBlock && (this.unit.length === 0 || opensBlock.test(source.sql))) {
      this.transaction = host.nextTransaction();
    }
    const fits = host.keeps(source.sql.length);
    const statement: RecordedStatement = {
      sequence: host.nextStatement(),
      connection: this.connection,
      transaction: this.transaction,
      protocol,
      sql: fits ? source.sql : source.sql.slice(0, cutText),
      values: fits ? source.values : [{ hex: "", cut: true }],
      valueTypes: source.types,
      autocommit: !this.inBlock,
      milliseconds: 0,
      rows: undefined,
      error: undefined,
    };
    if (opensBlock.test(source.sql)) this.inBlock = true;
    else if (this.inBlock && endsBlock.test(source.sql)) this.inBlock = false;
    host.recording().statements.push(statement);
    const entry: UnitEntry = { statement, tags: [], answered: false, startedAt: performance.now() };
    this.unit.push(entry);
    return entry;
  }

  private complete(head: Pending | undefined, tag: string): void {
    if (head?.kind !== "execute" && head?.kind !== "query") return;
    const { entry } = head;
    if (tag !== "") entry.tags.push(tag);
    const rows = /(\d+)$/.exec(tag)?.[1];
    if (rows !== undefined) entry.statement.rows = (entry.statement.rows ?? 0) + Number(rows);
    entry.answered = true;
    entry.statement.milliseconds = performance.now() - entry.startedAt;
    if (head.kind === "execute") this.pending.shift();
  }

  private fail(head: Pending | undefined, frame: Frame): void {
    // A statement that fails at Parse or Bind was never executed, and is what the reader wants to see.
    const entry =
      head?.kind === "execute" || head?.kind === "query"
        ? head.entry
        : head?.kind === "parse" || head?.kind === "bind"
          ? this.failedEarly(head.source)
          : this.unit.at(-1);
    if (entry !== undefined) this.refuse(entry, decodeError(frame, this.decoding));
    this.pending.clear();
    this.endCopy();
  }

  /** The Execute for a failed Parse or Bind may have been sent already. */
  private failedEarly(source: Portal): UnitEntry {
    const sent = this.unit.find(({ answered, statement }) => !answered && statement.sql === source.sql);
    return sent ?? this.begin("extended", source);
  }

  private refuse(entry: UnitEntry, error: ServerError): void {
    entry.answered = true;
    entry.statement.error = error;
    entry.statement.milliseconds = performance.now() - entry.startedAt;
  }

  private startCopying(head: Pending | undefined): void {
    this.copying = true;
    // The Sync that a driver sent together with Execute is thrown away by the server.
    if (head?.kind === "execute") this.awaitingReady = false;
  }

  private keepCopy(frame: Frame): void {
    if (this.copied === undefined) return;
    for (const bytes of bodiesOf(frame)) {
      this.copied.bytes += bytes.length;
      if (this.copied.bytes > keptCopyBytes) this.copied.chunks = [];
      else this.copied.chunks.push(Buffer.from(bytes));
    }
  }

  private endCopy(): void {
    this.copying = false;
    const head = this.pending.first;
    const entry = head?.kind === "execute" || head?.kind === "query" ? head.entry : this.unit.at(-1);
    if (this.copied === undefined || entry === undefined) return;
    const { chunks, bytes } = this.copied;
    const fits = bytes <= keptCopyBytes && this.host.keeps(bytes);
    this.host.recording().copied.set(entry.statement.sequence, fits ? Buffer.concat(chunks) : undefined);
    this.copied = undefined;
  }
}
