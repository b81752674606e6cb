import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { serialize } from "pg-protocol";
import type { Address } from "../../src/databases/postgres/connection";
import { bodyOf, type Frame, FrameCutter } from "../../src/recorder/frames";
import { decodeError, firstColumn } from "../../src/recorder/messages";

/** A client that says exactly the messages it is told to say, and tells the answers as short words. */
export class RawClient {
  /** Everything that came and was not asked for yet. */
  private readonly frames: Frame[] = [];
  private wake: () => void = () => undefined;
  ended = false;

  private constructor(readonly socket: net.Socket) {
    const cutter = new FrameCutter();
    socket.on("data", (data: Buffer) => {
      this.frames.push(...cutter.push(data));
      this.wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.ended = true;
      this.wake();
    });
  }

  /** A connection on which nothing was said yet. */
  static async silent(port: number): Promise<RawClient> {
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket);
  }

  static async open(address: Address, parameters: Record<string, string> = {}): Promise<RawClient> {
    const client = await RawClient.silent(address.port);
    await client.login(address, parameters);
    return client;
  }

  /** The words of all messages up to ReadyForQuery, or to the end of the connection. */
  async login(address: Address, parameters: Record<string, string> = {}): Promise<string> {
    this.send(serialize.startup({ user: address.user, database: address.database, ...parameters }));
    return this.authenticate(address);
  }

  /** SCRAM-SHA-256 (RFC 7677), then everything up to ReadyForQuery. */
  async authenticate({ password = "" }: Address): Promise<string> {
    const words: string[] = [];
    const nonce = randomBytes(12).toString("base64");
    let proof = "";
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) return [...words, "end"].join(" ");
      const code = frame.type === "R" ? bodyOf(frame).readInt32BE(0) : undefined;
      words.push(code === undefined ? word(frame) : `R${code}`);
      if (code === 10)
        this.send(serialize.sendSASLInitialResponseMessage("SCRAM-SHA-256", `n,,n=,r=${nonce}`));
      if (code === 11) {
        proof = bodyOf(frame).toString("utf8", 4);
        this.send(serialize.sendSCRAMClientFinalMessage(scramFinal(password, `n=,r=${nonce}`, proof)));
      }
      if (frame.type === "Z") return words.join(" ");
    }
  }

  send(...messages: Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** Answers up to and with the given number of ReadyForQuery. */
  async answers(units = 1): Promise<string> {
    const words: string[] = [];
    for (let left = units; left > 0; ) {
      const frame = await this.next();
      if (frame === undefined) return [...words, "end"].join(" ");
      words.push(word(frame));
      if (frame.type === "Z") left -= 1;
    }
    return words.join(" ");
  }

  /** Answers up to and with the first message of this type. */
  async until(type: string): Promise<string> {
    const words: string[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) return [...words, "end"].join(" ");
      words.push(word(frame));
      if (frame.type === type) return words.join(" ");
    }
  }

  async query(sql: string): Promise<string> {
    this.send(serialize.query(sql));
    return this.answers();
  }

  /** Messages of the extended protocol and a Sync. */
  async extended(...messages: Buffer[]): Promise<string> {
    this.send(...messages, serialize.sync());
    return this.answers();
  }

  async end(): Promise<void> {
    this.socket.end(serialize.end());
    if (!this.socket.destroyed) await once(this.socket, "close");
  }

  private async next(): Promise<Frame | undefined> {
    while (this.frames.length === 0) {
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.frames.shift();
  }
}

function word(frame: Frame): string {
  const body = bodyOf(frame);
  switch (frame.type) {
    case "E":
    case "N":
      return `${frame.type}:${decodeError(frame).sqlstate}`;
    case "D":
      return `D:${firstColumn(frame)?.toString() ?? "null"}`;
    case "C":
      return `C:${body.toString("utf8", 0, body.length - 1)}`;
    case "Z":
      return `Z:${body.toString()}`;
    case "A":
      return `A:${body.toString("utf8", 4).replaceAll("\0", "/")}`;
    default:
      return frame.type;
  }
}

function scramFinal(password: string, clientFirst: string, serverFirst: string): string {
  const field = (name: string) => new RegExp(`${name}=([^,]*)`).exec(serverFirst)?.[1] ?? "";
  const salted = pbkdf2Sync(password, Buffer.from(field("s"), "base64"), Number(field("i")), 32, "sha256");
  const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const clientKey = hmac(salted, "Client Key");
  const storedKey = createHash("sha256").update(clientKey).digest();
  const withoutProof = `c=biws,r=${field("r")}`;
  const signature = hmac(storedKey, `${clientFirst},${serverFirst},${withoutProof}`);
  const proof = clientKey.map((byte, index) => byte ^ signature[index]!);
  return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`;
}

/** Parse, Bind and Execute of one statement; unnamed where no name is given. */
export function run(sql: string, options: { name?: string; values?: unknown[]; rows?: number } = {}): Buffer {
  const { name = "", values = [], rows = 0 } = options;
  return Buffer.concat([
    serialize.parse({ name, text: sql, types: [] }),
    serialize.bind({ statement: name, portal: name, values }),
    serialize.execute({ portal: name, rows }),
  ]);
}
