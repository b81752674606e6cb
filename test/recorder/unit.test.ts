import { serialize } from "pg-protocol";
import { expect, test } from "vitest";
import { FrameCutter } from "../../src/recorder/frames";
import { emptyRecording } from "../../src/recorder/recording";
import { UnitTracker } from "../../src/recorder/unit";

function tracker(kept: number) {
  const recording = emptyRecording();
  let [statements, transactions, left] = [0, 0, kept];
  const units = new UnitTracker(1, {
    recording: () => recording,
    nextStatement: () => ++statements,
    nextTransaction: () => ++transactions,
    keeps: (bytes) => {
      left -= bytes;
      return left >= 0;
    },
  });
  const client = (...messages: Buffer[]) => {
    for (const frame of new FrameCutter("d").push(Buffer.concat(messages))) units.fromClient(frame);
  };
  const server = (text: string) => {
    const bytes = Buffer.from(text, "latin1");
    for (const frame of new FrameCutter("Dd").push(bytes)) units.fromServer(frame);
  };
  return { recording, units, client, server };
}

const message = (type: string, body: string) =>
  `${type}${String.fromCharCode(0, 0, 0, body.length + 4)}${body}`;
const complete = (tag: string) => message("C", `${tag}\0`);

test("texts and values beyond what may be kept are cut, and their statements cannot be replayed", () => {
  const { recording, units, client, server } = tracker(20_000);
  const long = `select '${"x".repeat(30_000)}'`;
  client(serialize.query(long));
  server(complete("SELECT 1"));
  units.ready("I");
  client(
    serialize.parse({ text: "insert into t values ($1)" }),
    serialize.bind({ values: ["abc"] }),
    serialize.execute({}),
    serialize.sync(),
  );
  server(message("1", "") + message("2", "") + complete("INSERT 0 1"));
  units.ready("I");
  const cut = { hex: "", cut: true };
  expect(recording.statements.map(({ sql, values, rows }) => [sql.length, values, rows])).toEqual([
    [10_000, [cut], 1],
    [25, [cut], 1],
  ]);
});

test("COPY data beyond 4 MB is not kept, and told to be missing", () => {
  const { recording, units, client, server } = tracker(1 << 30);
  client(serialize.query("copy t from stdin"));
  server(message("G", "\0\0\0"));
  for (let index = 0; index < 50; index++) client(serialize.copyData(Buffer.alloc(100_000)));
  client(serialize.copyDone());
  server(complete("COPY 1"));
  units.ready("I");
  expect([...recording.copied]).toEqual([[1, undefined]]);
});

test("what the connection's end left unanswered is told to be lost", () => {
  const { recording, units, client, server } = tracker(1 << 30);
  client(serialize.query("select 1"), serialize.query("select 2"));
  server(complete("SELECT 1"));
  units.abandon();
  expect(recording.statements.map(({ sql, error }) => [sql, error?.sqlstate])).toEqual([
    ["select 1", undefined],
    ["select 2", "08006"],
  ]);
});
