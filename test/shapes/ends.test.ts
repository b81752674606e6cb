import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testClient, testServer } from "../support/database";
import { startGate } from "../support/gate";
import { until } from "../support/until";
import { checkoutOf, folder } from "./checkout";
import { project, revision, revisionFiles } from "./shape";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Waits where it meets rows: in the deploy lane alone. */
const waits = revisionFiles(
  revision(
    "0003",
    "0002",
    'if op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar():\n    (here / "reached").touch()\n    time.sleep(300)',
    "",
    { preamble: "import pathlib, time\nhere = pathlib.Path(__file__).parents[2]" },
  ),
);

function processesOf(folderName: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return `${command}${environment}`.includes(folderName) ? [`${pid} ${command}`] : [];
    } catch {
      return [];
    }
  });
}

async function databases(): Promise<string[]> {
  await using session = await testClient(server.address);
  const { rows } = await session.client.query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE datname ~ 'gate'",
  );
  return rows.map(({ datname }) => datname);
}

describe("ended in the middle of the deploy lane", () => {
  test.each([
    ["SIGINT", 130, false],
    ["SIGTERM", 143, true],
  ] as const)("%s: no server, folder or database is left", async (signal, code, given) => {
    using temporary = folder("lane-ends");
    using cache = folder("lane-ends-cache");
    await using checkout = await checkoutOf(project(), waits);
    const { child, ended } = await startGate(["check", "--base", "main"], {
      cwd: checkout.project.path,
      env: {
        TMPDIR: temporary.path,
        MIGRATION_GATE_CACHE: cache.path,
        GATE_TEST_RUN: temporary.path,
        ...(given ? { MIGRATION_GATE_SHADOW_URL: urlOf(server.address) } : {}),
      },
    });
    try {
      await until(() => existsSync(join(checkout.project.path, "reached")), "rows", 180_000);
      child.kill(signal);
      const end = await ended;
      expect([end.signal ?? end.code, end.stdout]).toEqual([end.signal === null ? code : signal, ""]);
    } finally {
      child.kill("SIGKILL");
    }
    await until(() => processesOf(temporary.path).length === 0, "processes", 20_000).catch(() => undefined);
    expect({ processes: processesOf(temporary.path), files: readdirSync(temporary.path) }).toEqual({
      processes: [],
      files: [],
    });
    expect(await databases()).toEqual([]);
    expect(checkout.repository.git("worktree", "list").split("\n")).toHaveLength(1);
    expect(readdirSync(join(cache.path, "bases")).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
