import type net from "node:net";
import type tls from "node:tls";
import { serveTls } from "./client-tls";
import { bodyOf, bytesOf, type Frame, FrameCutter } from "./frames";
import { Injector } from "./injection";
import {
  decodeError,
  fatalMessage,
  missesChannelBinding,
  offersChannelBinding,
  readyMessage,
  withoutChannelBinding,
} from "./messages";
import { Queue } from "./queue";
import type { TransactionState } from "./recording";
import { readOpening } from "./startup";
import { type UnitEntry, type UnitHost, UnitTracker } from "./unit";
import { connectPlain, connectUpstream, type Upstream } from "./upstream";

/** Bytes that a client may have sent ahead; then it has to wait. */
const aheadLimit = 4 << 20;
const nothing = Buffer.alloc(0);
/** A signal arrives a little after the server closed the connection of its CancelRequest. */
const cancelMs = 5;
/** At the longest an inspection waits so long for a CancelRequest to be over. */
const cancelLimitMs = 2_000;
/** What a client may send before the answer to its COPY is complete. */
const duringCopy = new Set(["d", "c", "f", "S", "H"]);

/** What a session needs of the recorder that it belongs to. */
export interface SessionHost extends UnitHost {
  readonly upstream: Upstream;
  /** The only database that may be reached. */
  readonly database: string;
  secureContext(): tls.SecureContext;
  authenticated(session: Session): void;
  /** Both connections are closed. */
  closed(session: Session): void;
  sessionOf(processId: number): Session | undefined;
  /** At each end of a unit, and once when the connection is lost: then `state` is I and the transaction is gone. */
  unitEnded(session: Session, unit: readonly UnitEntry[], state: TransactionState): void;
  /** Looks into the database at the end of a unit; undefined when there is nothing to look for. */
  inspect(session: Session, unit: readonly UnitEntry[]): Promise<void> | undefined;
}

/**
 * One client connection and its server connection. Bytes pass through untouched; messages are cut out of
 * them on the side. After a Query or Sync further client messages wait for ReadyForQuery, which may be
 * withheld while the recorder asks on the same session.
 */
export class Session {
  readonly units: UnitTracker;
  readonly injector = new Injector((bytes) => this.server?.write(bytes));
  processId = 0;
  private phase: "startup" | "authentication" | "ready" | "cancel" = "startup";
  private opening: Buffer = Buffer.alloc(0);
  private readonly clientFrames = new FrameCutter("d");
  private readonly serverFrames = new FrameCutter("Dd");
  private readonly waiting = new Queue<Frame>();
  private ahead = 0;
  private inspection: Promise<void> | undefined;
  /** What the server said right before a ReadyForQuery that is withheld: alone it would wake the client for nothing. */
  private held: Buffer | undefined;
  private cancelsInFlight = 0;
  private server: net.Socket | undefined;
  private encrypted = false;
  private strippedBinding = false;
  private clientGone = false;
  private serverGone = true;
  private lost = false;

  constructor(
    readonly number: number,
    private client: net.Socket,
    private readonly host: SessionHost,
  ) {
    this.units = new UnitTracker(number, host);
    this.listenToClient(client);
  }

  /** Closes both connections at once; what was not committed is told to be rolled back before this returns. */
  destroy(): void {
    this.client.destroy();
    this.server?.destroy();
    this.injector.abort("the connection was closed");
    this.lose();
  }

  /** Resolves when no CancelRequest is on its way to this session. */
  async withoutCancels(): Promise<void> {
    const until = performance.now() + cancelLimitMs;
    while (this.cancelsInFlight > 0 && performance.now() < until) await pause(1);
  }

  // ---- connections

