import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programsOfMajor } from "../../src/backup/programs";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { type TestServer, testServer } from "../support/database";
import { messageOf } from "../support/messages";
import { contentOf, query, restoreInto, takeBackup, type WorkFolder, workFolder } from "./backups";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const schema = `create table users (id int primary key, name text);
  insert into users select g, md5(random()::text) from generate_series(1, 20000) g;
  create function hello() returns text language sql as $$ select '\\c postgres' $$;
  create view names as select name from users`;

const nothing = { rows: {}, sequences: [], objects: [] };

async function expectEmpty(address: Address): Promise<void> {
  const { rows, sequences, objects } = await contentOf(address);
  expect({ rows, sequences, objects }).toEqual(nothing);
}

/** pg_dump of the server's own major, in whatever format. */
async function dumped(address: Address, file: string, ...words: string[]): Promise<void> {
  const search = { environment: process.env, progress: () => undefined };
  const { dump } = await programsOfMajor(server.shadow.major, search);
  const { host, port, user, password = "", database } = address;
  const env = { PATH: process.env.PATH, PGPASSWORD: password };
  execFileSync(dump, ["-h", host, "-p", String(port), "-U", user, "-f", file, ...words, database], { env });
}

interface Keys {
  readonly recipient: string;
  readonly file: string;
}

async function keys(folder: WorkFolder, name: string): Promise<Keys> {
  const identity = await generateX25519Identity();
  const file = join(folder.path, name);
  writeFileSync(file, `${identity}\n`);
  return { recipient: await identityToRecipient(identity), file };
}

describe("a backup that is not whole is refused before the first write", () => {
  const cut = (file: string) => truncateSync(file, statSync(file).size - 1000);
  const flip = (file: string) => {
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
  };
  const withoutManifest = (file: string) => renameSync(`${file}.manifest.json`, `${file}.away`);
  const wrongHash = (file: string) => {
    const text = readFileSync(`${file}.manifest.json`, "utf8");
    writeFileSync(
      `${file}.manifest.json`,
      text.replace(/"sha256": "."/, '"sha256": "_"').replace(/("sha256": ")./, "$1_"),
    );
  };
  const both = (one: (file: string) => void, other: (file: string) => void) => (file: string) => {
    one(file);
    other(file);
  };
  const cases: readonly [name: string, encrypted: boolean, harm: (file: string) => void, message: RegExp][] =
    [
      ["cut", false, cut, /is not the one that its manifest describes[\s\S]*bytes instead of/],
      ["a flipped bit", false, flip, /is not the one that its manifest describes[\s\S]*sha256/],
      ["another manifest", false, wrongHash, /is not the one that its manifest describes/],
      ["cut, without a manifest", false, both(withoutManifest, cut), /cannot be read to its end/],
      ["cut and encrypted", true, both(withoutManifest, cut), /is damaged: it was cut/],
      ["a flipped bit, encrypted", true, both(withoutManifest, flip), /is damaged: some of it was changed/],
      ["empty", false, both(withoutManifest, (file) => truncateSync(file, 0)), /It is empty/],
      [
        "a manifest that is none",
        false,
        (file) => writeFileSync(`${file}.manifest.json`, "{}"),
        /manifest .* cannot be read/,
      ],
    ];
  test.each(cases)("%s", async (_, encrypted, harm, message) => {
    await using source = await server.database();
    await using target = await server.database();
    await query(source.address, schema);
    await using folder = await workFolder();
    const key = await keys(folder, "key.txt");
    const words = encrypted ? ["--backup-recipient", key.recipient] : [];
    const { location = "" } = await takeBackup(folder, source.address, ...words);
    harm(location);
    const restoring = () => restoreInto(folder, location, target.address, "--identity-file", key.file);
    expect(await messageOf(restoring)).toMatch(message);
    await expectEmpty(target.address);
    expect(await folder.records()).toMatchObject([{ kind: "restore", outcome: "failed" }]);
  });

  test("another key, and none", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await query(source.address, schema);
    await using folder = await workFolder();
    const [right, wrong] = [await keys(folder, "right.txt"), await keys(folder, "wrong.txt")];
    const { location = "" } = await takeBackup(folder, source.address, "--backup-recipient", right.recipient);
    expect(
      await messageOf(() => restoreInto(folder, location, target.address, "--identity-file", wrong.file)),
    ).toContain("it was encrypted to another one");
    expect(await messageOf(() => restoreInto(folder, location, target.address))).toContain(
      "identity-file names no key",
    );
    await expectEmpty(target.address);
    await restoreInto(folder, location, target.address, "--identity-file", right.file);
    expect(await contentOf(target.address)).toEqual(await contentOf(source.address));
    const [, , record] = await folder.records();
    expect(record).toMatchObject({ outcome: "restored", target: { database: target.address.database } });
    expect(JSON.stringify(record)).not.toContain(target.address.password);
  });
});

describe("a plain SQL dump", () => {
  test("is restored in one transaction", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await query(source.address, schema);
    await using folder = await workFolder();
    const file = join(folder.path, "dump.sql");
    await dumped(source.address, file);
    const { hasManifest, encrypted } = await restoreInto(folder, file, target.address);
    expect({ hasManifest, encrypted }).toEqual({ hasManifest: false, encrypted: false });
    expect(await contentOf(target.address)).toEqual(await contentOf(source.address));
  });

  const harms: readonly [name: string, harm: (text: string) => string, message: RegExp][] = [
    ["cut between two rows", (text) => text.slice(0, text.indexOf("\n9000\t")), /has no end: it was cut/],
    [
      "with an error in it",
      (text) => text.replace("CREATE VIEW public.names", "CREATE VIEW nowhere.names"),
      /schema "nowhere" does not exist/,
    ],
    [
      "that connects elsewhere",
      (text) => text.replace("CREATE VIEW", "\\connect postgres\nCREATE VIEW"),
      /could not be restored/,
    ],
    [
      "that runs a program",
      (text) => text.replace("CREATE VIEW", "\\! touch should-not-be-there\nCREATE VIEW"),
      /could not be restored/,
    ],
    ["of a whole server", () => "--\n-- PostgreSQL database cluster dump\n--\n", /whole server/],
    ["that is none", () => "drop table users;\n", /begins neither/],
  ];
  test.each(harms)("%s is refused, and nothing of it is there", async (_, harm, message) => {
    await using source = await server.database();
    await using target = await server.database();
    await query(source.address, schema);
    await using folder = await workFolder();
    const file = join(folder.path, "dump.sql");
    await dumped(source.address, file);
    writeFileSync(file, harm(readFileSync(file, "utf8")));
    expect(await messageOf(() => restoreInto(folder, file, target.address))).toMatch(message);
    expect(existsSync("should-not-be-there")).toBe(false);
    await expectEmpty(target.address);
  });
});

