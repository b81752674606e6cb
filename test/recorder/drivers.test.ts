import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testServer } from "../support/database";
import { python } from "./python";
import { type Recorded, record } from "./recorded";

let server: TestServer;
let database: ShadowDatabase;
let recorded: Recorded;
let direct: Record<string, unknown>;
let through: Record<string, unknown>;

beforeAll(async () => {
  server = await testServer();
  database = await server.database();
  recorded = await record(database.address);
  const script = await readFile(join(import.meta.dirname, "drivers.py"), "utf8");
  const of = async (address: typeof database.address) => JSON.parse(await python(script, address));
  direct = await of(recorded.direct);
  through = await of(recorded.address);
  await recorded.recorder.idle(5_000);
});
afterAll(async () => {
  await recorded[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test("20 scenarios of three drivers end the same past the recorder and through it", () => {
  expect(Object.keys(direct).length).toBeGreaterThanOrEqual(20);
  expect(
    Object.entries(direct).filter(([, result]) => /^\w*(Error|Exception): /.test(String(result))),
  ).toEqual([]);
  expect(through).toEqual(direct);
});

test("all that was written to the version table has its boundary", () => {
  const { boundaries, failures, statements } = recorded.recorder.takeRecording();
  expect(failures).toEqual([]);
  expect(boundaries.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(boundaries.filter(({ outcome }) => outcome === "pending")).toEqual([]);
  const heads = (outcome: string) =>
    new Set(
      boundaries.filter((boundary) => boundary.outcome === outcome).flatMap((boundary) => boundary.heads),
    );
  const committed = [
    "p2",
    "cursor",
    "serializable",
    "auto",
    "n0",
    "n19",
    "é",
    "p5",
    "pl",
    "pm",
    "outer",
    "hold",
  ];
  for (const version of [...committed, "tenant", "low", "async", "async pipeline", "ap", "l4"]) {
    expect(heads("committed")).toContain(version);
  }
  for (const version of ["abrupt", "inner", "terminated"]) {
    expect(heads("rolled back")).toContain(version);
    expect(heads("committed")).not.toContain(version);
  }
  expect(heads("committed")).not.toContain("lost");
  expect(heads("committed")).not.toContain("skipped");
  expect(statements.filter(({ sql }) => sql === "")).toEqual([]);
});
