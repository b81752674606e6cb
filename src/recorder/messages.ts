import type { BoundValue, ServerError } from "../model/statement";
import { BodyReader, bodyOf, type Frame, type TextDecoding } from "./frames";
import type { TransactionState } from "./recording";

/** Values are kept for the replay up to this many bytes each; longer ones are cut and say so. */
const keptBytes = 1 << 20;

export interface ParseMessage {
  readonly name: string;
  readonly sql: string;
  readonly types: readonly number[];
}

export function decodeParse(frame: Frame, decoding?: TextDecoding): ParseMessage {
  const reader = new BodyReader(bodyOf(frame), 0, decoding);
  const name = reader.text();
  const sql = reader.text();
  const types: number[] = [];
  for (let left = reader.count(); left > 0; left--) types.push(reader.int32());
  return { name, sql, types };
}

export interface BindMessage {
  readonly portal: string;
  readonly statement: string;
  readonly values: readonly BoundValue[];
}

/** `keeps` is asked whether so many more bytes may be kept. */
export function decodeBind(
  frame: Frame,
  decoding?: TextDecoding,
  keeps: (bytes: number) => boolean = () => true,
): BindMessage {
  const reader = new BodyReader(bodyOf(frame), 0, decoding);
  const portal = reader.text();
  const statement = reader.text();
  const formats: number[] = [];
  for (let left = reader.count(); left > 0; left--) formats.push(reader.int16());
  const count = reader.count();
  const values: BoundValue[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.int32();
    if (length < 0) {
      values.push(null);
      continue;
    }
    const bytes = reader.bytesOf(length);
    const binary = (formats.length === 1 ? formats[0] : formats[index]) === 1;
    if (!keeps(Math.min(length, keptBytes))) values.push({ hex: "", cut: true });
    else if (binary || length > keptBytes) {
      values.push({ hex: bytes.toString("hex", 0, keptBytes), cut: length > keptBytes });
    } else values.push(decoding === undefined ? bytes.toString("utf8") : decoding.decode(bytes));
  }
  return { portal, statement, values };
}

/** The first column of a DataRow; null for NULL. */
export function firstColumn(frame: Frame): Buffer | null {
  const reader = new BodyReader(bodyOf(frame));
  if (reader.int16() < 1) return null;
  const length = reader.int32();
  return length < 0 ? null : reader.bytesOf(length);
}

/** Field codes are those of the manual, 55.8. */
export function decodeError(frame: Frame, decoding?: TextDecoding): ServerError {
  const reader = new BodyReader(bodyOf(frame), 0, decoding);
  const fields = new Map<string, string>();
  for (let code = reader.byte(); code !== 0; code = reader.byte()) {
    fields.set(String.fromCharCode(code), reader.text());
  }
  const position = fields.get("P");
  const names = { table: fields.get("t"), column: fields.get("c"), constraint: fields.get("n") };
  return {
    severity: fields.get("V") ?? fields.get("S") ?? "ERROR",
    sqlstate: fields.get("C") ?? "XX000",
    message: fields.get("M") ?? "",
    detail: fields.get("D"),
    hint: fields.get("H"),
    context: fields.get("W"),
    position: position === undefined ? undefined : Number(position),
    ...Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined)),
  };
}

function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`, "utf8");
}

function int16s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeInt16BE(value, 2 * index);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export const syncMessage = message("S");
export const flushMessage = message("H");

export function parseMessage(name: string, sql: string): Buffer {
  return message("P", cstring(name), cstring(sql), int16s(0));
}

/** Bind (text parameters, binary results) + Execute + Close portal, all under one reserved name. */
export function runMessages(name: string, values: readonly string[]): Buffer {
  const parameters = values.flatMap((value) => {
    const bytes = Buffer.from(value, "utf8");
    return [int32(bytes.length), bytes];
  });
  return Buffer.concat([
    message("B", cstring(name), cstring(name), int16s(0, values.length), ...parameters, int16s(1, 1)),
    message("E", cstring(name), int32(0)),
    message("C", Buffer.from("P"), cstring(name)),
  ]);
}

export function closeStatementMessage(name: string): Buffer {
  return message("C", Buffer.from("S"), cstring(name));
}

/** A refusal that a driver shows as the server's own. */
export function fatalMessage(sqlstate: string, text: string): Buffer {
  const field = (code: string, value: string) => Buffer.concat([Buffer.from(code), cstring(value)]);
  return message(
    "E",
    field("S", "FATAL"),
    field("V", "FATAL"),
    field("C", sqlstate),
    field("M", text),
    Buffer.from([0]),
  );
}

const plus = "SCRAM-SHA-256-PLUS\0";

/** True for an AuthenticationSASL message that offers channel binding. */
export function offersChannelBinding(frame: Frame): boolean {
  const body = bodyOf(frame);
  return body.length >= 4 && body.readInt32BE(0) === 10 && body.toString("latin1", 4).includes(plus);
}

/** Takes SCRAM-SHA-256-PLUS out of an AuthenticationSASL message: it binds to the TLS channel, and there are two. */
export function withoutChannelBinding(frame: Frame): Buffer {
  const mechanisms = bodyOf(frame).toString("latin1", 4).replace(plus, "");
  return message("R", int32(10), Buffer.from(mechanisms, "latin1"));
}

/** True for a SASLInitialResponse that says "I could have bound the channel" (RFC 5802, section 6: gs2 flag y). */
export function missesChannelBinding(frame: Frame): boolean {
  const reader = new BodyReader(bodyOf(frame));
  if (!reader.text().startsWith("SCRAM-")) return false;
  const length = reader.int32();
  return length > 0 && reader.bytesOf(1)[0] === 0x79;
}

export function readyMessage(state: TransactionState): Buffer {
  return message("Z", Buffer.from(state));
}
