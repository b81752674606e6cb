import type net from "node:net";
import { CatalogTracker, catalogSettings } from "../databases/postgres/catalog/tracker";
import type { CatalogDelta } from "../model/catalog";
import type { VersionTable, VersionWrite } from "../tools/contract";
import { InjectionError } from "./injection";
import { type Boundary, emptyRecording, type Recording, type VersionProtocol } from "./recording";
import { Session, type SessionHost, type Upstream } from "./session";
import type { UnitTracker } from "./unit";

/** Errors after which the same questions may succeed: cancelled, lock not available, serialization, stale plans. */
const worthRetrying = new Set(["57014", "55P03", "40001", "26000", "0A000"]);
const tries = 3;

export interface RecorderOptions {
  readonly upstream: Upstream;
  readonly database: string;
  readonly protocol: VersionProtocol;
  readonly certificate?: { readonly key: string; readonly cert: string };
  /** Called at each boundary, for progress. */
  onBoundary?(boundary: Boundary): void;
}

/**
 * A proxy between the migration tool and one shadow database. It records every statement, and reads the
 * version table and what changed of the catalog whenever the tool wrote to the version table.
 */
export class Recorder {
  /** The catalog as last read at a boundary. */
  readonly tracker = new CatalogTracker();
  /** The version table, once a statement named it. */
  versionTable: VersionTable | undefined;
  private recording: Recording = emptyRecording();
  private readonly sessions = new Set<Session>();
  private readonly byProcess = new Map<number, Session>();
  private servers: net.Server[] = [];
  private counter = { statement: 0, transaction: 0, session: 0 };
  private readonly savepoints = new Map<Session, { name: string; sequence: number }[]>();
  private readonly host: SessionHost;

  constructor(private readonly options: RecorderOptions) {
    this.host = {
      upstream: options.upstream,
      database: options.database,
      certificate: options.certificate,
      recording: () => this.recording,
      nextStatement: () => ++this.counter.statement,
      nextTransaction: () => ++this.counter.transaction,
      authenticated: (session) => {
        this.recording.connections += 1;
        this.byProcess.set(session.processId, session);
      },
      closed: (session) => {
        this.sessions.delete(session);
        this.savepoints.delete(session);
        if (this.byProcess.get(session.processId) === session) this.byProcess.delete(session.processId);
      },
      sessionOf: (processId) => this.byProcess.get(processId),
      inspect: (session, unit) => this.inspect(session, unit),
      transactionEnded: (session, outcome) => this.settle(session, () => true, outcome),
      savepointRolledBack: (session, sql) => this.rollBackTo(session, sql),
    };
  }

  /** Serves connections of this listener. */
  accept(server: net.Server): void {
    this.servers.push(server);
    server.on("connection", (socket: net.Socket) => {
      socket.setNoDelay(true);
      this.sessions.add(new Session(++this.counter.session, socket, this.host));
    });
  }

  /** Ends the recording under way and starts the next one. */
  takeRecording(): Recording {
    const recording = this.recording;
    this.recording = emptyRecording();
    return recording;
  }

