import fc from "fast-check";
import { serialize } from "pg-protocol";
import { expect, test } from "vitest";
import { decodingOf } from "../../src/recorder/encoding";
import { bodiesOf, bytesOf, type Frame, FrameCutter } from "../../src/recorder/frames";
import { decodeBind, decodeParse } from "../../src/recorder/messages";
import { Queue } from "../../src/recorder/queue";

const name = fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !text.includes("\0"));
const value = fc.oneof(
  fc.constant(null),
  name,
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

/** Messages as pg's own writer builds them. */
const message = fc.oneof(
  name.map((text) => serialize.query(text)),
  fc.record({ name, text: name, types: fc.array(fc.nat(0x7fffffff), { maxLength: 5 }) }).map(serialize.parse),
  fc.record({ portal: name, statement: name, values: fc.array(value, { maxLength: 5 }) }).map(serialize.bind),
  fc.record({ portal: name, rows: fc.nat(100) }).map(serialize.execute),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => serialize.copyData(Buffer.from(bytes))),
  fc.constantFrom(serialize.sync(), serialize.flush(), serialize.copyDone(), serialize.end()),
  name.map((text) => serialize.close({ type: "S", name: text })),
);

function cut(bytes: Buffer, cuts: readonly number[], joined: string): Frame[] {
  const cutter = new FrameCutter(joined);
  const frames: Frame[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    frames.push(...cutter.push(bytes.subarray(from, to)));
    from = to;
  }
  return frames;
}

test("frames are what another writer wrote, wherever the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.infiniteStream(fc.nat(30)), (messages, steps) => {
      const bytes = Buffer.concat(messages);
      const cuts: number[] = [];
      for (const step of steps) {
        const at = (cuts.at(-1) ?? 0) + step + 1;
        if (at >= bytes.length) break;
        cuts.push(at);
      }
      const frames = cut(bytes, cuts, "");
      expect(frames.map(({ raw }) => raw.toString("hex"))).toEqual(
        messages.map((part) => part.toString("hex")),
      );
      expect(frames.map(({ type }) => type)).toEqual(messages.map((part) => part.toString("latin1", 0, 1)));
      const joined = cut(bytes, cuts, "d");
      expect(Buffer.concat(joined.map(({ raw }) => raw)).equals(bytes)).toBe(true);
      const data = (list: readonly Frame[]) =>
        list.filter(({ type }) => type === "d").flatMap((frame) => [...bodiesOf(frame)].map(String));
      expect(data(joined)).toEqual(data(frames));
    }),
    { numRuns: 300 },
  );
});

test("a stream cut at every byte gives the same frames", () => {
  const bytes = Buffer.concat([
    serialize.query("select 1"),
    serialize.copyData(Buffer.from("1\tx\n")),
    serialize.copyData(Buffer.from("2\ty\n")),
    serialize.copyDone(),
  ]);
  const whole = cut(bytes, [], "");
  for (let at = 0; at <= bytes.length; at++) expect(cut(bytes, [at], "")).toEqual(whole);
  const everywhere = Array.from({ length: bytes.length }, (_, at) => at);
  expect(cut(bytes, everywhere, "")).toEqual(whole);
  expect(cut(bytes, [], "d").map(({ type }) => type)).toEqual(["Q", "d", "c"]);
});

test("Parse and Bind are read as they were written", () => {
  fc.assert(
    fc.property(name, name, fc.array(value, { maxLength: 6 }), (portal, statement, values) => {
      const [frame] = new FrameCutter().push(serialize.bind({ portal, statement, values }));
      expect(decodeBind(frame!)).toEqual({
        portal,
        statement,
        values: values.map((one) => (Buffer.isBuffer(one) ? { hex: one.toString("hex"), cut: false } : one)),
      });
      const types = values.map((_, index) => index * 1000);
      const [parse] = new FrameCutter().push(serialize.parse({ name: portal, text: statement, types }));
      expect(decodeParse(parse!)).toEqual({ name: portal, sql: statement, types });
    }),
  );
});

test("60,000 parameters are counted without a sign", () => {
  const values = Array.from({ length: 60_000 }, () => "1");
  const [frame] = new FrameCutter().push(serialize.bind({ values }));
  expect(decodeBind(frame!).values).toHaveLength(60_000);
});

