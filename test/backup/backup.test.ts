import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { escapeIdentifier, escapeLiteral } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programsOfMajor } from "../../src/backup/programs";
import type { Address } from "../../src/databases/postgres/connection";
import { type TestServer, testServer } from "../support/database";
import { messageOf } from "../support/messages";
import { contentOf, manifestOf, prepare, query, restoreInto, takeBackup, workFolder } from "./backups";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const schema = `create table users (id int primary key, name text);
  insert into users select g, 'user ' || g from generate_series(1, 1000) g;
  create table big (a text); insert into big select repeat(md5(g::text), 20) from generate_series(1, 5000) g; analyze big;
  create table alembic_version (version_num varchar(32)); insert into alembic_version values ('b2')`;

describe("a backup in a file", () => {
  test("is only its owner's, has the bytes of its manifest, and names what is in it", async () => {
    await using database = await server.database();
    await query(database.address, schema);
    await using folder = await workFolder();
    const report = await takeBackup(folder, database.address);
    const stored = readFileSync(report.location ?? "");
    const sha256 = createHash("sha256").update(stored).digest("hex");
    const manifest = await manifestOf(report);
    expect(report).toMatchObject({ kind: "dump", sha256, bytes: stored.length, encrypted: false });
    expect(report.restore).toBe(`migration-gate restore ${report.location} --to-env RESTORE_URL`);
    expect(manifest).toMatchObject({
      sha256,
      bytes: stored.length,
      encryption: null,
      revisions: { before: ["b2"], pending: [] },
      database: { name: database.address.database },
      warnings: [],
    });
    expect(manifest.tables.map(({ table, rows, rowsAre }) => [table, rows, rowsAre])).toEqual([
      ["alembic_version", 1, "counted"],
      ["big", 5000, "estimated"],
      ["users", 1000, "counted"],
    ]);
    expect(folder.backups()).toEqual([manifest.file, `${manifest.file}.manifest.json`]);
    for (const name of folder.backups())
      expect(statSync(join(folder.path, "backups", name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(report.manifest ?? "", "utf8")).not.toContain(database.address.password);
  });

  test("of an empty database, of the same one twice, and of two at once", async () => {
    await using database = await server.database();
    await using target = await server.database();
    await using folder = await workFolder();
    const empty = await takeBackup(folder, database.address);
    const restored = await restoreInto(folder, empty.location ?? "", target.address);
    expect(restored.sha256).toBe(empty.sha256);
    await query(database.address, schema);
    const both = await Promise.all([
      takeBackup(folder, database.address),
      takeBackup(folder, database.address),
    ]);
    expect(new Set([empty, ...both].map(({ location }) => location)).size).toBe(3);
    expect(folder.backups()).toHaveLength(6);
    for (const { location } of both) {
      await using each = await server.database();
      await restoreInto(folder, location ?? "", each.address);
      expect(await contentOf(each.address)).toEqual(await contentOf(database.address));
    }
  });

  const names = [
    "with space",
    "-dash",
    "--help",
    `a'b"c\\d`,
    "dbname=postgres",
    "postgresql://x",
    "%s$HOME`id`",
    "größe",
  ];
  test.each(names)("of a database and a role named %s", async (name) => {
    await query(server.address, `create database ${escapeIdentifier(name)}`);
    await query(server.address, `create database ${escapeIdentifier(`to ${name}`)}`);
    await query(
      server.address,
      `create role ${escapeIdentifier(name)} superuser login password ${escapeLiteral(`${name} password`)}`,
    );
    const address: Address = { ...server.address, database: name, user: name, password: `${name} password` };
    await query(address, 'create table "T=x" (a int); insert into "T=x" values (1)');
    await using folder = await workFolder();
    const report = await takeBackup(folder, address);
    const target = { ...address, database: `to ${name}` };
    await restoreInto(folder, report.location ?? "", target);
    expect(await query(target, 'select a from "T=x"')).toEqual([{ a: 1 }]);
    await query(target, "create table later ()");
    const { replaced } = await restoreInto(folder, report.location ?? "", target, "--replace");
    expect(await query(target, "select to_regclass('later') as later")).toEqual([{ later: null }]);
    // The way back, as it is printed.
    const lines = (replaced?.back ?? "").split(/(?<=;) /);
    await query(server.address, lines.join("\n"));
    expect(await query(target, "select to_regclass('later')::text as later")).toEqual([{ later: "later" }]);
    await query(server.address, `drop owned by ${escapeIdentifier(name)}`);
    await query(server.address, `drop database ${escapeIdentifier(name)}`);
  });
});

describe("a backup given to a command", () => {
  test("is what the command reads, and its manifest stays here", async () => {
    await using database = await server.database();
    await using target = await server.database();
    await query(database.address, schema);
    await using folder = await workFolder();
    const kept = join(folder.path, "kept-{name}");
    const report = await takeBackup(
      folder,
      database.address,
      ...["--backup-to", "command", "--backup-sink", `sh -c 'cat > "$1"' sh ${kept}`],
    );
    const { file, storedBy } = await manifestOf(report);
    expect(storedBy.kind).toBe("command");
    expect(folder.backups()).toEqual([`${file}.manifest.json`]);
    const stored = kept.replace("{name}", file);
    expect(createHash("sha256").update(readFileSync(stored)).digest("hex")).toBe(report.sha256);
    await restoreInto(folder, stored, target.address);
    expect(await contentOf(target.address)).toEqual(await contentOf(database.address));
  });

  test.each([
    [
      "that fails at its end",
      `sh -c 'cat > /dev/null; echo no such bucket >&2; exit 3'`,
      /exit code 3[\s\S]*no such bucket/,
    ],
    ["that ends early, without an error", "true", /ended before it had read/],
    ["that reads a little", `sh -c 'head -c 10 > /dev/null'`, /ended before it had read/],
    ["that is killed", `sh -c 'kill -9 $$'`, /SIGKILL/],
    ["that writes to a full disk", "dd of=/dev/full bs=64k status=none", /No space left/],
  ])("%s is no backup", async (_, sink, seen) => {
    await using database = await server.database();
    await query(database.address, schema);
    await query(
      database.address,
      "create table noise as select md5(random()::text) as a from generate_series(1, 30000)",
    );
    await using folder = await workFolder();
    const taking = () =>
      takeBackup(folder, database.address, "--backup-to", "command", "--backup-sink", sink);
    const message = await messageOf(taking);
    expect(message).toContain("The command that keeps the backup failed");
    expect(message).toMatch(seen);
    expect(folder.backups()).toEqual([]);
  });

  test("does not see the passwords of the gate, and the dump has none in its arguments", async () => {
    await using database = await server.database();
    await query(database.address, schema);
    // More than the pipes hold: the dump still runs while the command looks.
    await query(
      database.address,
      "create table noise as select md5(random()::text) as a from generate_series(1, 100000)",
    );
    await using folder = await workFolder();
    const seen = join(folder.path, "seen");
    const look = `sh -c 'head -c 100 > /dev/null; env > ${seen}; for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline; echo; done >> ${seen} 2> /dev/null; cat > /dev/null'`;
    await takeBackup(folder, database.address, "--backup-to", "command", "--backup-sink", look);
    const text = readFileSync(seen, "utf8");
    expect(text).toContain("pg_restore");
    expect(text).not.toContain(database.address.password);
  });
});

describe("refused before anything is touched", () => {
  const key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
  test.each<[string, string[], RegExp]>([
    ["none without a reason", ["--backup", "none"], /backup-because does not say why/],
    ["a command that is not named", ["--backup-to", "command"], /backup-sink names none/],
    ["a command for a file", ["--backup-sink", "cat"], /backup-to is file/],
    [
      "a command that is not there",
      ["--backup-to", "command", "--backup-sink", "no-such-program x"],
      /was not found/,
    ],
    ["an artifact that all can read", ["--backup-to", "artifact"], /would not be encrypted/],
    [
      "an artifact outside of a workflow",
      ["--backup-to", "artifact", "--backup-recipient", key],
      /only the action/,
    ],
    ["a key that is none", ["--backup-recipient", "age1"], /holds no age public key/],
    ["a pg_dump that is not there", ["--pg-dump", "/nonexistent/pg_dump"], /names no pg_dump that runs/],
  ])("%s", async (_, words, message) => {
    await using database = await server.database();
    await using folder = await workFolder();
    expect(await messageOf(() => prepare(folder, database.address, words, () => undefined))).toMatch(message);
    expect(folder.backups()).toEqual([]);
  });

  test("a folder that is a file", async () => {
    await using database = await server.database();
    await using folder = await workFolder();
    writeFileSync(join(folder.path, "backups"), "");
    expect(await messageOf(() => prepare(folder, database.address, [], () => undefined))).toContain(
      "The folder for backups cannot be written.",
    );
  });

  test("a folder that cannot be made", async () => {
    await using database = await server.database();
    await using folder = await workFolder();
    const words = ["--backup-directory", "/proc/nowhere/backups"];
    expect(await messageOf(() => prepare(folder, database.address, words, () => undefined))).toContain(
      "The folder for backups cannot be written.",
    );
  });

  test("a pg_dump that is older than the server", async () => {
    await using newer = await testServer({ only: "embedded", production: 18 });
    await using folder = await workFolder();
    const directory = join(folder.path, "bin");
    await mkdir(directory);
    for (const program of ["pg_dump", "pg_restore"])
      writeFileSync(join(directory, program), "#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.18'\n", {
        mode: 0o755,
      });
    const message = await messageOf(() =>
      prepare(folder, newer.address, ["--pg-dump", join(directory, "pg_dump")], () => undefined),
    );
    expect(message).toContain("pg_dump 15.18 is older than the server, PostgreSQL 18");
    // The machine's own is passed over, too.
    const description = await prepare(folder, newer.address, [], (prepared) => prepared.description);
    expect(description).toMatch(/^pg_dump (?:18|19)\./);
    expect(existsSync(join(folder.path, "backups"))).toBe(true);
  });

  test("none with a reason is told", async () => {
    await using database = await server.database();
    await using folder = await workFolder();
    const words = ["--backup", "none", "--backup-because", "snapshot 4711"];
    const [description, report] = await prepare(folder, database.address, words, async (prepared) => [
      prepared.description,
      await prepared.take(),
    ]);
    expect(description).toBe("no backup: snapshot 4711");
    expect(report).toMatchObject({ kind: "none", because: "snapshot 4711", location: undefined });
  });
});

describe("a pg_dump that lies", () => {
  test.each([
    ["whose output is cut", "head -c 20000", /cannot be read back by pg_restore/],
    ["that writes nothing", "cat > /dev/null", /cannot be read back by pg_restore/],
    ["that fails in the end", "(cat; exit 1)", /failed: there is no backup/],
  ])("%s", async (_, filter, message) => {
    await using database = await server.database();
    await query(database.address, schema);
    await using folder = await workFolder();
    const bin = join(folder.path, "bin");
    await mkdir(bin);
    const search = { environment: process.env, progress: () => undefined };
    const { dump } = await programsOfMajor(server.shadow.major, search);
    const script = `#!/bin/bash\n[ "$1" = --version ] && exec ${dump} --version\nset -o pipefail\n${dump} "$@" | ${filter}\n`;
    writeFileSync(
      join(bin, "pg_dump"),
      script.replace("pipefail", filter.startsWith("(") ? "pipefail" : "noglob"),
      { mode: 0o755 },
    );
    symlinkSync(join(dirname(dump), "pg_restore"), join(bin, "pg_restore"));
    const taking = () => takeBackup(folder, database.address, "--pg-dump", join(bin, "pg_dump"));
    expect(await messageOf(taking)).toMatch(message);
    expect(folder.backups()).toEqual([]);
  });
});

test("an artifact is given as two files, and nothing of it stays", async () => {
  await using database = await server.database();
  await query(database.address, schema);
  await using folder = await workFolder();
  const identity = await generateX25519Identity();
  const words = ["--backup-to", "artifact", "--backup-recipient", await identityToRecipient(identity)];
  const uploads: [string, string[]][] = [];
  const report = await prepare(folder, database.address, words, ({ take }) => take(), {
    uploadArtifact: (name, files) => {
      uploads.push([name, files.map((file) => readFileSync(file, "latin1").slice(0, 21))]);
      return Promise.resolve();
    },
  });
  const name = report.location ?? "";
  expect(uploads).toEqual([[name, ["age-encryption.org/v1", '{\n  "version": 1,\n  "']]]);
  expect(report.restore).toBe(`migration-gate restore ${name} --to-env RESTORE_URL --identity-file key.txt`);
  expect(folder.backups()).toEqual([]);
});

test("a role that may not read everything is told what it lacks", async () => {
  await using database = await server.database();
  await query(
    database.address,
    `${schema}; create role half login password 'half password'; grant select on users to half`,
  );
  await using folder = await workFolder();
  const address = { ...database.address, user: "half", password: "half password" };
  const message = await messageOf(() => takeBackup(folder, address));
  expect(message).toMatch(/permission denied[\s\S]*pg_read_all_data TO "half"/);
  expect(folder.backups()).toEqual([]);
  await query(database.address, "drop owned by half; drop role half");
});
