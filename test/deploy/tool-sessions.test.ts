import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leftNotes, RunningNote } from "../../src/deploy/running-note";
import type { DeployReport } from "../../src/model/deployment";
import { type TestServer, testClient, testServer } from "../support/database";
import { deploy, deployedProject, reportOf, startDeploy, table } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("an application that changes a table meanwhile keeps its session, where the tool's cannot be told", async () => {
  const slow = { id: "slow", up: 'print("slow", flush=True)\ntime.sleep(4)' };
  await using project = await deployedProject([table("one"), slow], "asyncpg");
  // The name says that the work is done by another machine: no port of this one tells the tool's sessions.
  writeFileSync(join(project.path, "ssh"), '#!/bin/sh\nexec alembic "$@"\n', { mode: 0o755 });
  await using database = await server.database();
  await deploy("apply", project, database.address, { args: ["--to", "one"] });
  const gate = await startDeploy("apply", project, database.address, { args: ["--run", "./ssh"] });
  let said = "";
  gate.child.stderr?.on("data", (text: string) => {
    said += text;
  });
  while (!said.includes("| slow") && gate.child.exitCode === null) await sleep(20);
  await using application = await testClient(database.address);
  await application.client.query("begin");
  await application.client.query("alter table one add column written_meanwhile int");
  await sleep(1_000);
  await application.client.query("commit");
  const end = await gate.ended;
  expect([end.code, reportOf<DeployReport>(end).state], end.stderr).toEqual([0, "at target"]);
  const { rows } = await application.client.query("select 1 as alive");
  expect(rows).toEqual([{ alive: 1 }]);
});

test("what a gate that is gone had noted stays until its sessions are ended", () => {
  const folder = mkdtempSync(join(tmpdir(), "gate-notes-"));
  const session = { pid: 4711, backendStart: "2026-11-22 08:00:00+00" };
  new RunningNote(folder, "h:1/d").add(session);
  expect(leftNotes(folder, "h:1/d").sessions).toEqual([]);
  const [name = ""] = readdirSync(folder);
  const note = JSON.parse(readFileSync(join(folder, name), "utf8"));
  writeFileSync(join(folder, name), JSON.stringify({ ...note, owner: { ...note.owner, pid: 2 ** 30 } }));
  renameSync(join(folder, name), join(folder, "running-1073741824.json"));
  expect(leftNotes(folder, "h:1/d").sessions).toEqual([session]);
  const again = leftNotes(folder, "h:1/d");
  expect(again.sessions).toEqual([session]);
  again.remove();
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
