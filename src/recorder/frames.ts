/** A typed message of the PostgreSQL v3 protocol with its raw bytes: type, int32 length, body (manual 55.7). */
export interface Frame {
  readonly type: string;
  /** One message; with a type that the cutter joins, several of that type in a row. */
  readonly raw: Buffer;
}

export function bodyOf(frame: Frame): Buffer {
  return frame.raw.subarray(5);
}

/** The bodies of a frame whose type the cutter joins. */
export function* bodiesOf({ raw }: Frame): Generator<Buffer> {
  for (let offset = 0; offset < raw.length; ) {
    const end = offset + 1 + raw.readInt32BE(offset + 1);
    yield raw.subarray(offset + 5, end);
    offset = end;
  }
}

/** The bytes of frames in a row; not copied when they came out of the same `push`. */
export function bytesOf(frames: readonly Frame[], from = 0, to = frames.length): Buffer {
  const first = frames[from]!.raw;
  if (to - from === 1) return first;
  const last = frames[to - 1]!.raw;
  const length = last.byteOffset + last.length - first.byteOffset;
  let size = 0;
  for (let index = from; index < to; index++) size += frames[index]!.raw.length;
  if (first.buffer === last.buffer && length === size)
    return Buffer.from(first.buffer, first.byteOffset, size);
  return Buffer.concat(
    frames.slice(from, to).map(({ raw }) => raw),
    size,
  );
}

/**
 * Cuts typed frames out of a byte stream, whatever its chunks. Bytes are never changed, so a proxy that
 * forwards `raw` is byte-exact. Messages of the types in `joined` that follow each other come as one frame:
 * rows and COPY data then cost little each. Throws on a length below 4, which no peer that speaks the protocol sends.
 */
export class FrameCutter {
  // A list that is joined once a frame is complete: joining per chunk makes a 20 MB value take 10 s.
  private chunks: Buffer[] = [];
  private have = 0;
  private need = 5;
  private readonly joined: ReadonlySet<number>;

  constructor(joined = "") {
    this.joined = new Set(Buffer.from(joined, "latin1"));
  }

  push(chunk: Buffer): Frame[] {
    this.chunks.push(chunk);
    this.have += chunk.length;
    if (this.have < this.need) return [];
    const bytes = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.have);
    const frames: Frame[] = [];
    let offset = 0;
    let start = 0;
    this.need = 5;
    while (bytes.length - offset >= 5) {
      const length = bytes.readInt32BE(offset + 1);
      if (length < 4) throw new Error(`protocol message with length ${length}`);
      if (bytes.length - offset < 1 + length) {
        this.need = 1 + length;
        break;
      }
      const type = bytes[offset]!;
      offset += 1 + length;
      // Of a run only its end makes a frame.
      if (this.joined.has(type) && bytes[offset] === type && isWhole(bytes, offset)) continue;
      frames.push({ type: String.fromCharCode(type), raw: bytes.subarray(start, offset) });
      start = offset;
    }
    this.have = bytes.length - offset;
    this.chunks = this.have > 0 ? [bytes.subarray(offset)] : [];
    return frames;
  }
}

function isWhole(bytes: Buffer, offset: number): boolean {
  if (bytes.length - offset < 5) return false;
  const length = bytes.readInt32BE(offset + 1);
  return length >= 4 && bytes.length - offset >= 1 + length;
}

/** Text of the protocol as the client wrote it. */
export interface TextDecoding {
  decode(bytes: Buffer): string;
}

/** Reads a message body from front to back. */
export class BodyReader {
  constructor(
    private readonly bytes: Buffer,
    private offset = 0,
    private readonly decoding?: TextDecoding | undefined,
  ) {}

  text(): string {
    const end = this.bytes.indexOf(0, this.offset);
    if (end < 0) throw new Error("protocol string without its end");
    const value =
      this.decoding === undefined
        ? this.bytes.toString("utf8", this.offset, end)
        : this.decoding.decode(this.bytes.subarray(this.offset, end));
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

  /** Counts are unsigned: up to 65535 parameters. */
  count(): number {
    const value = this.bytes.readUInt16BE(this.offset);
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
