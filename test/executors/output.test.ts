import { expect, test } from "vitest";
import { cleanOutput, keptOutputBytes, OutputTail } from "../../src/executors/output";

test.each<[name: string, raw: string, clean: string]>([
  ["colours", "\u001b[1;31mERROR\u001b[0m x", "ERROR x"],
  ["title and link", "\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\b", "ab"],
  ["an unfinished title", "\u001b]0;title", "0;title"],
  ["cursor, charset, one-byte CSI", "\u001b7\u001b(Ba\u009b2Kb", "ab"],
  ["progress bar", "10%\r20%\r\n30%\n", "10%\n20%\n30%\n"],
  ["control and direction characters", "a\u0000\u0008b\u202ec\u2028d\te", "abcd\te"],
  [
    "GitHub's commands",
    "::set-output name=a::b\n  \t::error::x\na::b",
    ": :set-output name=a::b\n  \t: :error::x\na::b",
  ],
  [
    "a command that only cleaning would make",
    "\u001b[0m::warning::x\r::debug::y",
    ": :warning::x\n: :debug::y",
  ],
  ["old commands", "x ##[error]y ##vso[task]z ##", "x # #[error]y # #vso[task]z ##"],
])("cleanOutput: %s", (_name, raw, clean) => {
  expect(cleanOutput(raw)).toBe(clean);
});

test.each<[name: string, chunks: Buffer[], end: { output: string; outputCut: boolean }]>([
  ["nothing", [], { output: "", outputCut: false }],
  ["a character split in two", [Buffer.from([0xc3]), Buffer.from([0xbc])], { output: "ü", outputCut: false }],
  ["invalid UTF-8", [Buffer.from([0x61, 0xff, 0x62])], { output: "a\ufffdb", outputCut: false }],
  [
    "exactly what fits",
    [Buffer.alloc(keptOutputBytes, "x")],
    { output: "x".repeat(keptOutputBytes), outputCut: false },
  ],
  [
    "one byte more, in chunks",
    [Buffer.from("cut\n"), Buffer.from("whole\n"), Buffer.alloc(keptOutputBytes - 7, "x")],
    { output: `whole\n${"x".repeat(keptOutputBytes - 7)}`, outputCut: true },
  ],
  [
    "one line without an end",
    [Buffer.alloc(keptOutputBytes * 3, "x")],
    { output: "x".repeat(keptOutputBytes), outputCut: true },
  ],
])("OutputTail: %s", (_name, chunks, end) => {
  const tail = new OutputTail();
  for (const chunk of chunks) tail.push(chunk);
  expect(tail.end()).toEqual(end);
});

test("lines as they come, split anywhere, and a line without an end in pieces", () => {
  const text = Buffer.from("\u001b[1mfirst\u001b[0m\r\nzwüite\n\nlast");
  for (let at = 0; at <= text.length; at++) {
    const lines: string[] = [];
    const tail = new OutputTail((line) => lines.push(line));
    tail.push(text.subarray(0, at));
    tail.push(text.subarray(at));
    tail.end();
    expect(lines).toEqual(["first", "zwüite", "", "last"]);
  }
  const lengths: number[] = [];
  const tail = new OutputTail((line) => lengths.push(line.length));
  for (let chunk = 0; chunk < 3; chunk++) tail.push(Buffer.alloc(6000, "x"));
  tail.end();
  expect(lengths).toEqual([12000, 6000]);
});
