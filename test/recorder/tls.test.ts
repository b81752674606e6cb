import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chownSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { selfSignedCertificate } from "../../src/recorder/certificate";
import type { RecorderOptions } from "../../src/recorder/recorder";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testClient, testServer } from "../support/database";
import { python } from "./python";
import { type Recorded, record } from "./recorded";

const run = promisify(execFile);

let server: TestServer;
let database: ShadowDatabase;
let folder: string;
const open: Recorded[] = [];

beforeAll(async () => {
  server = await testServer();
  database = await server.database();
  folder = await mkdtemp(join(tmpdir(), "recorder-tls-"));
  await using connection = await testClient(database.address);
  const { client } = connection;
  await client.query(
    "create table alembic_version(version_num text); insert into alembic_version values ('a')",
  );
  // TLS for those that ask for it, with a certificate that openssl made.
  const { rows } = await client.query("select current_setting('data_directory') as directory");
  const [key, cert] = [join(rows[0].directory, "tls.key"), join(rows[0].directory, "tls.crt")];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  await run("openssl", [...args, "-keyout", key, "-out", cert]);
  const { uid, gid } = statSync(rows[0].directory);
  for (const file of [key, cert]) chownSync(file, uid, gid);
  for (const [name, value] of Object.entries({ ssl_key_file: key, ssl_cert_file: cert, ssl: "on" })) {
    await client.query(`alter system set ${name} = '${value}'`);
  }
  await client.query("select pg_reload_conf()");
});
afterEach(async () => {
  for (const recorded of open.splice(0)) await recorded[Symbol.asyncDispose]();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function gate(
  upstream: "plain" | "tls",
  certificate?: RecorderOptions["certificate"],
): Promise<Recorded> {
  const { host, port } = database.address;
  const recorded = await record(database.address, {
    upstream: {
      host,
      port,
      socket: undefined,
      tls: upstream === "tls" ? { rejectUnauthorized: false } : undefined,
    },
    ...(certificate === undefined ? {} : { certificate }),
  });
  open.push(recorded);
  return recorded;
}

const script = `
import asyncio, json, os, sys
host, port, database, driver, options = sys.argv[1:6]
options = json.loads(options)
write = "UPDATE alembic_version SET version_num='tls' WHERE version_num<>'-'"

async def with_asyncpg():
    import asyncpg
    connection = await asyncpg.connect(host=host, port=port, database=database, **options)
    async with connection.transaction():
        await connection.execute(write)
        one = await connection.fetchval("select length($1)", "x" * 300000)
    try:
        await connection.execute("select pg_sleep(20)", timeout=0.3)
    except asyncio.TimeoutError:
        pass
    await connection.close()
    return one

def with_libpq(module):
    import threading
    connection = module.connect(host=host, port=port, dbname=database, **options)
    cursor = connection.cursor()
    cursor.execute(write)
    cursor.execute("select length(%s)", ("x" * 300000,))
    one = cursor.fetchone()[0]
    connection.commit()
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    try:
        cursor.execute("select pg_sleep(20)")
    except Exception as error:
        assert error.__class__.__name__ == "QueryCanceled", error
    timer.join()
    connection.close()
    return one

try:
    if driver == "asyncpg":
        result = asyncio.run(with_asyncpg())
    else:
        result = with_libpq(__import__(driver))
except Exception as error:
    result = f"{type(error).__name__}: {error}"
print(result)
`;

async function connect(recorded: Recorded, driver: string, options: object): Promise<string> {
  return (await python(script, recorded.address, [driver, JSON.stringify(options)])).trim();
}

test("the certificate is one for node and for openssl, and its key never the same", async () => {
  const own = selfSignedCertificate();
  const parsed = new X509Certificate(own.cert);
  expect(parsed.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect(parsed.checkHost("localhost")).toBe("localhost");
  expect(parsed.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(parsed.checkIssued(parsed)).toBe(true);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.ca).toBe(false);
  expect(new Date(parsed.validFrom).getTime()).toBeLessThan(Date.now());
  expect(new Date(parsed.validTo).getTime()).toBeGreaterThan(Date.now() + 20 * 24 * 3_600_000);
  expect(selfSignedCertificate().key).not.toBe(own.key);
  for (let count = 0; count < 50; count++) new X509Certificate(selfSignedCertificate().cert);

  const file = join(folder, "own.crt");
  await writeFile(file, own.cert);
  expect((await run("openssl", ["verify", "-x509_strict", "-CAfile", file, file])).stdout).toBe(
    `${file}: OK\n`,
  );
  const { stdout } = await run("openssl", ["x509", "-in", file, "-noout", "-text"]);
  expect(stdout).toMatch(
    /Version: 3.*ecdsa-with-SHA256.*prime256v1.*CA:FALSE.*TLS Web Server Authentication/s,
  );

  const listener = tls.createServer({ ...own }, (socket) => socket.end("hello")).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as net.AddressInfo;
  const socket = tls.connect({ host: "127.0.0.1", port, ca: own.cert });
  const [greeting] = (await once(socket, "data")) as [Buffer];
  expect(greeting.toString()).toBe("hello");
  expect(socket.authorized).toBe(true);
  listener.close();
});

const demanding = [
  ["psycopg2", { sslmode: "require" }],
  ["psycopg2", { sslmode: "prefer" }],
  ["psycopg2", { sslmode: "disable" }],
  ["psycopg", { sslmode: "require" }],
  ["psycopg", { sslmode: "require", sslnegotiation: "direct" }],
  ["asyncpg", { ssl: "require" }],
  ["asyncpg", {}],
] as const;

test.each(demanding)("%s with %j to a server in plain text", async (driver, options) => {
  const recorded = await gate("plain");
  expect(await connect(recorded, driver, options)).toBe("300000");
  await recorded.recorder.idle(5_000);
  const { boundaries, failures } = recorded.recorder.takeRecording();
  expect(boundaries.map(({ heads, outcome, failure }) => [heads, outcome, failure])).toEqual([
    [["tls"], "committed", undefined],
  ]);
  expect(failures).toEqual([]);
});

test.each<[string, object]>([
  ["psycopg2", { sslmode: "require", channel_binding: "disable" }],
  ["psycopg2", { sslmode: "disable" }],
  ["psycopg", { sslmode: "disable" }],
  ["asyncpg", { ssl: "require" }],
  ["asyncpg", { ssl: false }],
])("%s with %j to a server with TLS", async (driver, options) => {
  const recorded = await gate("tls");
  expect(await connect(recorded, driver, options)).toBe("300000");
  await recorded.recorder.idle(5_000);
  const { boundaries, failures } = recorded.recorder.takeRecording();
  expect(boundaries.map(({ heads, outcome, failure }) => [heads, outcome, failure])).toEqual([
    [["tls"], "committed", undefined],
  ]);
  expect(failures).toEqual([]);
});

test.each(["psycopg2", "psycopg"])(
  "%s that could bind the channel of two TLS connections is told what to set",
  async (driver) => {
    const recorded = await gate("tls");
    const text =
      "channel binding cannot pass the recorder, because TLS ends there: set PGCHANNELBINDING=disable or channel_binding=disable";
    expect(await connect(recorded, driver, { sslmode: "require" })).toContain(
      `FATAL:  migration-gate: ${text}`,
    );
    expect(recorded.recorder.takeRecording().failures).toEqual([`connection refused: ${text}`]);
  },
);

test.each(["plain", "tls"] as const)(
  "channel_binding=require fails with libpq's own words, upstream %s",
  async (upstream) => {
    const recorded = await gate(upstream);
    expect(await connect(recorded, "psycopg2", { sslmode: "require", channel_binding: "require" })).toMatch(
      /channel binding/,
    );
  },
);

test.each(["psycopg2", "psycopg", "asyncpg"])(
  "%s with verify-full is told why it cannot be",
  async (driver) => {
    const recorded = await gate("plain");
    const root = join(folder, "other.crt");
    await writeFile(root, selfSignedCertificate().cert);
    const ask = driver === "asyncpg" ? { ssl: "verify-full" } : { sslmode: "verify-full", sslrootcert: root };
    const environment = { PGSSLROOTCERT: root };
    const answer = await python(script, recorded.address, [driver, JSON.stringify(ask)], environment);
    expect(answer).toMatch(/certificate|SSL/i);
    await recorded.recorder.idle(5_000);
    const { failures } = recorded.recorder.takeRecording();
    expect(failures[0]).toMatch(
      /^connection refused: TLS with the migration tool failed \(.*\); the recorder's certificate is its own, so sslmode=verify-full and verify-ca cannot succeed: use sslmode=require$/,
    );
  },
);

test("verify-full succeeds with a certificate that the client knows", async () => {
  const own = selfSignedCertificate();
  const root = join(folder, "known.crt");
  await writeFile(root, own.cert);
  const recorded = await gate("plain", own);
  const options = { sslmode: "verify-full", sslrootcert: root, host: "localhost", hostaddr: "127.0.0.1" };
  const answer = await python(script.replaceAll("host=host, ", ""), recorded.address, [
    "psycopg2",
    JSON.stringify(options),
  ]);
  expect(answer.trim()).toBe("300000");
});

test("a server without TLS that was to have it", async () => {
  const listener = net.createServer((socket) =>
    socket.on("data", () => socket.write("N")).on("error", () => undefined),
  );
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as net.AddressInfo;
  const recorded = await record(database.address, {
    upstream: { host: "127.0.0.1", port, socket: undefined, tls: { rejectUnauthorized: false } },
  });
  open.push(recorded);
  expect(await connect(recorded, "psycopg2", {})).toContain(
    "the shadow server cannot be reached: it refused TLS",
  );
  listener.close();
});

test("data behind the TLS request ends the connection", async () => {
  const recorded = await gate("plain");
  const socket = net.connect(recorded.port, "127.0.0.1");
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47, 0, 0, 0, 9]));
  socket.on("error", () => undefined);
  socket.resume();
  await once(socket, "close");
  expect(recorded.recorder.takeRecording().failures).toEqual([
    "connection 1: the client sent data behind its TLS request",
  ]);
});

test("garbage instead of a handshake", async () => {
  const recorded = await gate("plain");
  const socket = net.connect(recorded.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
  await once(socket, "data");
  socket.write(Buffer.alloc(200, 0x55));
  socket.resume();
  await once(socket, "close");
  await recorded.recorder.idle(1_000);
  expect(recorded.recorder.takeRecording().failures).toEqual([
    expect.stringContaining("TLS with the migration tool failed (wrong version number)"),
  ]);
});
