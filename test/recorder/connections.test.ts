import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serialize } from "pg-protocol";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testClient, testServer } from "../support/database";
import { ownServer } from "./own-server";
import { RawClient, run } from "./raw-client";
import { type Recorded, record } from "./recorded";

let server: TestServer;
let database: ShadowDatabase;
let recorded: Recorded;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  database = await server.database();
  await using connection = await testClient(database.address);
  await connection.client.query(
    "create table alembic_version(version_num varchar(32)); insert into alembic_version values ('a')",
  );
  recorded = await record(database.address);
});
afterEach(async () => {
  await recorded[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const write = (version: string) =>
  `UPDATE alembic_version SET version_num='${version}' WHERE version_num<>'-'`;

async function version(): Promise<string> {
  await using connection = await testClient(recorded.direct);
  return (await connection.client.query("select version_num from alembic_version")).rows[0].version_num;
}

test("a database of another name is refused", async () => {
  const client = await RawClient.silent(recorded.port);
  expect(await client.login({ ...recorded.address, database: "postgres" })).toBe("E:3D000 end");
  await expect(recorded.client({ database: "postgres" })).rejects.toThrow();
  const { failures, connections } = recorded.recorder.takeRecording();
  expect(failures[0]).toBe(
    `connection refused: the migration tool asked for the database "postgres" and may reach the shadow database "${database.name}" only`,
  );
  expect(connections).toBe(0);
});

test("a wrong password is the server's to refuse", async () => {
  await expect(recorded.client({ password: "wrong" })).rejects.toThrow(/password/);
  const { failures } = recorded.recorder.takeRecording();
  expect(failures).toEqual(['connection refused: password authentication failed for user "postgres"']);
});

test.each<[string, Buffer, string]>([
  [
    "HTTP",
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "it begins with a startup packet of 1195725856 bytes",
  ],
  ["a length of 4", Buffer.from([0, 0, 0, 4, 0, 0, 0, 0]), "it begins with a startup packet of 4 bytes"],
  ["protocol 2", Buffer.from([0, 0, 0, 9, 0, 2, 0, 0, 0]), "it speaks protocol 2.0"],
  [
    "no end of the parameters",
    Buffer.from([0, 0, 0, 12, 0, 3, 0, 0, 117, 115, 101, 114]),
    "its startup packet has no end",
  ],
])("a client that begins with %s is refused", async (_, bytes, reason) => {
  const client = await RawClient.silent(recorded.port);
  client.send(bytes);
  expect(await client.answers()).toBe("E:08P01 end");
  expect(recorded.recorder.takeRecording().failures).toEqual([
    `connection refused: the client does not speak PostgreSQL's protocol 3: ${reason}`,
  ]);
});

test("a client that never finishes its startup packet holds nothing up", async () => {
  const client = await RawClient.silent(recorded.port);
  client.send(Buffer.from([0, 0, 0, 50, 0, 3]));
  const other = await recorded.client();
  expect((await other.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await other.end();
  const started = performance.now();
  await recorded.recorder.idle(50);
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(await client.answers()).toBe("end");
});

test("a startup packet byte by byte, and a bad message length behind it", async () => {
  const client = await RawClient.silent(recorded.port);
  const { user, database: name } = recorded.address;
  for (const byte of serialize.startup({ user, database: name })) {
    client.send(Buffer.from([byte]));
    await sleep(0);
  }
  expect(await client.authenticate(recorded.address)).toMatch(/^R10 R11 R12 R0 (S )+K Z:I$/);
  client.send(Buffer.from([0x51, 0, 0, 0, 1]));
  expect(await client.answers()).toBe("end");
  expect(recorded.recorder.takeRecording().failures).toEqual([
    "connection 1: protocol message with length 1",
  ]);
});

test("protocol 3.2 is negotiated as the server likes it", async () => {
  const words: string[] = [];
  for (const address of [recorded.direct, recorded.address]) {
    const client = await RawClient.silent(address.port);
    const packet = serialize.startup({ user: address.user, database: address.database, "_pq_.extra": "1" });
    packet.writeInt32BE((3 << 16) | 2, 4);
    client.send(packet);
    words.push(await client.authenticate(address), await client.query("select 1"));
    await client.end();
  }
  expect(words[2]).toBe(words[0]);
  expect(words[0]).toMatch(/\bv\b/);
  expect(words[3]).toBe("T D:1 C:SELECT 1 Z:I");
});

test("a server that is reached by its Unix socket", async () => {
  await using observer = await testClient(recorded.direct);
  const { rows } = await observer.client.query("select current_setting('unix_socket_directories') as folder");
  const { host, port } = recorded.direct;
  const socket = `${rows[0].folder.replaceAll('"', "")}/.s.PGSQL.${port}`;
  await using gate = await record(recorded.direct, { upstream: { host, port, socket, tls: undefined } });
  const client = await gate.client();
  expect((await client.query("select inet_client_addr() as address")).rows).toEqual([{ address: null }]);
});

test("GSSENCRequest is answered with no", async () => {
  const socket = net.connect(recorded.port, "127.0.0.1");
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 48]));
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toBe("N");
  socket.destroy();
});

test("a client that goes abruptly is rolled back before the recorder is idle", async () => {
  for (const destroy of [true, false]) {
    const client = await RawClient.open(recorded.address);
    await client.query("begin");
    await client.query(write("lost"));
    await client.query("lock table alembic_version");
    if (destroy) client.socket.resetAndDestroy();
    else client.socket.end();
    await recorded.recorder.idle(5_000);
    await using observer = await testClient(recorded.direct);
    const { rows } = await observer.client.query(
      "select count(*)::int as n from pg_locks l join pg_class c on c.oid = l.relation where relname = 'alembic_version'",
    );
    expect(rows).toEqual([{ n: 0 }]);
    const { boundaries, failures } = recorded.recorder.takeRecording();
    expect(boundaries.map(({ heads, outcome }) => [heads, outcome])).toEqual([[["lost"], "rolled back"]]);
    expect(failures).toEqual([]);
  }
  expect(await version()).toBe("a");
});

test("a client that goes while it is inspected, and one that sent its COMMIT ahead", async () => {
  const client = await RawClient.open(recorded.address);
  client.send(
    serialize.query("begin"),
    serialize.query(write("sent")),
    serialize.query("commit"),
    serialize.end(),
  );
  client.socket.end();
  await recorded.recorder.idle(5_000);
  const { boundaries } = recorded.recorder.takeRecording();
  expect(boundaries.map(({ heads, outcome, failure }) => [heads, outcome, failure])).toEqual([
    [["sent"], "committed", undefined],
  ]);
  expect(await version()).toBe("sent");
});

test("a statement that the client did not wait for", async () => {
  const client = await RawClient.open(recorded.address);
  client.send(serialize.query("select pg_sleep(0.2)"));
  await sleep(50);
  client.socket.destroy();
  await recorded.recorder.idle(5_000);
  const other = await RawClient.open(recorded.address);
  other.send(serialize.query("select pg_sleep(30)"));
  await sleep(50);
  other.socket.destroy();
  await recorded.recorder.idle(100);
  const [waited, cut] = recorded.recorder.takeRecording().statements;
  expect([waited?.error, cut?.error?.sqlstate]).toEqual([undefined, "08006"]);
});

test("the session's end by the server reaches the client", async () => {
  const client = await RawClient.open(recorded.address);
  await client.query("begin");
  await client.query(write("lost"));
  await using observer = await testClient(recorded.direct);
  await observer.client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'",
  );
  expect(await client.answers()).toBe("E:57P01 end");
  await recorded.recorder.idle(5_000);
  expect(recorded.recorder.takeRecording().boundaries.map(({ outcome }) => outcome)).toEqual(["rolled back"]);
});

test("a server that is killed, also while it is inspected", async () => {
  await using doomed = await ownServer({});
  await using setup = await testClient(doomed.address);
  setup.client.on("error", () => undefined);
  await setup.client.query("create table alembic_version(version_num text)");
  await using gate = await record(doomed.address);
  const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.open(gate.address)));
  await clients[0]!.query("begin");
  await clients[0]!.query(write("open"));
  let ended = 0;
  const work = clients.map(async (client, index) => {
    while (!client.ended) {
      if (index > 0) await client.query(write(String(index)));
      else await client.answers();
    }
    ended += 1;
  });
  await sleep(150);
  doomed.process.kill("SIGQUIT");
  await Promise.all(work);
  expect(ended).toBe(6);
  const started = performance.now();
  await gate.recorder.idle(20_000);
  expect(performance.now() - started).toBeLessThan(19_000);
  const { boundaries } = gate.recorder.takeRecording();
  expect(boundaries.filter(({ outcome }) => outcome === "pending")).toEqual([]);
  expect(boundaries[0]).toMatchObject({ outcome: "rolled back" });
  if (doomed.process.exitCode === null) await once(doomed.process, "exit");
  const late = await RawClient.silent(gate.port);
  expect(await late.login(gate.address)).toMatch(/E:08006 end$/);
});

