import net from "node:net";
import tls from "node:tls";
import { BodyReader, bodyOf, type Frame, FrameCutter } from "./frames";
import { Injector } from "./injection";
import { decodeError, fatalMessage, withoutChannelBinding } from "./messages";
import type { Recording, TransactionState } from "./recording";
import { UnitTracker } from "./unit";

const cancelRequest = 80877102;
const tlsRequest = 80877103;
const gssRequest = 80877104;

/** Where the shadow database listens. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly tls: tls.ConnectionOptions | undefined;
}

/** What a session needs of the recorder that it belongs to. */
export interface SessionHost {
  readonly upstream: Upstream;
  /** The only database that may be reached. */
  readonly database: string;
  readonly certificate: { readonly key: string; readonly cert: string } | undefined;
  recording(): Recording;
  nextStatement(): number;
  nextTransaction(): number;
  authenticated(session: Session): void;
  closed(session: Session): void;
  sessionOf(processId: number): Session | undefined;
  /** Looks into the database at the end of a unit; undefined when there is nothing to look for. */
  inspect(session: Session, unit: UnitTracker["unit"]): Promise<void> | undefined;
  transactionEnded(session: Session, outcome: "committed" | "rolled back"): void;
  savepointRolledBack(session: Session, sql: string): void;
}

/**
 * One client connection and its server connection. Bytes pass through untouched; messages are cut out of
 * them on the side. After a Query or Sync further client messages wait for ReadyForQuery, which may be
 * withheld while the recorder asks on the same session.
 */
export class Session {
  readonly units: UnitTracker;
  readonly injector: Injector;
  processId = 0;
  private phase: "startup" | "authentication" | "ready" | "cancel" = "startup";
  private startup = Buffer.alloc(0);
  private readonly clientFrames = new FrameCutter();
  private readonly serverFrames = new FrameCutter();
  private readonly waitingFrames: Frame[] = [];
  private inspecting = false;
  private cancelsInFlight = 0;
  private ended = false;
  private server: net.Socket;

  constructor(
    readonly number: number,
    private client: net.Socket,
    private readonly host: SessionHost,
  ) {
    this.units = new UnitTracker(number, () => host.recording(), {
      statement: () => host.nextStatement(),
      transaction: () => host.nextTransaction(),
    });
    const { upstream } = host;
    this.server = upstream.socket
      ? net.connect(upstream.socket)
      : net.connect({ host: upstream.host, port: upstream.port });
    this.server.setNoDelay(true);
    this.injector = new Injector((bytes) => this.server.write(bytes));
    this.listenToClient(client);
    if (upstream.tls === undefined) this.listenToServer();
    else this.startServerTls(upstream.tls);
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
    this.finish();
  }

