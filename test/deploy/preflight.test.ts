import { execFileSync } from "node:child_process";
import { chownSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { preflightChecks } from "../../src/deploy/checks/problem";
import { takeGateLock } from "../../src/deploy/gate-lock";
import { type PreflightOptions, type PreflightReport, preflight } from "../../src/deploy/preflight";
import { type OwnServer, ownServer } from "../recorder/own-server";
import { until } from "../support/until";
import { pgbouncer, replicaOf } from "./servers";
import { openTransaction } from "./watched";

let server: OwnServer;
beforeAll(async () => {
  server = await ownServer({ max_prepared_transactions: "10", wal_level: "logical", max_connections: "40" });
});
afterAll(() => server[Symbol.asyncDispose]());

let databases = 0;

/** A database of its own with a version table; `owner` is the server's superuser. */
async function database(
  ...statements: readonly string[]
): Promise<AsyncDisposable & { address: Address; owner: Client }> {
  const name = `pre "${++databases}"`;
  const admin = await connect(server.address);
  await admin.query(`create database ${admin.escapeIdentifier(name)}`);
  const address = { ...server.address, database: name };
  const owner = await connect(address);
  await owner.query("create table alembic_version (version_num varchar(32) primary key)");
  for (const statement of statements) await owner.query(statement);
  return {
    address,
    owner,
    async [Symbol.asyncDispose]() {
      await owner.query("rollback prepared 'o''clock'").catch(() => undefined);
      await owner.end();
      await admin.query(`drop database ${admin.escapeIdentifier(name)} with (force)`);
      await admin.end();
    },
  };
}

/** A role that may log in, gone with its block together with what it was given in the database of `owner`. */
async function role(owner: Client, name: string, ...grants: readonly string[]): Promise<AsyncDisposable> {
  const quoted = owner.escapeIdentifier(name);
  await owner.query(`create role ${quoted} login`);
  for (const grant of grants) await owner.query(grant.replaceAll("ROLE", quoted));
  return {
    async [Symbol.asyncDispose]() {
      await owner.query(
        `reassign owned by ${quoted} to postgres; drop owned by ${quoted}; drop role ${quoted}`,
      );
    },
  };
}

const versionTable = { schema: "public", table: "alembic_version" };

async function run(address: Address, options: Partial<PreflightOptions> = {}): Promise<PreflightReport> {
  const client = await connect(address, { applicationName: "migration-gate apply 1" });
  try {
    return await preflight(client, {
      address,
      settings: { "lock-timeout": 5, "max-transaction-age": 300 },
      versionTable,
      extensions: [],
      where: "127.0.0.1/pre",
      writes: "apply",
      ...options,
    });
  } finally {
    await client.end();
  }
}

const ids = ({ refusals, warnings }: PreflightReport) => ({
  refusals: refusals.map(({ check }) => check),
  warnings: warnings.map(({ check }) => check),
});

/** Of the one refusal, or of the one warning where there is none. */
function only({ refusals, warnings }: PreflightReport) {
  const all = refusals.length > 0 ? refusals : warnings;
  expect(all.length).toBe(1);
  const { parts } = all[0]!;
  for (const label of ["what", "where", "seen", "why", "do"] as const) expect(parts[label]).not.toBe("");
  return parts;
}

test("a database in order has neither refusals nor warnings, and nothing of it is written", async () => {
  await using db = await database();
  const { rows: before } = await db.owner.query("select pg_current_wal_insert_lsn()::text as lsn");
  const report = await run(db.address, { extensions: ["plpgsql"] });
  expect(ids(report)).toEqual({ refusals: [], warnings: [] });
  expect(report.server).toMatchObject({ role: "postgres", tls: undefined });
  expect(report.server.version).toMatch(new RegExp(`^${report.server.major}\\.`));
  const { rows: after } = await db.owner.query("select pg_current_wal_insert_lsn()::text as lsn");
  expect(after).toEqual(before);
});

describe("where nothing can be written", () => {
  test.each(["transaction", "session"] as const)("PgBouncer in %s mode is refused", async (mode) => {
    await using db = await database();
    await using pooler = await pgbouncer(server.address, mode);
    const report = await run({ ...db.address, port: pooler.address.port });
    const parts = only(report);
    expect(ids(report)).toEqual({ refusals: ["pooler"], warnings: [] });
    expect(parts.do).toContain("Put the server's own address into test");
    // The lock is refused as well, and has left nothing in the process that the next client gets.
    const said = { waitMs: 0, onWait: () => undefined, applicationName: "migration-gate apply 2" };
    const address = { ...db.address, port: pooler.address.port };
    await expect(takeGateLock(address, said)).rejects.toThrow("There is a connection pooler");
    const next = await connect(address);
    const { rows } = await next.query(
      "select current_setting('search_path') as path, current_setting('statement_timeout') as timeout",
    );
    expect(rows).toEqual([{ path: '"$user", public', timeout: "0" }]);
    await next.end();
  });

  test("a replica", async () => {
    await using replica = await replicaOf(server.address);
    const report = await run(replica.address, { versionTable: undefined });
    expect(ids(report)).toEqual({ refusals: ["read-replica"], warnings: [] });
    expect(only(report).seen).toBe(
      `pg_is_in_recovery() is true. It gets its data from 127.0.0.1:${server.address.port}.`,
    );
  });

  test.each([
    ["role reader", "user", 'ALTER ROLE "reader" RESET default_transaction_read_only;'],
    ["database DATABASE", "database", /^ALTER DATABASE "pre ""\d+""" RESET/],
    [
      "role reader in database DATABASE",
      "database user",
      /^ALTER ROLE "reader" IN DATABASE "pre ""\d+""" RESET/,
    ],
  ])("read only by %s", async (scope, source, remedy) => {
    await using db = await database();
    await using _role = await role(db.owner, "reader", "grant all on alembic_version to ROLE");
    const name = db.owner.escapeIdentifier(db.address.database);
    await db.owner.query(`alter ${scope.replace("DATABASE", name)} set default_transaction_read_only = on`);
    const report = await run({ ...db.address, user: "reader" });
    const [refusal] = report.refusals;
    expect(refusal?.check).toBe("read-only");
    expect(refusal?.parts.seen).toBe(`default_transaction_read_only is on, from: ${source}.`);
    expect(refusal?.parts.do).toEqual(typeof remedy === "string" ? remedy : expect.stringMatching(remedy));
    await db.owner.query(`set default_transaction_read_only = off`);
    await db.owner.query(refusal!.parts.do);
    expect(ids(await run({ ...db.address, user: "reader" })).refusals).not.toContain("read-only");
  });
});

describe("rights", () => {
  test("on the version table, and the remedy gives them", async () => {
    await using db = await database(`create schema "S s"`, `create table "S s"."v'1" (version_num text)`);
    await using _role = await role(db.owner, `o'h "no"`);
    const address = { ...db.address, user: `o'h "no"` };
    const options = { versionTable: { schema: "S s", table: "v'1" } };
    const [refusal] = (await run(address, options)).refusals;
    expect(refusal?.parts).toMatchObject({
      what: 'The role "o\'h \\"no\\"" may not write the version table S s.v\'1.',
      seen: "It lacks USAGE, SELECT, INSERT, UPDATE, DELETE.",
      do: `GRANT USAGE ON SCHEMA "S s" TO "o'h ""no"""; GRANT SELECT, INSERT, UPDATE, DELETE ON "S s"."v'1" TO "o'h ""no""";`,
    });
    await db.owner.query(refusal!.parts.do);
    expect(ids(await run(address, options))).toEqual({ refusals: [], warnings: ["table-owner"] });
  });

  test("to create the first version table", async () => {
    await using db = await database(
      "drop table alembic_version",
      "revoke create on schema public from public",
    );
    await using _role = await role(db.owner, "newcomer");
    const address = { ...db.address, user: "newcomer" };
    const refusal = only(await run(address, { versionTable: undefined }));
    expect(refusal.do).toBe('GRANT USAGE, CREATE ON SCHEMA "public" TO "newcomer";');
    expect(ids(await run(address, { versionTable: undefined, writes: "rollback" })).refusals).toEqual([]);
    await db.owner.query(refusal.do);
    expect(ids(await run(address, { versionTable: undefined }))).toEqual({ refusals: [], warnings: [] });
    await db.owner.query('revoke create on schema public from "newcomer"');
    await db.owner.query(
      `grant create on database ${db.owner.escapeIdentifier(db.address.database)} to newcomer`,
    );
    expect(ids(await run(address, { versionTable: undefined })).refusals).toEqual([]);
  });

  test("tables of another owner, and a schema in which nothing may be made", async () => {
    await using db = await database(
      "revoke create on schema public from public",
      ...["a", "b", "c", "d", "e", "f", "g"].map((name) => `create table "${name}\n;" ()`),
    );
    await using _role = await role(
      db.owner,
      "mig",
      "create table mine ()",
      "alter table mine owner to ROLE",
      "grant all on alembic_version to ROLE",
    );
    const report = await run({ ...db.address, user: "mig" });
    expect(ids(report)).toEqual({ refusals: [], warnings: ["table-owner", "schema-rights"] });
    const [owners, schemas] = report.warnings;
    expect(owners?.parts.what).toBe(
      'The role "mig" does not own 8 tables of the database, and may not change them.',
    );
    expect(owners?.parts.seen).toBe(
      `${["a", "b", "c", "d", "e"].map((name) => `public."${name} ;", owner "postgres"`).join("\n")}\nand 3 more`,
    );
    expect(schemas?.parts.do).toBe('GRANT CREATE ON SCHEMA "public" TO "mig";');
    await db.owner.query(owners!.parts.do.replace(/^.*(?=GRANT)/, ""));
    expect(ids(await run({ ...db.address, user: "mig" }))).toEqual({ refusals: [], warnings: [] });
  });

  test("extensions: not on the server, not for this role, and what another one requires", async () => {
    await using db = await database();
    const installed = ["plpgsql", "postgis_of_nobody", "citext", "earthdistance"];
    expect(
      (await run(db.address, { extensions: installed })).refusals.map(({ parts }) => parts.what),
    ).toEqual(['The server does not have the extension "postgis_of_nobody".']);
    await using _role = await role(db.owner, "mig", "grant all on alembic_version to ROLE");
    const address = { ...db.address, user: "mig" };
    const refusals = (await run(address, { extensions: ["citext", "earthdistance", "pageinspect"] }))
      .refusals;
    expect(refusals.map(({ check, parts }) => [check, parts.what, parts.why])).toEqual([
      [
        "extension",
        'The role "mig" may not create the extension "citext".',
        "A pending revision creates it.",
      ],
      [
        "extension",
        'The role "mig" may not create the extension "cube".',
        'A pending revision creates "earthdistance", which needs it.',
      ],
      [
        "extension",
        'The role "mig" may not create the extension "earthdistance".',
        "A pending revision creates it.",
      ],
      [
        "extension",
        'The role "mig" may not create the extension "pageinspect".',
        "A pending revision creates it.",
      ],
    ]);
    await db.owner.query(refusals[0]!.parts.do);
    const left = (await run(address, { extensions: ["citext", "pageinspect"] })).refusals;
    expect(left.map(({ parts }) => parts.seen)).toEqual(["It is not trusted, and the role is no superuser."]);
    // What it says is what the server does.
    const client = await connect(address);
    await client.query("create extension citext");
    await expect(client.query("create extension pageinspect")).rejects.toThrow("permission denied");
    await client.end();
    await db.owner.query("create extension pageinspect");
    expect(ids(await run(address, { extensions: ["citext", "pageinspect"] })).refusals).toEqual([]);
    await using _provider = await role(db.owner, "rds_superuser", "grant ROLE to mig");
    expect(ids(await run(address, { extensions: ["hstore", "pgrowlocks"] })).refusals).toEqual([]);
  });

  test("connections that are left", async () => {
    await using db = await database();
    await using _role = await role(
      db.owner,
      "few",
      "grant all on alembic_version to ROLE",
      "alter role ROLE connection limit 3",
    );
    const refusal = only(await run({ ...db.address, user: "few" }));
    expect(refusal.what).toBe(
      'There are not enough connections left for the role "few": 2, and a migration needs 3 more.',
    );
    await db.owner.query(refusal.do.replace(/^.*(?=ALTER)/, ""));
    expect(ids(await run({ ...db.address, user: "few" })).refusals).toEqual([]);
  });
});

describe("others at work", () => {
  test("a long transaction, by whom and on what; a young one is none", async () => {
    await using db = await database('create table "big\nt" (id int)');
    await using open = await openTransaction(db.address, 'rep"ort', 'insert into "big\nt" values (1)');
    await sleep(1_100);
    const settings = { "lock-timeout": 5, "max-transaction-age": 1 };
    const refusal = only(await run(db.address, { settings }));
    expect(refusal.what).toMatch(
      /^1 transaction has been open for longer than 1 s, the longest for \d+(?:\.\d)? s\.$/,
    );
    expect(refusal.seen).toMatch(
      new RegExp(
        `^pid ${open.pid}, user "postgres", application "rep\\\\"ort", from 127.0.0.1, idle in transaction, in a transaction for \\d+(?:\\.\\d)? s, last statement insert into "big t" values \\(1\\); locks public."big t" \\(RowExclusiveLock\\)$`,
      ),
    );
    expect(refusal.do).toContain(`select pg_terminate_backend(${open.pid});`);
    const young = { "lock-timeout": 600, "max-transaction-age": 600 };
    expect(ids(await run(db.address, { settings: young }))).toEqual({ refusals: [], warnings: [] });
    const soon = { "lock-timeout": 1, "max-transaction-age": 300 };
    expect(ids(await run(db.address, { settings: soon }))).toEqual({
      refusals: [],
      warnings: ["idle-in-transaction"],
    });
  });

  test("a prepared transaction", async () => {
    await using db = await database(
      "create table t (id int)",
      "begin",
      "insert into t values (1)",
      "prepare transaction 'o''clock'",
    );
    const settings = { "lock-timeout": 5, "max-transaction-age": 0 };
    const refusal = only(await run(db.address, { settings }));
    expect(refusal.seen).toMatch(
      /^"o'clock" of "postgres", for \d+ ms; locks public\.t \(RowExclusiveLock\)$/,
    );
    expect(ids(await run(db.address))).toEqual({ refusals: [], warnings: ["prepared-transaction"] });
    await db.owner.query(refusal.do.replace(/^.*(?=ROLLBACK)/, ""));
    expect(ids(await run(db.address, { settings }))).toEqual({ refusals: [], warnings: [] });
  });

  test("another migration: it wrote the version table, it is a tool of ours, it has the gate's lock", async () => {
    await using db = await database();
    {
      await using open = await openTransaction(
        db.address,
        "alembic",
        "insert into alembic_version values ('a')",
      );
      const refusal = only(await run(db.address));
      expect(refusal.seen).toMatch(
        new RegExp(`^pid ${open.pid}, .*; it has RowExclusiveLock on the version table$`),
      );
    }
    {
      await using open = await openTransaction(db.address, "reader", "select * from alembic_version");
      expect(ids(await run(db.address)).refusals).toEqual([]);
      expect(open.pid).toBeGreaterThan(0);
    }
    {
      const tool = await connect(db.address, { applicationName: "migration-gate tool 17" });
      expect(only(await run(db.address)).seen).toContain("it is a tool that migration-gate started");
      await tool.end();
    }
    const said = { waitMs: 0, onWait: () => undefined, applicationName: "migration-gate apply 2" };
    await using lock = await takeGateLock(db.address, said);
    expect(only(await run(db.address)).seen).toContain("it has the lock of a run of migration-gate");
    expect(ids(await run(db.address, { ownPids: [lock.pid] })).refusals).toEqual([]);
  });

  test("what waits already", async () => {
    await using db = await database("create table t (id int)");
    await using open = await openTransaction(db.address, "shop", "select * from t");
    const waiter = await connect(db.address, { applicationName: "dba" });
    const work = waiter.query("alter table t add c int");
    const waits = "select from pg_locks where not granted and relation = 't'::regclass";
    await until(async () => (await db.owner.query(waits)).rowCount !== 0, "the waiting session");
    const report = await run(db.address, { settings: { "lock-timeout": 600, "max-transaction-age": 600 } });
    expect(ids(report)).toEqual({ refusals: [], warnings: ["waiting-sessions"] });
    expect(only(report).seen).toContain(
      `last statement alter table t add c int; it waits for AccessExclusiveLock on public.t, behind pid ${open.pid}`,
    );
    await open.commit();
    await work;
    await waiter.end();
  });

  test("a role that may not see other roles' sessions says so, with the remedy", async () => {
    await using db = await database("create table t ()");
    await using _role = await role(db.owner, `blind"`, "grant all on alembic_version to ROLE");
    await using open = await openTransaction(db.address, "shop", "select * from t");
    await sleep(100);
    const settings = { "lock-timeout": 5, "max-transaction-age": 0 };
    const address = { ...db.address, user: `blind"` };
    const report = await run(address, { settings });
    expect(ids(report)).toEqual({ refusals: [], warnings: ["table-owner", "hidden-sessions"] });
    const parts = report.warnings[1]!.parts;
    expect(parts.seen).toBe(
      `pid ${open.pid}, user "postgres", application "shop", what it does is hidden from this role; locks public.t (AccessShareLock)`,
    );
    await db.owner.query(parts.do);
    expect(ids(await run(address, { settings })).refusals).toEqual(["long-transaction"]);
  });

  test("an autovacuum that gives way is nothing, even on the version table", async () => {
    await using own = await ownServer({ autovacuum_naptime: "1s" });
    const owner = await connect(own.address);
    await owner.query("create table v as select generate_series(1, 100000)::text as version_num");
    const slow =
      "autovacuum_vacuum_threshold = 1, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1";
    await owner.query(`alter table v set (${slow})`);
    await owner.query("delete from v");
    const working = "select query from pg_stat_activity where query like 'autovacuum: VACUUM% public.v'";
    for (const end = Date.now() + 20_000; (await owner.query(working)).rowCount === 0; await sleep(100)) {
      if (Date.now() > end) throw new Error("there is no autovacuum");
    }
    const settings = { "lock-timeout": 0, "max-transaction-age": 0 };
    const report = await run(own.address, { settings, versionTable: { schema: "public", table: "v" } });
    expect(ids(report)).toEqual({ refusals: [], warnings: [] });
    expect((await owner.query(working)).rowCount).toBe(1);
    await owner.end();
  });

  test("an autovacuum that prevents wraparound of a user's table", async () => {
    await using own = await ownServer({
      autovacuum_freeze_max_age: "100000",
      autovacuum_naptime: "1s",
      autovacuum_vacuum_cost_delay: "100ms",
      autovacuum_vacuum_cost_limit: "1",
    });
    const owner = await connect(own.address);
    await owner.query("create table v as select generate_series(1, 100000) as id");
    await owner.query("do $$ begin for i in 1..110000 loop perform txid_current(); commit; end loop; end $$");
    let report = await run(own.address, { versionTable: undefined });
    for (
      const end = Date.now() + 20_000;
      Date.now() < end && report.warnings.length === 0;
      await sleep(100)
    ) {
      report = await run(own.address, { versionTable: undefined });
    }
    expect(ids(report)).toEqual({ refusals: [], warnings: ["wraparound-vacuum"] });
    expect(only(report).seen).toMatch(
      /^pid \d+, autovacuum: VACUUM public\.v \(to prevent wraparound\), for /,
    );
    await owner.end();
  });
});

describe("what is there", () => {
  test("an invalid index and constraints that were not validated, by name", async () => {
    await using db = await database(
      'create table "T" (id int, p int)',
      'insert into "T" values (1), (1)',
      'alter table "T" add constraint "c k" check (id > 0) not valid',
    );
    await expect(db.owner.query('create unique index concurrently "i x" on "T" (id)')).rejects.toThrow();
    const report = await run(db.address);
    expect(ids(report)).toEqual({ refusals: [], warnings: ["invalid-index", "unvalidated-constraint"] });
    expect(report.warnings.map(({ parts }) => parts.seen)).toEqual([
      'public."i x" on public."T"',
      '"c k" on public."T" (check)',
    ]);
    await db.owner.query(report.warnings[0]!.parts.do.replace(/; or.*/, ""));
    await db.owner.query(report.warnings[1]!.parts.do);
    expect(ids(await run(db.address))).toEqual({ refusals: [], warnings: [] });
  });

  test("an index that is being built is not called invalid", async () => {
    await using db = await database("create table t (id int)");
    await using open = await openTransaction(db.address, "shop", "insert into t values (1)");
    const builder = await connect(db.address);
    const work = builder.query("create index concurrently i on t (id)");
    await sleep(300);
    expect(ids(await run(db.address)).warnings).not.toContain("invalid-index");
    await open.commit();
    await work;
    await builder.end();
  });

  test("logical replication", async () => {
    await using db = await database('create publication "p 1" for all tables');
    await db.owner.query(
      "create subscription s connection 'dbname=x host=127.0.0.1 port=1' publication p with (connect = false)",
    );
    const report = await run(db.address);
    expect(ids(report)).toEqual({ refusals: [], warnings: ["logical-replication"] });
    expect(only(report).seen).toBe('publications: "p 1"\nsubscriptions: "s"');
    await db.owner.query("alter subscription s set (slot_name = none); drop subscription s");
  });

  test("time limits that the role brings", async () => {
    await using db = await database();
    await using _role = await role(
      db.owner,
      "mig",
      "grant all on alembic_version to ROLE",
      "grant postgres to ROLE",
      "alter role ROLE set statement_timeout = '30s'",
    );
    const report = await run({ ...db.address, user: "mig" });
    expect(ids(report)).toEqual({ refusals: [], warnings: ["server-timeouts"] });
    expect(only(report).seen).toBe("statement_timeout = 30s, from: user.");
  });

  test("a connection to another machine, without TLS and with it", async () => {
    await using own = await ownServer({});
    const owner = await connect(own.address);
    // The server is on this machine: where it is, is what the address says.
    const from = async (sslmode: Address["sslmode"]) => {
      const client = await connect({ ...own.address, sslmode });
      const address = { ...own.address, host: "db.example.com", sslmode };
      const settings = { "lock-timeout": 5, "max-transaction-age": 300 };
      const options = { address, settings, extensions: [], where: "here", writes: "apply" } as const;
      return preflight(client, { ...options, versionTable: undefined }).finally(() => client.end());
    };
    const plain = await from("prefer");
    expect(ids(plain)).toEqual({ refusals: [], warnings: ["tls"] });
    expect(only(plain).seen).toBe("sslmode=prefer, and the server does not offer TLS.");
    expect(plain.server.tls).toBeUndefined();

    const { rows } = await owner.query<{ folder: string }>(
      "select current_setting('data_directory') as folder",
    );
    const folder = rows[0]!.folder;
    const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    execFileSync("openssl", [...request, "-keyout", key, "-out", certificate], { stdio: "ignore" });
    const { uid, gid } = statSync(folder);
    for (const file of [key, certificate]) chownSync(file, uid, gid);
    await owner.query("alter system set ssl_key_file = 'tls.key'");
    await owner.query("alter system set ssl_cert_file = 'tls.crt'");
    await owner.query("alter system set ssl = on");
    await owner.query("select pg_reload_conf()");
    let encrypted = await from("prefer");
    for (
      const end = Date.now() + 10_000;
      encrypted.server.tls === undefined && Date.now() < end;
      await sleep(50)
    ) {
      encrypted = await from("prefer");
    }
    expect(ids(encrypted)).toEqual({ refusals: [], warnings: [] });
    expect(encrypted.server.tls).toBe("TLSv1.3");
    expect(only(await from("disable")).seen).toBe("sslmode=disable.");
    await owner.end();
  });
});

test("the page has a row for each check, and no other", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/preflight.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (refusal|warning)/gm)].map(([, id]) => id);
  expect([...rows].sort()).toEqual([...preflightChecks].sort());
});