describe("the target", () => {
  test.each([
    ["a table", "create table t ()", "table public.t"],
    ["a type", "create type e as enum ('a')", "type public.e"],
    ["a function", "create function f() returns int language sql as 'select 1'", "function public.f"],
    ["a schema", "create schema app", "schema app"],
    ["a large object", "select lo_create(4711)", "large object 4711"],
  ])("is not empty with %s", async (_, sql, object) => {
    await using source = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    const { location = "" } = await takeBackup(folder, source.address);
    await query(target.address, sql);
    const message = await messageOf(() => restoreInto(folder, location, target.address));
    expect(message).toContain("is not empty: 1 object.");
    expect(message).toContain(`seen  ${object}\n`);
  });

  test("is empty with an extension, which a template may have", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    await query(source.address, "create extension citext; create table t (a citext)");
    const { location = "" } = await takeBackup(folder, source.address);
    await query(target.address, "create extension citext");
    await restoreInto(folder, location, target.address);
    expect(await contentOf(target.address)).toEqual(await contentOf(source.address));
  });

  test("stays as it was where a role is missing", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    await query(source.address, `${schema}; create role "gone ""x"; alter table users owner to "gone ""x"`);
    const { location = "" } = await takeBackup(folder, source.address);
    await query(
      source.address,
      'reassign owned by "gone ""x" to postgres; drop owned by "gone ""x"; drop role "gone ""x"',
    );
    const message = await messageOf(() => restoreInto(folder, location, target.address));
    expect(message).toMatch(/role .*gone.* does not exist/);
    expect(message).toContain("the database is as it was");
    await expectEmpty(target.address);
  });

  test("is named by its variable, and nothing else", async () => {
    await using folder = await workFolder();
    const address = { ...server.address, database: "x" };
    expect(await messageOf(() => restoreInto(folder, "x", address, "--to-env", "NOT_SET"))).toContain(
      "The variable NOT_SET is not set.",
    );
    expect(await messageOf(() => restoreInto(folder, join(folder.path, "none"), address))).toContain(
      "There is no such backup.",
    );
  });
});

