/** A typed message of the PostgreSQL v3 protocol with its raw bytes: type, int32 length, body (manual 55.7). */
export interface Frame {
  readonly type: string;
  readonly raw: Buffer;
}

export function bodyOf(frame: Frame): Buffer {
  return frame.raw.subarray(5);
}

/**
 * Cuts typed frames out of a byte stream, whatever its chunks. Bytes are never changed, so a proxy that
 * forwards `raw` is byte-exact. Throws on a length below 4, which no peer that speaks the protocol sends.
 */
export class FrameCutter {
  // A list that is joined once a frame is complete: joining per chunk makes a 20 MB value take 10 s.
  private chunks: Buffer[] = [];
  private have = 0;
  private need = 5;

  push(chunk: Buffer): Frame[] {
    this.chunks.push(chunk);
    this.have += chunk.length;
    if (this.have < this.need) return [];
    const bytes = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.have);
    const frames: Frame[] = [];
    let offset = 0;
    this.need = 5;
    while (bytes.length - offset >= 5) {
      const length = bytes.readInt32BE(offset + 1);
      if (length < 4) throw new Error(`protocol message with length ${length}`);
      if (bytes.length - offset < 1 + length) {
        this.need = 1 + length;
        break;
      }
      const raw = bytes.subarray(offset, offset + 1 + length);
      frames.push({ type: String.fromCharCode(raw[0]!), raw });
      offset += 1 + length;
    }
    this.have = bytes.length - offset;
    this.chunks = this.have > 0 ? [bytes.subarray(offset)] : [];
    return frames;
  }
}

/** Reads a message body from front to back. */
export class BodyReader {
  constructor(
    private readonly bytes: Buffer,
    private offset = 0,
  ) {}

  text(): string {
    const end = this.bytes.indexOf(0, this.offset);
    if (end < 0) throw new Error("protocol string without its end");
    const value = this.bytes.toString("utf8", this.offset, end);
    this.offset = end + 1;
    return value;
  }

  byte(): number {
    return this.bytes.readUInt8(this.offset++);
  }

  int16(): number {
    const value = this.bytes.readInt16BE(this.offset);
    this.offset += 2;
    return value;
  }

  int32(): number {
    const value = this.bytes.readInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  bytesOf(length: number): Buffer {
    if (this.offset + length > this.bytes.length) throw new Error("protocol value longer than its message");
    const value = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return value;
  }
}
