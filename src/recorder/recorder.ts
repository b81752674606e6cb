import type net from "node:net";
import tls from "node:tls";
import { catalogSettings } from "../databases/postgres/catalog/session";
import { CatalogTracker } from "../databases/postgres/catalog/tracker";
import type { CatalogDelta } from "../model/catalog";
import type { VersionTable, VersionWrite } from "../tools/contract";
import { type Certificate, ownSecureContext } from "./certificate";
import { type Answer, InjectionError } from "./injection";
import { type Boundary, emptyRecording, type Recording, type VersionProtocol } from "./recording";
import { Session, type SessionHost } from "./session";
import { OpenTransaction } from "./transactions";
import type { UnitEntry } from "./unit";
import type { Upstream } from "./upstream";

/** Errors after which the same questions may succeed: cancelled, lock not available, serialization, stale plans. */
const worthRetrying = new Set(["57014", "55P03", "40001", "26000", "0A000"]);
const tries = 3;

/** Texts and values are kept for the replay up to this many bytes a recording. */
const keptBytes = 256 << 20;
/** What a statement costs beside its text. */
const statementBytes = 300;

const noTimeouts =
  "select pg_catalog.set_config('statement_timeout','0',true),pg_catalog.set_config('lock_timeout','5s',true)";

export interface RecorderOptions {
  readonly upstream: Upstream;
  readonly database: string;
  readonly protocol: VersionProtocol;
  /** For clients that ask for TLS; without it one of this process's own. */
  readonly certificate?: Certificate;
  /** Called at each boundary, for progress. */
  onBoundary?(boundary: Boundary): void;
}

/** What is known of a boundary before the database is asked. */
type BoundaryFacts = Pick<
  Boundary,
  "created" | "table" | "sequence" | "connection" | "transaction" | "writes"
>;

/**
 * A proxy between the migration tool and one shadow database. It records every statement, and reads the
 * version table and what changed of the catalog whenever the tool wrote to the version table.
 */
export class Recorder {
  /** The catalog as last read at a boundary. */
  readonly tracker = new CatalogTracker();
  /** Off: boundaries tell the version table's content only, and the tracker stays where it is. */
  readsCatalog = true;
  /** The version table, once a statement named it. */
  versionTable: VersionTable | undefined;
  private recording: Recording = emptyRecording();
  private kept = 0;
  private readonly sessions = new Set<Session>();
  private readonly byProcess = new Map<number, Session>();
  private readonly open = new Map<Session, OpenTransaction>();
  private readonly servers: net.Server[] = [];
  private readonly counter = { statement: 0, transaction: 0, session: 0 };
  private readonly host: SessionHost;
  /** Two connections must not read at once: the tracker goes from one reading to the next. */
  private reading: Promise<unknown> = Promise.resolve();
  private lastText:
    | { sql: string; table: VersionTable | undefined; writes: readonly VersionWrite[] }
    | undefined;