  private listenToClient(socket: net.Socket): void {
    this.client = socket;
    socket.on("data", (data: Buffer) => this.guard(() => this.fromClient(data)));
    socket.on("drain", () => this.server?.resume());
    // The other side of an abrupt end is told by 'close'.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.clientGone = true;
      this.server?.resume();
      this.endServer();
      this.tellClosed();
    });
  }

  private listenToServer(socket: net.Socket): void {
    this.server = socket;
    this.serverGone = false;
    socket.on("data", (data: Buffer) => this.guard(() => this.fromServer(data)));
    socket.on("drain", () => this.resumeClient());
    socket.on("close", () => {
      this.serverGone = true;
      this.injector.abort("the server closed the connection");
      this.toClient(nothing);
      this.client.end();
      if (this.inspection === undefined) this.lose();
      this.tellClosed();
    });
  }

  /** The server gets what the client sent before it went, and then the end of the connection. */
  private endServer(): void {
    if (this.clientGone && this.inspection === undefined && this.waiting.length === 0) this.server?.end();
  }

  /** Nothing more will be heard of the transaction under way. */
  private lose(): void {
    if (this.lost) return;
    this.lost = true;
    this.host.unitEnded(this, this.units.abandon(), "I");
  }

  private tellClosed(): void {
    if (this.clientGone && this.serverGone && this.inspection === undefined) this.host.closed(this);
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.note(error instanceof Error ? error.message : String(error));
      this.destroy();
    }
  }

  private note(reason: string): void {
    this.host.recording().failures.push(`connection ${this.number}: ${reason}`);
  }

  private refuse(sqlstate: string, text: string): void {
    this.host.recording().failures.push(`connection refused: ${text}`);
    this.client.end(fatalMessage(sqlstate, `migration-gate: ${text}`));
    this.server?.destroy();
  }

  private toClient(bytes: Buffer): void {
    if (this.held !== undefined) {
      bytes = Buffer.concat([this.held, bytes]);
      this.held = undefined;
    }
    if (this.client.writable && !this.client.write(bytes) && this.inspection === undefined)
      this.server?.pause();
  }

  private toServer(bytes: Buffer): void {
    if (this.server?.writable && !this.server.write(bytes)) this.client.pause();
  }

  private resumeClient(): void {
    if (this.ahead <= aheadLimit && !this.server?.writableNeedDrain) this.client.resume();
  }

  // ---- the beginning

  private onOpening(data: Buffer): void {
    this.opening = this.opening.length === 0 ? data : Buffer.concat([this.opening, data]);
    const read = readOpening(this.opening);
    if (read === undefined) return;
    const { opening, length } = read;
    const rest = this.opening.subarray(length);
    this.opening = Buffer.alloc(0);
    switch (opening.kind) {
      case "direct tls":
        this.startTls(rest);
        return;
      case "tls request":
        // What comes in plain text behind the request could have been put there by somebody else (CVE-2021-23214).
        if (rest.length > 0 || this.encrypted) throw new Error("the client sent data behind its TLS request");
        this.client.write("S");
        this.startTls(rest);
        return;
      case "gss request":
        this.client.write("N");
        break;
      case "cancel":
        this.phase = "cancel";
        void this.cancel(opening.packet, this.host.sessionOf(opening.processId));
        return;
      case "startup":
        if (opening.database !== this.host.database) {
          this.refuse(
            "3D000",
            `the migration tool asked for the database "${opening.database ?? ""}" and may reach the shadow database "${this.host.database}" only`,
          );
          return;
        }
        this.phase = "authentication";
        void this.connect(opening.packet);
        break;
      case "unknown":
        this.refuse("08P01", `the client does not speak PostgreSQL's protocol 3: ${opening.reason}`);
        return;
    }
    if (rest.length > 0) this.fromClient(rest);
  }

  private async connect(startup: Buffer): Promise<void> {
    try {
      const server = await connectUpstream(this.host.upstream);
      this.listenToServer(server);
      if (this.clientGone) server.destroy();
      else server.write(startup);
    } catch (error) {
      this.refuse(
        "08006",
        `the shadow server cannot be reached: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  private startTls(first: Buffer): void {
    this.encrypted = true;
    const onFailure = (reason: string) => {
      this.host.recording().failures.push(`connection refused: ${reason}`);
    };
    this.listenToClient(serveTls(this.client, first, this.host.secureContext(), onFailure));
  }

  /** A CancelRequest has a connection of its own. It must not hit our questions, which the client knows nothing of. */
  private async cancel(packet: Buffer, target: Session | undefined): Promise<void> {
    while (target?.inspection !== undefined) await target.inspection;
    const server = connectPlain(this.host.upstream);
    if (target !== undefined) target.cancelsInFlight += 1;
    server.on("close", () => {
      this.client.end();
      setTimeout(() => {
        if (target !== undefined) target.cancelsInFlight -= 1;
      }, cancelMs);
    });
    server.end(packet);
  }

  // ---- client to server

  private fromClient(data: Buffer): void {
    if (this.phase === "startup") {
      this.onOpening(data);
      return;
    }
    if (this.phase === "cancel") return;
    for (const frame of this.clientFrames.push(data)) {
      if (this.phase === "authentication" && frame.type === "p") this.authenticate(frame);
      else {
        this.waiting.push(frame);
        this.ahead += frame.raw.length;
      }
    }
    this.forwardWaiting();
    if (this.ahead > aheadLimit) this.client.pause();
  }

  private authenticate(frame: Frame): void {
    if (this.strippedBinding && this.encrypted && missesChannelBinding(frame)) {
      this.refuse(
        "28000",
        "channel binding cannot pass the recorder, because TLS ends there: set PGCHANNELBINDING=disable or channel_binding=disable",
      );
      return;
    }
    this.strippedBinding = false;
    this.toServer(frame.raw);
  }

  private forwardWaiting(): void {
    if (this.phase !== "ready") return;
    const { units, waiting } = this;
    const sent: Frame[] = [];
    for (let frame = waiting.first; frame !== undefined; frame = waiting.first) {
      if (this.inspection !== undefined) break;
      if (units.awaitingReady && !(units.copying && duringCopy.has(frame.type))) break;
      waiting.shift();
      this.ahead -= frame.raw.length;
      units.fromClient(frame);
      sent.push(frame);
    }
    if (sent.length === 0) return;
    this.toServer(bytesOf(sent));
    if (this.client.isPaused()) this.resumeClient();
    this.endServer();
  }

  // ---- server to client

  private fromServer(data: Buffer): void {
    const frames = this.serverFrames.push(data);
    let from = 0;
    const forward = (to: number) => {
      if (to > from) this.toClient(bytesOf(frames, from, to));
      from = to;
    };
    for (const [index, frame] of frames.entries()) {
      let own: Buffer | undefined;
      let withheld = false;
      if (this.inspection !== undefined) {
        if (this.injector.fromServer(frame)) continue;
      } else if (this.phase === "authentication") {
        own = this.duringAuthentication(frame);
        if (own === undefined) continue;
      } else if (frame.type === "Z") {
        withheld = this.onReady(frame);
        if (!withheld) continue;
      } else {
        this.units.fromServer(frame);
        continue;
      }
      // This frame does not go on as it is.
      if (withheld && index > from) this.held = bytesOf(frames, from, index);
      else forward(index);
      if (own !== undefined) this.toClient(own);
      from = index + 1;
    }
    forward(frames.length);
    this.forwardWaiting();
  }

  /** Returns what the client gets instead, where that is something else. */
  private duringAuthentication(frame: Frame): Buffer | undefined {
    switch (frame.type) {
      case "R":
        if (this.host.upstream.tls === undefined || !offersChannelBinding(frame)) return undefined;
        this.strippedBinding = true;
        return withoutChannelBinding(frame);
      case "S":
        this.units.parameterStatus(frame);
        return undefined;
      case "K":
        this.processId = bodyOf(frame).readInt32BE(0);
        return undefined;
      case "E":
        this.host.recording().failures.push(`connection refused: ${decodeError(frame).message}`);
        return undefined;
      case "Z":
        this.phase = "ready";
        this.host.authenticated(this);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Returns true when ReadyForQuery is withheld; it follows once the inspection is over. */
  private onReady(frame: Frame): boolean {
    const state = String.fromCharCode(frame.raw[5]!) as TransactionState;
    const unit = this.units.ready(state);
    if (unit.length === 0) return false;
    this.host.unitEnded(this, unit, state);
    const inspection = state === "E" ? undefined : this.host.inspect(this, unit);
    if (inspection === undefined) return false;
    this.server?.resume();
    this.inspection = inspection
      .catch((error) => this.note(error instanceof Error ? error.message : String(error)))
      .then(() => this.afterInspection(state));
    return true;
  }

  private afterInspection(before: TransactionState): void {
    this.inspection = undefined;
    if (this.serverGone) {
      this.lose();
      this.tellClosed();
      return;
    }
    const { state } = this.injector;
    if (state !== before) this.units.state = state;
    this.toClient(readyMessage(state));
    this.guard(() => this.forwardWaiting());
    this.endServer();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