test("cancels reach the client's statement and never an inspection", async () => {
  const client = await RawClient.silent(recorded.port);
  const { user, database: name } = recorded.address;
  client.send(serialize.startup({ user, database: name }));
  const key = new Promise<Buffer>((resolve) => {
    client.socket.on("data", (data: Buffer) => {
      const at = data.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
      if (at >= 0) resolve(data.subarray(at + 5, at + 13));
    });
  });
  await client.authenticate(recorded.address);
  const [secret, processId] = [(await key).readInt32BE(4), (await key).readInt32BE(0)];
  const cancel = () =>
    new Promise<void>((resolve) => {
      const socket = net.connect(recorded.port, "127.0.0.1", () =>
        socket.write(serialize.cancel(processId, secret)),
      );
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
      socket.resume();
    });
  let asleep = true;
  const sleeping = client.query("select pg_sleep(20)").finally(() => {
    asleep = false;
  });
  // One that comes before its statement cancels nothing.
  while (asleep) {
    await cancel();
    await sleep(100);
  }
  expect(await sleeping).toMatch(/E:57014 Z:I$/);

  let storm = true;
  let sent = 0;
  const storms = [1, 2].map(async () => {
    while (storm) {
      sent += 1;
      await cancel();
    }
  });
  const committed: string[] = [];
  for (let index = 0; index < 60; index++) {
    const words = [
      await client.query("begin"),
      await client.query(`create table storm${index}(a int)`),
      await client.query(write(`s${index}`)),
      await client.query("commit"),
    ].join(" ");
    if (words.includes("C:COMMIT")) committed.push(`s${index}`);
    else expect(words).toContain("E:57014");
    // A COMMIT that was cancelled leaves a failed transaction.
    while (!(await client.query("rollback")).endsWith("C:ROLLBACK Z:I"));
  }
  storm = false;
  await Promise.all(storms);
  await client.end();
  await recorded.recorder.idle(5_000);
  const { boundaries } = recorded.recorder.takeRecording();
  expect(sent).toBeGreaterThan(30);
  expect(boundaries.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(boundaries.filter(({ outcome }) => outcome === "committed").flatMap(({ heads }) => heads)).toEqual(
    committed,
  );
});

test("cancels that come past the recorder and hit inspections, too", async () => {
  const client = await RawClient.open(recorded.address);
  const own = await client.query("select pg_backend_pid()");
  const pid = Number(/D:(\d+)/.exec(own)?.[1]);
  await using other = await testClient(recorded.direct);
  let storm = true;
  const cancelling = (async () => {
    while (storm) {
      await other.client.query("select pg_cancel_backend($1)", [pid]);
      await sleep(Math.random() * 2);
    }
  })();
  const committed: string[] = [];
  let last = "a";
  for (let index = 0; index < 150; index++) {
    const words = [
      await client.query("begin"),
      await client.query(write(`p${index}`)),
      await client.query("select 1"),
      await client.query("commit"),
    ].join(" ");
    if (words.includes("C:COMMIT")) {
      last = `p${index}`;
      committed.push(last);
    }
    // Whatever was hit, the client was told of it and goes on.
    while (!(await client.query("rollback")).endsWith("C:ROLLBACK Z:I"));
  }
  storm = false;
  await cancelling;
  await client.end();
  await recorded.recorder.idle(5_000);
  const { boundaries, failures } = recorded.recorder.takeRecording();
  expect(await version()).toBe(last);
  const found = boundaries.filter(({ outcome }) => outcome === "committed");
  expect(found).toHaveLength(committed.length);
  for (const [index, { heads, failure }] of found.entries()) {
    if (failure === undefined) expect(heads).toEqual([committed[index]]);
    else expect(failure).toMatch(/57014/);
  }
  for (const failure of failures) expect(failure).toMatch(/57014|could not be restored/);
});

test("a cancel of nobody's session is passed on", async () => {
  const client = await RawClient.silent(recorded.port);
  client.send(serialize.cancel(1, 1));
  expect(await client.answers()).toBe("end");
});

test("several connections at once, each with boundaries", async () => {
  await Promise.all(
    Array.from({ length: 8 }, async (_, number) => {
      const client = await RawClient.open(recorded.address);
      for (let index = 0; index < 10; index++) {
        await client.query("begin");
        await client.query(`create table w${number}_${index}(a int)`);
        await client.query(`INSERT INTO alembic_version(version_num) VALUES('${number}.${index}')`);
        await client.query(index % 3 === 0 ? "rollback" : "commit");
      }
      await client.end();
    }),
  );
  await recorded.recorder.idle(5_000);
  const { boundaries, connections, failures } = recorded.recorder.takeRecording();
  expect([boundaries.length, connections, failures]).toEqual([80, 8, []]);
  expect(boundaries.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(boundaries.filter(({ outcome }) => outcome === "rolled back")).toHaveLength(32);
  expect(boundaries.filter(({ outcome }) => outcome === "committed")).toHaveLength(48);
});

test("inspections of several connections follow each other: each delta begins where the one before ended", async () => {
  await Promise.all(
    Array.from({ length: 8 }, async (_, number) => {
      const client = await RawClient.open(recorded.address);
      for (let index = 0; index < 10; index++) {
        await client.query("begin");
        await client.query(`create table w${number}_${index}(a int)`);
        await client.query(`INSERT INTO alembic_version(version_num) VALUES('${number}.${index}')`);
        await client.query("commit");
      }
      await client.end();
    }),
  );
  await recorded.recorder.idle(5_000);
  const there = new Set<string>();
  for (const { changes } of recorded.recorder.takeRecording().boundaries) {
    for (const { key, before, after } of changes) {
      expect([key, there.has(key)]).toEqual([key, before !== undefined]);
      if (after === undefined) there.delete(key);
      else there.add(key);
    }
  }
  expect(there).toEqual(new Set(recorded.recorder.tracker.current.keys()));
});

const rows = (count: number) =>
  Buffer.from(Array.from({ length: count }, (_, i) => `${i}\trow ${i}\n`).join(""));

test("COPY in and out, simple and extended, good and failing, with all of it in one write", async () => {
  const data = rows(5000);
  const pieces = Array.from({ length: Math.ceil(data.length / 1000) }, (_, i) =>
    serialize.copyData(data.subarray(i * 1000, i * 1000 + 1000)),
  );
  const copy = "copy big from stdin";
  const talk = async (address: typeof recorded.address) => {
    const client = await RawClient.open(address);
    const words = [
      await client.query("drop table if exists big"),
      await client.query("create table big(a int, b text)"),
    ];
    words[0] = "";
    client.send(serialize.query(copy), ...pieces, serialize.copyDone());
    words.push(await client.answers());
    client.send(run(copy), serialize.sync());
    words.push(await client.until("G"));
    client.send(...pieces, serialize.copyDone(), serialize.sync());
    words.push(await client.answers());
    client.send(run(copy), serialize.flush());
    words.push(await client.until("G"));
    client.send(
      pieces[0]!,
      serialize.flush(),
      serialize.sync(),
      serialize.copyFail("enough"),
      serialize.sync(),
    );
    words.push(await client.answers());
    client.send(serialize.query(copy), serialize.copyData(Buffer.from("x\ty\n")), serialize.copyDone());
    words.push(await client.answers(), await client.query("select 1"));
    client.send(run(copy), serialize.sync());
    words.push(await client.until("G"));
    client.send(serialize.copyData(Buffer.from("x\ty\n")), serialize.copyDone(), serialize.sync());
    words.push(await client.answers(), await client.query(write("copied")));
    words.push(await client.query(`copy big from stdin; ${write("never")}`.replace("big", "nowhere")));
    client.send(serialize.query(`copy big from stdin; ${write("both")}; copy big from stdin`));
    words.push(await client.until("G"));
    client.send(pieces[0]!.subarray(0, 0), serialize.copyData(Buffer.from("1\ta\n")), serialize.copyDone());
    words.push(await client.until("G"));
    client.send(serialize.copyData(Buffer.from("2\tb\n")), serialize.copyDone());
    words.push(await client.answers());
    words.push(await client.query("copy (select a from big where a < 3 order by a) to stdout"));
    words.push(await client.extended(run("copy (select 7) to stdout")));
    words.push(await client.query("select count(*) from big"));
    await client.end();
    return words;
  };
  expect(await talk(recorded.address)).toEqual(await talk(recorded.direct));
  await recorded.recorder.idle(5_000);
  const { statements, copied, boundaries } = recorded.recorder.takeRecording();
  expect(boundaries.map(({ heads }) => heads)).toEqual([["copied"], ["both"]]);
  const kept = statements.filter(({ sequence }) => copied.has(sequence));
  expect(kept.map(({ protocol, rows: count, error }) => [protocol, count, error?.sqlstate])).toEqual([
    ["simple", 5000, undefined],
    ["extended", 5000, undefined],
    ["extended", undefined, "57014"],
    ["simple", undefined, "22P02"],
    ["extended", undefined, "22P02"],
    ["simple", 3, undefined],
  ]);
  expect(copied.get(kept[0]!.sequence)?.equals(data)).toBe(true);
  expect(copied.get(kept[1]!.sequence)?.equals(data)).toBe(true);
});

test("100 MB to a client that reads slowly, and 40 MB from a hasty one, take no more memory than that", async () => {
  const slow = await RawClient.open(recorded.address);
  slow.socket.pause();
  const before = process.memoryUsage().rss;
  slow.send(serialize.query("select repeat('x', 1000) from generate_series(1, 100000)"));
  await sleep(1_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(60 << 20);
  slow.socket.destroy();
  const hasty = await RawClient.open(recorded.address);
  hasty.send(serialize.query("select pg_sleep(0.5)"));
  const one = serialize.query(`select length('${"y".repeat(100_000)}')`);
  for (let index = 0; index < 400; index++) hasty.send(one);
  expect((await hasty.answers(401)).match(/D:100000/g)).toHaveLength(400);
  await hasty.end();
});

test("a pipeline of 50,000 statements in one unit", async () => {
  const client = await RawClient.open(recorded.address);
  const parse = serialize.parse({ name: "i", text: "select $1::int", types: [] });
  const one = Buffer.concat([serialize.bind({ statement: "i", values: ["1"] }), serialize.execute({})]);
  const started = performance.now();
  client.send(parse, Buffer.concat(Array.from({ length: 50_000 }, () => one)), serialize.sync());
  expect((await client.answers()).match(/C:SELECT 1/g)).toHaveLength(50_000);
  expect(performance.now() - started).toBeLessThan(60_000);
  expect(recorded.recorder.takeRecording().statements).toHaveLength(50_000);
  await client.end();
});

test("PREPARE TRANSACTION works and is told not to be followed; replication passes", async () => {
  await using other = await ownServer({ max_prepared_transactions: "4", wal_level: "logical" });
  await using setup = await testClient(other.address);
  await setup.client.query("create table alembic_version(version_num text)");
  await using gate = await record(other.address);
  const words: string[][] = [];
  for (const address of [gate.direct, gate.address]) {
    const client = await RawClient.open(address);
    words.push([
      await client.query("begin"),
      await client.query("INSERT INTO alembic_version(version_num) VALUES('p')"),
      await client.query("prepare transaction 'x'"),
      await client.query("commit prepared 'x'"),
      await client.query("select count(*) from alembic_version where version_num = 'p'"),
    ]);
    await client.query("delete from alembic_version");
    await client.end();
    const walsender = await RawClient.open(address, { replication: "database" });
    const identified = await walsender.query("IDENTIFY_SYSTEM");
    const slot = `CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL pgoutput`;
    words.at(-1)!.push(identified, (await walsender.query(slot)).replace(/D:\S+/, "D"));
    walsender.send(
      serialize.query("START_REPLICATION SLOT s LOGICAL 0/0 (proto_version '1', publication_names 'p')"),
    );
    words.at(-1)!.push(await walsender.until("W"));
    const status = Buffer.alloc(34);
    status.write("r");
    walsender.send(serialize.copyData(status), serialize.copyDone());
    words.at(-1)!.push((await walsender.answers()).replaceAll("d ", ""));
    await walsender.end();
  }
  expect(words[1]).toEqual(words[0]);
  expect(words[1]![7]).toContain("W");
  await gate.recorder.idle(5_000);
  const { boundaries, failures } = gate.recorder.takeRecording();
  expect(boundaries.map(({ heads, outcome }) => [heads, outcome])).toEqual([
    [["p"], "rolled back"],
    [[], "committed"],
  ]);
  expect(failures).toEqual(["statement 3: a prepared transaction is not followed"]);
});