  constructor(private readonly options: RecorderOptions) {
    const { certificate } = options;
    let context: tls.SecureContext | undefined;
    this.host = {
      upstream: options.upstream,
      database: options.database,
      secureContext: () => {
        context ??= certificate === undefined ? ownSecureContext() : tls.createSecureContext(certificate);
        return context;
      },
      recording: () => this.recording,
      nextStatement: () => ++this.counter.statement,
      nextTransaction: () => ++this.counter.transaction,
      keeps: (bytes) => {
        this.kept += bytes + statementBytes;
        return this.kept <= keptBytes;
      },
      authenticated: (session) => {
        this.recording.connections += 1;
        this.byProcess.set(session.processId, session);
      },
      closed: (session) => {
        this.sessions.delete(session);
        this.open.delete(session);
        if (this.byProcess.get(session.processId) === session) this.byProcess.delete(session.processId);
      },
      sessionOf: (processId) => this.byProcess.get(processId),
      unitEnded: (session, unit, state) => this.unitEnded(session, unit, state),
      inspect: (session, unit) => this.inspect(session, unit),
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
    this.kept = 0;
    return recording;
  }

  /**
   * Resolves once the tool's connections are closed on both sides, which is after the server rolled back what they left
   * open; at most `milliseconds` later, when those that are left are cut.
   */
  async idle(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    while (this.sessions.size > 0 && performance.now() < until) await pause(2);
    await this.cut();
  }

  stop(): void {
    for (const server of this.servers) server.close();
    void this.cut();
  }

  private async cut(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    // Inspections that were cut short end in the next turns.
    for (let turn = 0; this.sessions.size > 0 && turn < 100; turn++) await pause(1);
  }

  private unitEnded(session: Session, unit: readonly UnitEntry[], state: "I" | "T" | "E"): void {
    for (const { tags, statement } of unit) {
      for (const tag of tags) {
        if (tag === "DEALLOCATE ALL" || tag === "DISCARD ALL") session.injector.forget();
        if (tag === "PREPARE TRANSACTION") {
          this.recording.failures.push(
            `statement ${statement.sequence}: a prepared transaction is not followed`,
          );
        }
      }
    }
    let open = this.open.get(session);
    if (open === undefined) {
      if (state === "I") return;
      open = new OpenTransaction();
      this.open.set(session, open);
    }
    const lost = open.ended(
      unit.map(({ statement, tags }) => ({ sql: statement.sql, tags })),
      state,
    );
    if (lost.length > 0) this.tracker.rewind(lost.map(({ changes }) => changes));
    if (state === "I") this.open.delete(session);
  }

  private inspect(session: Session, unit: readonly UnitEntry[]): Promise<void> | undefined {
    const writes = unit.flatMap((entry) =>
      mayHaveWritten(entry) ? this.versionWrites(entry.statement.sql) : [],
    );
    const last = writes.at(-1);
    const statement = unit.at(-1)?.statement;
    if (last === undefined || statement === undefined) return undefined;
    const facts: BoundaryFacts = {
      created: writes[0]?.verb === "create",
      table: this.learn(last),
      sequence: statement.sequence,
      connection: session.number,
      transaction: statement.transaction,
      writes: writes.filter((write) => write.verb !== "create").length,
    };
    const read = this.reading.then(() => this.readBoundary(session, last.verb === "drop", facts));
    this.reading = read.catch(() => undefined);
    return read;
  }

  private learn({ schema, table }: VersionWrite): VersionTable {
    const known = this.versionTable;
    if (known !== undefined && known.schema === schema && known.table === table) return known;
    this.tracker.ignoreTable(schema, table);
    this.versionTable = { schema, table };
    return this.versionTable;
  }

  /** A text that is run again and again, e.g. by executemany, is looked at once. */
  private versionWrites(sql: string): readonly VersionWrite[] {
    const { lastText, versionTable } = this;
    if (lastText?.sql === sql && lastText.table === versionTable) return lastText.writes;
    const writes = this.options.protocol.versionWrites(sql, versionTable);
    this.lastText = { sql, table: versionTable, writes };
    return writes;
  }

  private async readBoundary(session: Session, dropped: boolean, facts: BoundaryFacts): Promise<void> {
    const started = performance.now();
    const { recording } = this;
    const state = session.units.state === "T" ? "T" : "I";
    let heads: string[] = [];
    let changes: CatalogDelta = [];
    let failure: string | undefined;
    for (let attempt = 1; attempt <= tries; attempt++) {
      await session.withoutCancels();
      try {
        ({ heads, changes } = await this.readState(
          session,
          state,
          dropped ? undefined : facts.table,
          attempt,
        ));
        failure = undefined;
        break;
      } catch (error) {
        this.tracker.invalidate();
        failure = error instanceof Error ? error.message : String(error);
        if (!(error instanceof InjectionError) || !worthRetrying.has(error.server.sqlstate)) break;
      }
    }
    const open = this.open.get(session);
    const boundary: Boundary = {
      ...facts,
      heads,
      changes,
      failure,
      // Outside a transaction what was read is what is there; a connection that was cut has none any more.
      outcome: state === "I" ? "committed" : open === undefined ? "rolled back" : "pending",
      milliseconds: performance.now() - started,
    };
    recording.boundaries.push(boundary);
    if (state === "T") open?.add(boundary);
    this.options.onBoundary?.(boundary);
  }

  private async readState(
    session: Session,
    state: "I" | "T",
    table: VersionTable | undefined,
    attempt: number,
  ): Promise<{ heads: string[]; changes: CatalogDelta }> {
    const { injector } = session;
    let versions: Answer | undefined;
    const changes = await injector.visit(state, async () => {
      if (attempt > 1) injector.tell("timeouts", noTimeouts);
      // Under the client's search_path, which is how the tool itself finds the table.
      if (table !== undefined) versions = injector.tell("versions", this.versionsQuery(table));
      if (!this.readsCatalog) return [];
      injector.tell("settings", catalogSettings);
      return (await this.tracker.read(injector)).changes;
    });
    const heads = versions === undefined ? [] : (JSON.parse(String(versions.row)) as string[]);
    return { heads: heads.sort(), changes };
  }

  private versionsQuery(table: VersionTable): string {
    const sql = this.options.protocol.versionsSql(table);
    return (
      "select pg_catalog.convert_to(coalesce(pg_catalog.json_agg(v.version), '[]'::pg_catalog.json)::pg_catalog.text, 'UTF8')" +
      ` from (${sql}) as v(version)`
    );
  }
}

/** One that failed wrote nothing, unless it had committed something before that. */
function mayHaveWritten({ statement, tags }: UnitEntry): boolean {
  return statement.error === undefined || tags.includes("COMMIT");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