test("values that may not be kept are cut and say so", () => {
  const [frame] = new FrameCutter().push(serialize.bind({ values: ["abc", null, "x".repeat(2_000_000)] }));
  expect(decodeBind(frame!, undefined, () => false).values).toEqual([
    { hex: "", cut: true },
    null,
    { hex: "", cut: true },
  ]);
  expect(decodeBind(frame!).values[2]).toEqual({ hex: "78".repeat(1 << 20), cut: true });
});

test("a message of 64 MB in 1,000-byte pieces takes time in proportion to its length", () => {
  const time = (megabytes: number) => {
    const bytes = serialize.copyData(Buffer.alloc(megabytes << 20));
    const cutter = new FrameCutter("d");
    const started = performance.now();
    let frames = 0;
    for (let at = 0; at < bytes.length; at += 1000)
      frames += cutter.push(bytes.subarray(at, at + 1000)).length;
    expect(frames).toBe(1);
    return performance.now() - started;
  };
  time(1);
  // Joining per piece would copy two million megabytes.
  expect(time(64)).toBeLessThan(20_000);
});

test.each([0, 3, -1])("a message of length %i is refused", (length) => {
  const bytes = Buffer.alloc(5, "Q");
  bytes.writeInt32BE(length, 1);
  expect(() => new FrameCutter().push(bytes)).toThrow(`protocol message with length ${length}`);
  expect(() => cut(Buffer.concat([serialize.copyData(Buffer.from("x")), bytes]), [], "Q")).toThrow("length");
});

test("frames of one push are joined without a copy, others with one", () => {
  const bytes = Buffer.concat([serialize.sync(), serialize.flush(), serialize.query("x")]);
  const frames = new FrameCutter().push(bytes);
  const joined = bytesOf(frames, 0, 2);
  expect(joined.buffer).toBe(bytes.buffer);
  expect(joined.equals(bytes.subarray(0, 10))).toBe(true);
  const [other] = new FrameCutter().push(Buffer.from(serialize.sync()));
  expect(bytesOf([...frames, other!]).equals(Buffer.concat([bytes, serialize.sync()]))).toBe(true);
  expect(bytesOf([frames[2]!, frames[0]!]).equals(Buffer.concat([frames[2]!.raw, frames[0]!.raw]))).toBe(
    true,
  );
});

test("a queue gives back what it was given, in order", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(), fc.constant("take" as const)), { maxLength: 5000 }), (steps) => {
      const queue = new Queue<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === "take") {
          expect(queue.first).toBe(model.shift());
          queue.shift();
        } else {
          queue.push(step);
          model.push(step);
        }
        expect(queue.length).toBe(model.length);
      }
    }),
  );
  const queue = new Queue<number>();
  for (let index = 0; index < 200_000; index++) queue.push(index);
  for (let index = 0; index < 200_000; index++) {
    if (queue.first !== index) throw new Error(`${queue.first} instead of ${index}`);
    queue.shift();
  }
  expect(queue.length).toBe(0);
});

test.each([
  ["UTF8", Buffer.from("é"), undefined],
  ["SQL_ASCII", Buffer.from("é"), undefined],
  ["LATIN1", Buffer.from([0xe9, 0x80]), "é\u0080"],
  ["LATIN2", Buffer.from([0xb1]), "ą"],
  ["LATIN9", Buffer.from([0xa4]), "€"],
  ["WIN1250", Buffer.from([0x80]), "€"],
  ["WIN1252", Buffer.from([0xe9]), "é"],
  ["ISO_8859_5", Buffer.from([0xd0]), "а"],
  ["KOI8R", Buffer.from([0xc1]), "а"],
  ["EUC_JP", Buffer.from([0xa4, 0xa2]), "あ"],
  ["SJIS", Buffer.from([0x82, 0xa0]), "あ"],
  ["MULE_INTERNAL", Buffer.from("x"), undefined],
])("text of client_encoding %s", (encoding, bytes, text) => {
  expect(decodingOf(encoding)?.decode(bytes)).toBe(text);
});