  /** Resolves once the tool's connections are closed, at most `milliseconds` later. */
  async idle(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    while (this.sessions.size > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (const session of this.sessions) session.destroy();
  }

  stop(): void {
    for (const server of this.servers) server.close();
    for (const session of this.sessions) session.destroy();
  }

  private inspect(session: Session, unit: UnitTracker["unit"]): Promise<void> | undefined {
    this.noteSavepoints(session, unit);
    const writes = unit
      .filter(({ statement }) => statement.error === undefined)
      .flatMap(({ statement }) => this.options.protocol.versionWrites(statement.sql, this.versionTable));
    const last = writes.at(-1);
    const statement = unit.at(-1)?.statement;
    if (last === undefined || statement === undefined) return undefined;
    this.versionTable = { schema: last.schema, table: last.table };
    this.tracker.ignoreTable(last.schema, last.table);
    return this.readBoundary(session, writes, {
      created: writes[0]?.verb === "create",
      table: this.versionTable,
      sequence: statement.sequence,
      connection: session.number,
      transaction: statement.transaction,
      writes: writes.filter((write) => write.verb !== "create").length,
    });
  }

  private async readBoundary(
    session: Session,
    writes: readonly VersionWrite[],
    facts: Pick<Boundary, "created" | "table" | "sequence" | "connection" | "transaction" | "writes">,
  ): Promise<void> {
    const started = performance.now();
    let heads: string[] = [];
    let changes: CatalogDelta = [];
    let failure: string | undefined;
    for (let attempt = 1; attempt <= tries; attempt++) {
      await session.withoutCancels();
      try {
        ({ heads, changes } = await this.readState(session, writes));
        failure = undefined;
        break;
      } catch (error) {
        this.tracker.invalidate();
        failure = error instanceof Error ? error.message : String(error);
        if (!(error instanceof InjectionError) || !worthRetrying.has(error.server.sqlstate)) break;
      }
    }
    const boundary: Boundary = {
      ...facts,
      heads,
      changes,
      failure,
      outcome: "pending",
      milliseconds: performance.now() - started,
    };
    this.recording.boundaries.push(boundary);
    this.options.onBoundary?.(boundary);
  }

  private async readState(session: Session, writes: readonly VersionWrite[]) {
    const { injector, units } = session;
    const state = units.state === "T" ? "T" : "I";
    const dropped = writes.at(-1)?.verb === "drop";
    return injector.visit(state, async () => {
      const versions = dropped ? undefined : injector.tell("versions", this.versionsQuery());
      injector.tell("settings", catalogSettings);
      const { changes } = await this.tracker.read(injector);
      const text = versions?.row?.toString("utf8") ?? "[]";
      return { heads: (JSON.parse(text) as string[]).sort(), changes };
    });
  }

  /** Under the client's search_path, which is how the tool itself finds the table. */
  private versionsQuery(): string {
    const sql = this.options.protocol.versionsSql(this.versionTable!);
    return (
      "select pg_catalog.convert_to(coalesce(pg_catalog.json_agg(v.version), '[]'::pg_catalog.json)::pg_catalog.text, 'UTF8')" +
      ` from (${sql}) as v(version)`
    );
  }

  /** Settles boundaries of the session's transaction that are still pending; rolled back ones leave the catalog. */
  private settle(
    session: Session,
    concerns: (boundary: Boundary) => boolean,
    outcome: "committed" | "rolled back",
  ): void {
    const pending = this.recording.boundaries.filter(
      (boundary) =>
        boundary.connection === session.number && boundary.outcome === "pending" && concerns(boundary),
    );
    for (const boundary of pending) boundary.outcome = outcome;
    if (outcome === "rolled back" && pending.length > 0) {
      this.tracker.rewind(pending.map((boundary) => boundary.changes));
    }
    if (outcome === "committed" || session.units.state === "I") this.savepoints.delete(session);
  }

  private noteSavepoints(session: Session, unit: UnitTracker["unit"]): void {
    for (const { statement, tags } of unit) {
      if (!tags.includes("SAVEPOINT")) continue;
      const name = savepointName(statement.sql, /\bsavepoint\s+/i);
      const list = this.savepoints.get(session) ?? [];
      list.push({ name, sequence: statement.sequence });
      this.savepoints.set(session, list);
    }
  }

  /** What was written after the savepoint is gone; when it cannot be told apart, all of the transaction. */
  private rollBackTo(session: Session, sql: string): void {
    const name = savepointName(sql, /\bto\s+(?:savepoint\s+)?/i);
    const since =
      this.savepoints.get(session)?.findLast((savepoint) => savepoint.name === name)?.sequence ?? 0;
    this.settle(session, (boundary) => boundary.sequence > since, "rolled back");
  }
}

function savepointName(sql: string, before: RegExp): string {
  const start = before.exec(sql);
  const rest = start === null ? "" : sql.slice(start.index + start[0].length);
  const quoted = /^"((?:[^"]|"")+)"/.exec(rest)?.[1];
  return quoted ?? /^[^\s;]+/.exec(rest)?.[0]?.toLowerCase() ?? "";
}