describe("--replace", () => {
  test("keeps the old database, its settings and its privileges, and ends its sessions", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    await query(source.address, schema);
    const { location = "" } = await takeBackup(folder, source.address);
    const name = target.address.database;
    await query(
      target.address,
      `create table old (); create role app; revoke all on database ${name} from public; grant connect on database ${name} to app with grant option;
       alter database ${name} set search_path = app, "$user", public; alter role app in database ${name} set work_mem = '2MB';
       alter database ${name} connection limit 50; comment on database ${name} is 'the "one"'`,
    );
    const properties = `select datacl::text as acl, datconnlimit as most, shobj_description(oid, 'pg_database') as comment,
      (select array_agg(setrole::regrole::text || setconfig::text order by 1) from pg_db_role_setting where setdatabase = d.oid) as settings
      from pg_database d where datname = '${name}'`;
    const before = await query(server.address, properties);
    const session = await connect(target.address, { applicationName: "a web server" });
    const { replaced } = await restoreInto(folder, location, target.address, "--replace");
    await expect(session.query("select 1")).rejects.toThrow();
    expect(await query(server.address, properties)).toEqual(before);
    expect(await query(target.address, "select count(*)::int as users from users")).toEqual([
      { users: 20000 },
    ]);
    const kept = { ...target.address, database: replaced?.kept ?? "" };
    expect(await query(kept, "select to_regclass('old')::text as old")).toEqual([{ old: "old" }]);
    await query(server.address, `${replaced?.drop} `);
    await query(target.address, "drop owned by app; drop role app");
  });

  test("changes nothing where the backup cannot be restored", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    await query(source.address, `${schema}; create role passing; alter table users owner to passing`);
    const { location = "" } = await takeBackup(folder, source.address);
    await query(
      source.address,
      "reassign owned by passing to postgres; drop owned by passing; drop role passing",
    );
    await query(target.address, "create table old ()");
    const before = await query(server.address, "select datname from pg_database order by 1");
    const message = await messageOf(() => restoreInto(folder, location, target.address, "--replace"));
    expect(message).toContain("the one that was to be replaced is as it was");
    expect(await query(server.address, "select datname from pg_database order by 1")).toEqual(before);
    expect(await query(target.address, "select to_regclass('old')::text as old")).toEqual([{ old: "old" }]);
  });

  test("is refused to a role that may not create databases", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    const { location = "" } = await takeBackup(folder, source.address);
    await query(target.address, "create table old (); create role writer login password 'writer pw'");
    const address = { ...target.address, user: "writer", password: "writer pw" };
    expect(await messageOf(() => restoreInto(folder, location, address, "--replace"))).toContain(
      'User "writer" may not create databases (CREATEDB).',
    );
    await query(target.address, "drop role writer");
  });

  test("by the owner, who is no superuser; not where it may not end a session", async () => {
    await using folder = await workFolder();
    await query(server.address, "create role owner_of createdb login password 'owner pw'");
    await query(server.address, "create database owned owner owner_of");
    const owner = { ...server.address, database: "owned", user: "owner_of", password: "owner pw" };
    await query(owner, schema);
    const { location = "" } = await takeBackup(folder, owner);
    const before = await contentOf(owner);
    await query(owner, "drop view names; create table later ()");
    const foreign = await connect({ ...server.address, database: "owned" });
    const message = await messageOf(() => restoreInto(folder, location, owner, "--replace"));
    expect(message).toMatch(/could not be renamed[\s\S]*terminate/);
    expect(await query(owner, "select to_regclass('later')::text as later")).toEqual([{ later: "later" }]);
    await foreign.end();
    const { replaced, warnings } = await restoreInto(folder, location, owner, "--replace");
    expect(warnings).toEqual([]);
    expect(await contentOf(owner)).toEqual(before);
    await query(server.address, replaced?.drop ?? "");
    await query(server.address, "drop database owned");
    await query(server.address, "drop role owner_of");
  });

  test("drops what a restore left whose process was killed", async () => {
    await using source = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    const { location = "" } = await takeBackup(folder, source.address);
    const owner = JSON.stringify({
      machine: "x",
      pid: 1,
      startTime: "1",
      created: "2020-01-01T00:00:00.000Z",
    });
    await query(server.address, "create database killed_restore_20200101000000_aaaaaa");
    await query(server.address, `comment on database killed_restore_20200101000000_aaaaaa is '${owner}'`);
    await query(server.address, "create database mine_restore_20200101000000_aaaaaa");
    await restoreInto(folder, location, target.address, "--replace");
    expect(
      await query(
        server.address,
        "select datname from pg_database where datname like '%20200101000000_aaaaaa'",
      ),
    ).toEqual([{ datname: "mine_restore_20200101000000_aaaaaa" }]);
  });
});

test("a dump of a newer pg_dump comes back into an older server, its setting left out", async () => {
  await using target = await server.database();
  await using newer = await testServer({ only: "embedded", production: 18 });
  await using folder = await workFolder();
  await query(newer.address, schema);
  const { location = "" } = await takeBackup(folder, newer.address);
  await restoreInto(folder, location, target.address);
  const content = await contentOf(target.address);
  expect(content.rows).toEqual((await contentOf(newer.address)).rows);
  // Cut, and with no manifest: psql is never told to commit.
  copyFileSync(location, join(folder.path, "cut.dump"));
  truncateSync(join(folder.path, "cut.dump"), statSync(location).size - 1000);
  await using other = await server.database();
  expect(await messageOf(() => restoreInto(folder, join(folder.path, "cut.dump"), other.address))).toContain(
    "cannot be read to its end",
  );
  await sleep(10);
  await expectEmpty(other.address);
});