  private listenToClient(socket: net.Socket): void {
    this.client = socket;
    socket.on("data", (data: Buffer) => this.guard(() => this.fromClient(data)));
    // The other side of an abrupt end is told by 'close'.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      const busy = this.inspecting || this.units.awaitingReady;
      this.finish();
      if (busy) this.server.destroy();
      else this.server.end();
    });
    socket.on("drain", () => this.server.resume());
  }

  private listenToServer(): void {
    this.server.on("data", (data: Buffer) => this.guard(() => this.fromServer(data)));
    this.server.on("error", (error) => this.refuse("08006", `the shadow database: ${error.message}`));
    this.server.on("close", () => {
      this.injector.abort("the server closed the connection");
      this.finish();
      this.client.end();
    });
    this.server.on("drain", () => this.client.resume());
  }

  private startServerTls(options: tls.ConnectionOptions): void {
    const plain = this.server;
    const request = Buffer.alloc(8);
    request.writeInt32BE(8, 0);
    request.writeInt32BE(tlsRequest, 4);
    this.client.pause();
    plain.on("error", (error) => this.refuse("08006", `the shadow database: ${error.message}`));
    plain.write(request);
    plain.once("data", (answer: Buffer) => {
      if (answer[0] !== 0x53) {
        this.refuse("08006", "the shadow database refused TLS");
        return;
      }
      this.server = tls.connect({ ...options, socket: plain }, () => this.client.resume());
      this.listenToServer();
    });
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(`connection ${this.number}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private fail(reason: string): void {
    this.host.recording().failures.push(reason);
    this.destroy();
  }

  private refuse(sqlstate: string, text: string): void {
    if (!this.client.destroyed) this.client.end(fatalMessage(sqlstate, text));
    this.server.destroy();
    this.finish();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.injector.abort("the client closed the connection");
    if (this.units.state !== "I") this.host.transactionEnded(this, "rolled back");
    this.host.closed(this);
  }

  private toClient(bytes: Buffer): void {
    if (!this.client.write(bytes)) this.server.pause();
  }

  private toServer(bytes: Buffer): void {
    if (!this.server.write(bytes)) this.client.pause();
  }

  // ---- client to server

  private fromClient(data: Buffer): void {
    if (this.phase === "startup") {
      this.onStartup(data);
      return;
    }
    for (const frame of this.clientFrames.push(data)) {
      if (this.phase === "ready") this.waitingFrames.push(frame);
      else this.toServer(frame.raw);
    }
    this.forwardWaiting();
  }

  private onStartup(data: Buffer): void {
    this.startup = Buffer.concat([this.startup, data]);
    if (this.startup.length < 8) return;
    const length = this.startup.readInt32BE(0);
    if (length < 8 || length > 10_000) throw new Error(`startup packet of ${length} bytes`);
    if (this.startup.length < length) return;
    const packet = this.startup.subarray(0, length);
    const rest = this.startup.subarray(length);
    const code = packet.readInt32BE(4);
    this.startup = Buffer.alloc(0);
    if (code === gssRequest) this.client.write("N");
    else if (code === tlsRequest) this.answerTlsRequest();
    else if (code === cancelRequest) this.cancel(packet);
    else this.start(packet);
    if (rest.length > 0) this.fromClient(rest);
  }

  private start(packet: Buffer): void {
    const database = startupParameter(packet, "database") ?? startupParameter(packet, "user");
    if (database !== this.host.database) {
      this.refuse("3D000", "migration-gate lets the migration tool reach the shadow database only");
      return;
    }
    this.phase = "authentication";
    this.toServer(packet);
  }

  private answerTlsRequest(): void {
    if (this.host.certificate === undefined) {
      this.client.write("N");
      return;
    }
    const plain = this.client;
    plain.write("S");
    plain.removeAllListeners("data");
    plain.removeAllListeners("close");
    plain.removeAllListeners("drain");
    this.listenToClient(new tls.TLSSocket(plain, { isServer: true, ...this.host.certificate }));
  }

  /** A CancelRequest has a connection of its own. It must not hit our questions, which the client knows nothing of. */
  private async cancel(packet: Buffer): Promise<void> {
    this.phase = "cancel";
    const target = this.host.sessionOf(packet.readInt32BE(8));
    if (target !== undefined) target.cancelsInFlight += 1;
    while (target?.inspecting) await pause();
    this.server.once("close", () => {
      // The signal arrives a little after the server closed the connection.
      setTimeout(() => {
        if (target !== undefined) target.cancelsInFlight -= 1;
      }, 5);
    });
    this.server.end(packet);
  }

  private forwardWaiting(): void {
    while (this.waitingFrames.length > 0 && !this.inspecting && !this.ended) {
      const frame = this.waitingFrames[0]!;
      if (this.units.awaitingReady && !(this.units.copying && "dcfSH".includes(frame.type))) return;
      this.waitingFrames.shift();
      this.units.fromClient(frame);
      this.toServer(frame.raw);
    }
  }

  // ---- server to client

  private fromServer(data: Buffer): void {
    if (this.phase === "startup" || this.phase === "cancel") {
      this.toClient(data);
      return;
    }
    let forward: Buffer[] = [];
    const flush = () => {
      if (forward.length > 0) this.toClient(forward.length === 1 ? forward[0]! : Buffer.concat(forward));
      forward = [];
    };
    for (const frame of this.serverFrames.push(data)) {
      if (this.inspecting) {
        if (this.injector.fromServer(frame)) this.toClient(frame.raw);
      } else if (this.phase === "authentication") {
        forward.push(this.duringAuthentication(frame));
      } else if (frame.type === "Z") {
        flush();
        if (!this.onReady(frame)) forward.push(frame.raw);
      } else {
        this.units.fromServer(frame);
        forward.push(frame.raw);
      }
    }
    flush();
    this.forwardWaiting();
  }

  private duringAuthentication(frame: Frame): Buffer {
    if (frame.type === "R" && this.host.upstream.tls !== undefined) return withoutChannelBinding(frame);
    if (frame.type === "K") this.processId = bodyOf(frame).readInt32BE(0);
    if (frame.type === "E")
      this.host.recording().failures.push(`connection refused: ${decodeError(frame).message}`);
    if (frame.type === "Z") {
      this.phase = "ready";
      this.host.authenticated(this);
    }
    return frame.raw;
  }

  /** Returns true when ReadyForQuery is withheld; it follows once the inspection is over. */
  private onReady(frame: Frame): boolean {
    const before = this.units.state;
    const state = String.fromCharCode(frame.raw[5]!) as TransactionState;
    const unit = this.units.ready(state);
    this.noteSavepoints(unit, before, state);
    const end = () => {
      if (state === "I") this.host.transactionEnded(this, outcomeOf(unit, before));
    };
    const inspection = state === "E" ? undefined : this.host.inspect(this, unit);
    if (inspection === undefined) {
      end();
      return false;
    }
    this.inspecting = true;
    void inspection
      .catch((error) => {
        this.host.recording().failures.push(error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        this.inspecting = false;
        end();
        if (this.ended) return;
        this.toClient(frame.raw);
        this.guard(() => this.forwardWaiting());
      });
    return true;
  }

  /** Resolves when no CancelRequest is on its way to this session. */
  async withoutCancels(): Promise<void> {
    while (this.cancelsInFlight > 0) await pause();
  }

  private noteSavepoints(unit: UnitTracker["unit"], before: TransactionState, state: TransactionState): void {
    if (before === "I" || state === "I") return;
    for (const { statement, tags } of unit) {
      if (tags.includes("ROLLBACK")) this.host.savepointRolledBack(this, statement.sql);
    }
  }
}

function outcomeOf(unit: UnitTracker["unit"], before: TransactionState): "committed" | "rolled back" {
  const failed = unit.some(({ statement }) => statement.error !== undefined);
  const tags = unit.flatMap((entry) => entry.tags);
  // COMMIT of a failed transaction answers with the tag ROLLBACK.
  const lastEnd = tags.findLast((tag) => tag === "COMMIT" || tag === "ROLLBACK");
  if (lastEnd !== undefined) return lastEnd === "COMMIT" ? "committed" : "rolled back";
  return failed || before !== "I" ? "rolled back" : "committed";
}

function startupParameter(packet: Buffer, wanted: string): string | undefined {
  const reader = new BodyReader(packet, 8);
  for (let name = reader.text(); name !== ""; name = reader.text()) {
    const value = reader.text();
    if (name === wanted) return value;
  }
  return undefined;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
