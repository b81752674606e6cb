import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testClient, testServer } from "../support/database";

import { alembicProject, withPython } from "../support/project";
import { type BuiltAction, buildAction } from "./built-action";
import { runDirectly } from "./direct";

let server: TestServer;
let action: BuiltAction;
beforeAll(async () => {
  [server, action] = await Promise.all([testServer(), buildAction()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await action[Symbol.asyncDispose]();
});

const table = (id: string, down: string | null) => ({
  id,
  down,
  upgrade: `op.execute("CREATE TABLE t_${id} (id int)")`,
  downgrade: `op.execute("DROP TABLE t_${id}")`,
});
const revisions = [table("a1", null), table("b2", "a1"), table("c3", "b2")];

test("a step with command: status tells later steps and the summary page what is pending", async () => {
  await using project = await alembicProject({ revisions });
  await using database = await server.database();
  const env = { ...withPython(), DATABASE_URL: urlOf(database.address) };
  execFileSync("alembic", ["upgrade", "a1"], { cwd: project.path, env, stdio: "pipe" });
  const url = urlOf(database.address);
  const inputs = { command: "status", "database-url": url };
  const done = await runDirectly({ action: action.path, cwd: project.path, inputs });
  expect(done.code, done.stdout + done.stderr).toBe(1);
  expect(done.outputs).toMatch(/^status<<.*\npending\n/m);
  expect(done.outputs).toMatch(/^pending-revisions<<.*\nb2 c3\n/m);
  expect(done.summary).toContain("2 pending, 1 applied.");
  const shown = done.stdout.split("\n").filter((line) => !line.startsWith("::add-mask::"));
  expect([...shown, done.summary, done.outputs, done.stderr].join("\n")).not.toContain(
    String(database.address.password),
  );
  const tolerant = await runDirectly({
    action: action.path,
    cwd: project.path,
    inputs: { ...inputs, "status-fails": "unknown" },
  });
  expect(tolerant.code).toBe(0);
  await using owner = await testClient(database.address);
  await owner.client.query("update alembic_version set version_num = 'lost'");
  const unknown = await runDirectly({
    action: action.path,
    cwd: project.path,
    inputs: { ...inputs, "status-fails": "unknown" },
  });
  expect(unknown.code).toBe(1);
  expect(unknown.outputs).toMatch(/^unknown-revisions<<.*\nlost\n/m);
});

test("without an address it ends with 2 and says which variable is not set", async () => {
  await using project = await alembicProject({ revisions });
  const done = await runDirectly({
    action: action.path,
    cwd: project.path,
    inputs: { command: "status" },
    env: { DATABASE_URL: undefined },
  });
  expect(done.code).toBe(2);
  expect(done.stdout).toContain("No database is named: DATABASE_URL is not set.");
  expect(done.summary).toContain("database's address into DATABASE_URL");
});
