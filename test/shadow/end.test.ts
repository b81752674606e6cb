import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serverAccount } from "../../src/shadow/account";
import { thisOwner } from "../../src/shadow/owner";
import { removeLeftovers } from "../../src/shadow/private-directory";
import { bundleGate, type GateReport, isRunning, startGate } from "./gate-process";
import { environment, temporaryDirectory } from "./temporary";

/** nobody: an ordinary user, where these tests run as root. */
const ordinaryUser = serverAccount() === undefined ? undefined : 65_534;

let scratch: Awaited<ReturnType<typeof temporaryDirectory>>;
let bundle: string;
beforeAll(async () => {
  scratch = await temporaryDirectory();
  bundle = await bundleGate(scratch.path);
});
afterAll(() => scratch[Symbol.asyncDispose]());

/** What of the server there still is, after at most 20 seconds. */
async function remains({ processes, dataDirectory }: GateReport): Promise<string[]> {
  const look = () => [
    ...processes.filter(isRunning).map((pid) => `process ${pid}`),
    ...(existsSync(dirname(dirname(dataDirectory))) ? [dataDirectory] : []),
  ];
  for (const end = Date.now() + 20_000; look().length > 0 && Date.now() < end; ) await sleep(50);
  return look();
}

/** The command lines that name the path, after at most 100 ms; initdb's own question for a version may outlive it. */
async function commandsWith(path: string): Promise<string[]> {
  const look = () =>
    execFileSync("ps", ["-ww", "-e", "-o", "args="], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(path) && !line.endsWith(" -V"));
  for (const end = Date.now() + 100; look().length > 0 && Date.now() < end; ) await sleep(10);
  return look();
}

describe("nothing is left of a server when the gate", () => {
  test.each([
    ["is told to stop", "SIGTERM"],
    ["is interrupted", "SIGINT"],
    ["loses its terminal", "SIGHUP"],
  ] as const)("%s (%s), and it dies of that signal", async (_, signal) => {
    using gate = startGate(bundle);
    const report = await gate.report;
    expect(isRunning(report.processes[0]!)).toBe(true);
    gate.child.kill(signal);
    expect(await gate.ended).toEqual({ code: null, signal });
    expect(await remains(report)).toEqual([]);
  });

  test.each([
    ["ends", "dispose", 0],
    ["exits in the middle", "exit", 3],
    ["has a bug", "throw", 2],
  ] as const)("%s", async (_, end, code) => {
    using gate = startGate(bundle, { end });
    const report = await gate.report;
    expect(await gate.ended).toEqual({ code, signal: null });
    expect(await remains(report)).toEqual([]);
  });

  test("runs as an ordinary user", async () => {
    using gate = startGate(bundle, {
      end: "dispose",
      ...(ordinaryUser === undefined ? {} : { uid: ordinaryUser }),
    });
    const report = await gate.report;
    expect(await gate.ended).toEqual({ code: 0, signal: null });
    expect(await remains(report)).toEqual([]);
  });

  test("is interrupted while the server starts", async () => {
    for (const milliseconds of [80, 200, 350]) {
      await using temporary = await temporaryDirectory();
      using gate = startGate(bundle, { env: { TMPDIR: temporary.path } });
      while (readdirSync(temporary.path).length === 0) await sleep(5);
      await sleep(milliseconds);
      gate.child.kill("SIGINT");
      expect(await gate.ended).toEqual({ code: null, signal: "SIGINT" });
      expect(readdirSync(temporary.path)).toEqual([]);
      expect(await commandsWith(temporary.path)).toEqual([]);
    }
  });
});

describe("the next start", () => {
  test("stops and removes what a killed gate left, and nothing of one that runs", async () => {
    // A folder of its own: the neighbours' starts remove what is left in the usual one.
    await using temporary = await temporaryDirectory();
    using _environment = environment({ TMPDIR: temporary.path });
    using killed = startGate(bundle);
    using running = startGate(bundle);
    const [left, used] = await Promise.all([killed.report, running.report]);
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(isRunning(left.processes[0]!)).toBe(true);
    await removeLeftovers();
    expect(left.processes.filter(isRunning)).toEqual([]);
    expect(existsSync(left.dataDirectory)).toBe(false);
    expect(isRunning(used.processes[0]!)).toBe(true);
    expect(existsSync(used.dataDirectory)).toBe(true);
    running.child.kill("SIGTERM");
    await running.ended;
  });

  const owner = thisOwner();
  const dayOld = new Date(Date.now() - 25 * 3_600_000);
  test.each([
    [
      "removes one whose owner's process id belongs to a later process",
      { ...owner, startTime: "1" },
      undefined,
      false,
    ],
    ["removes one whose owner is gone", { ...owner, pid: 2 ** 22 + 1 }, undefined, false],
    ["keeps one whose owner runs", owner, dayOld, true],
    ["keeps a new one of another machine", { ...owner, machine: "elsewhere" }, undefined, true],
    ["removes one of another machine after a day", { ...owner, machine: "elsewhere" }, dayOld, false],
    ["keeps a new one without an owner yet", undefined, undefined, true],
    ["removes one without an owner after a day", undefined, dayOld, false],
  ])("%s", async (_, written, modified, stays) => {
    await using temporary = await temporaryDirectory();
    using _environment = environment({ TMPDIR: temporary.path });
    const directory = join(temporary.path, "migration-gate-Left01");
    mkdirSync(join(directory, "server"), { recursive: true });
    if (written !== undefined) writeFileSync(join(directory, "owner.json"), JSON.stringify(written));
    if (modified !== undefined) utimesSync(directory, modified, modified);
    await removeLeftovers();
    expect(existsSync(directory)).toBe(stays);
  });

  test("does not end a process that only has the id of an old postmaster", async () => {
    await using temporary = await temporaryDirectory();
    using _environment = environment({ TMPDIR: temporary.path });
    const data = join(temporary.path, "migration-gate-Left01", "server", "data");
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, "../../owner.json"), JSON.stringify({ ...owner, startTime: "1" }));
    writeFileSync(join(data, "postmaster.pid"), `${process.pid}\n${data}\n`);
    await removeLeftovers();
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  test("does not follow a link", async () => {
    await using temporary = await temporaryDirectory();
    using _environment = environment({ TMPDIR: temporary.path });
    const precious = join(temporary.path, "precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "owner.json"), JSON.stringify({ ...owner, startTime: "1" }));
    symlinkSync(precious, join(temporary.path, "migration-gate-Link01"));
    await removeLeftovers();
    expect(readdirSync(precious)).toEqual(["owner.json"]);
    expect(readdirSync(temporary.path)).toEqual(["migration-gate-Link01", "precious"]);
  });
});
