import { once } from "node:events";
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, connect as dial, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestServer, testServer } from "../support/database";
import { killAll } from "../support/kill";
import {
  ask,
  type Driver,
  deploy,
  deployedProject,
  noted,
  type RevisionText,
  records,
  reportOf,
  sql,
  startDeploy,
  table,
  tables,
} from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Waits in the server, or in Python, while the variable asks for it. */
const waiting = (where: "server" | "python"): RevisionText => ({
  id: "waits",
  up: [
    sql("CREATE TABLE waits (id int)"),
    'if os.environ.get("WAIT") == "1":',
    where === "server" ? '    op.execute("SELECT pg_sleep(300)")' : "    time.sleep(300)",
  ].join("\n"),
  down: sql("DROP TABLE waits"),
});

/** Once the revision waits: it has made its table, which another session sees by its lock alone. */
async function reached(address: Parameters<typeof ask>[0]): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const [count] = await ask(
      address,
      `select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
       and application_name not in ('migration-gate apply', 'migration-gate observer', 'migration-gate watch')
       and (query like '%pg_sleep%' or state = 'idle in transaction' and query ilike '%waits%')`,
    );
    if (Number(count) > 0) return;
    await sleep(100);
  }
  throw new Error("the revision never waited");
}

const toolSessions = (address: Parameters<typeof ask>[0]) =>
  ask(
    address,
    `select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
     and backend_type = 'client backend'`,
  );

const drivers: readonly Driver[] = ["psycopg2", "asyncpg"];

describe.each(drivers)("with %s", (driver) => {
  test.each(["server", "python"] as const)("SIGTERM while the revision waits in the %s", async (where) => {
    await using project = await deployedProject([table("one"), waiting(where)], driver);
    await using database = await server.database();
    const gate = await startDeploy("apply", project, database.address, { env: { WAIT: "1" } });
    await reached(database.address);
    gate.child.kill("SIGTERM");
    const end = await gate.ended;
    expect(end.signal, end.stderr).toBe("SIGTERM");
    expect(await tables(database.address)).toEqual([]);
    // The server sees the end of the gate's own sessions a moment later.
    await expect.poll(() => toolSessions(database.address), { timeout: 20_000 }).toEqual([0]);
    expect(records(project)).toMatchObject([
      {
        outcome: "failed",
        state: "unchanged",
        problems: [
          { what: "The gate was ended by a signal while the tool was at work; the tool was ended too." },
        ],
      },
    ]);
    const again = await deploy("apply", project, database.address);
    expect([again.code, again.report.heads.after]).toEqual([0, ["waits"]]);
  });

  test.each(["server", "python"] as const)("SIGKILL while the revision waits in the %s", async (where) => {
    await using project = await deployedProject([table("one"), waiting(where)], driver);
    await using database = await server.database();
    const gate = await startDeploy("apply", project, database.address, { env: { WAIT: "1" } });
    await reached(database.address);
    await noted(project);
    gate.child.kill("SIGKILL");
    await gate.ended;
    const again = await deploy("apply", project, database.address);
    expect([again.code, again.report.heads.after], again.stderr).toEqual([0, ["waits"]]);
    expect(await tables(database.address)).toEqual(["alembic_version", "one", "waits"]);
  });

  test("SIGKILL of the tool", async () => {
    await using project = await deployedProject(
      [
        table("one"),
        { id: "dies", up: [sql("CREATE TABLE dies (id int)"), "os.kill(os.getpid(), 9)"].join("\n") },
      ],
      driver,
    );
    await using database = await server.database();
    const { code, report } = await deploy("apply", project, database.address);
    expect([code, report.state, report.heads.after]).toEqual([2, "unchanged", []]);
    expect(await tables(database.address)).toEqual([]);
  });

  test("SIGKILL of the server: what became of it is not known, and a record says so", async () => {
    await using own = await testServer();
    await using project = await deployedProject([table("one"), waiting("server")], driver);
    const database = await own.database();
    const gate = await startDeploy("apply", project, database.address, { env: { WAIT: "1" } });
    await reached(database.address);
    killAll(own.shadow.processes());
    const end = await gate.ended;
    const report = reportOf(end);
    expect([end.code, report], end.stderr).toMatchObject([1, { outcome: "failed", state: "unknown" }]);
    expect(records(project)).toMatchObject([{ state: "unknown" }]);
  });
});

/** Forwards until it is cut; from then on nothing goes through, and nothing is closed. */
async function cuttable(port: number) {
  const sockets: Socket[] = [];
  let isCut = false;
  const proxy = createServer((client) => {
    const upstream = dial(port, "127.0.0.1");
    sockets.push(client, upstream);
    client.on("error", () => undefined);
    upstream.on("error", () => undefined);
    client.on("data", (data) => void (isCut || upstream.write(data)));
    upstream.on("data", (data) => void (isCut || client.write(data)));
    client.on("close", () => void (isCut || upstream.destroy()));
    upstream.on("close", () => void (isCut || client.destroy()));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as AddressInfo).port,
    cut: () => {
      isCut = true;
    },
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

test("a network that drops everything: the tool is ended, the state is not known, and it ends", async () => {
  await using project = await deployedProject([table("one"), waiting("server")]);
  await using database = await server.database();
  using proxy = await cuttable(database.address.port);
  const address = { ...database.address, port: proxy.port };
  const gate = await startDeploy("apply", project, address, { env: { WAIT: "1" } });
  await reached(database.address);
  proxy.cut();
  const end = await gate.ended;
  expect([end.code, reportOf(end)], end.stderr).toMatchObject([1, { state: "unknown" }]);
}, 180_000);

test("SIGTERM after the network was cut: the tool is ended, and a record says that nothing is known", async () => {
  await using project = await deployedProject([table("one"), waiting("python")]);
  await using database = await server.database();
  using proxy = await cuttable(database.address.port);
  const address = { ...database.address, port: proxy.port };
  const gate = await startDeploy("apply", project, address, { env: { WAIT: "1" } });
  await reached(database.address);
  proxy.cut();
  gate.child.kill("SIGTERM");
  const end = await gate.ended;
  expect(end.signal, end.stderr).toBe("SIGTERM");
  expect(records(project).filter(({ outcome }) => outcome === "failed")).toMatchObject([
    {
      state: "unknown",
      problems: [
        { what: "The gate was ended by a signal while the tool was at work; the tool was ended too." },
        { what: expect.stringMatching(/^A session of the tool may still be at work/) },
        { what: expect.stringMatching(/^The version table could not be read/) },
      ],
    },
  ]);
});

test("an invalid record folder stops everything before the start", async () => {
  await using project = await deployedProject([table("one")]);
  await using database = await server.database();
  const { ended } = await startDeploy("apply", project, database.address, {
    args: ["--record-directory", "alembic.ini/records"],
  });
  const end = await ended;
  expect(end.code).toBe(2);
  expect(JSON.parse(end.stdout)).toMatchObject({
    error: { what: "The record of what is done cannot be written." },
  });
  expect(await tables(database.address)).toEqual([]);
  expect(existsSync(`${project.path}/migration-gate-records`)).toBe(false);
});
