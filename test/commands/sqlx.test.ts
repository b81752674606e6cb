import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { status } from "../../src/commands/status";
import { urlOf } from "../../src/databases/postgres/connection";
import { readSettings } from "../../src/project/read-settings";
import { statusLines, statusText } from "../../src/reports/status-text";
import { plainPaint } from "../../src/reports/terminal";
import type { ShadowDatabase } from "../../src/shadow/server";
import { findProject } from "../../src/tools/find-project";
import { toolNamed } from "../../src/tools/index";
import { type TestServer, testClient, testServer } from "../support/database";
import { blames, type GateOptions, judge, openSteps } from "../support/gate";
import { type Repository, repositoryIn } from "../support/git";
import { type Project, type ProjectFiles, withPython, writeProject } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const cargo = { "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n' };
const base: ProjectFiles = {
  ...cargo,
  "migrations/001_accounts.up.sql": "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL);\n",
  "migrations/001_accounts.down.sql": "DROP TABLE accounts;\n",
  "migrations/002_orders.up.sql":
    "CREATE TABLE orders (id bigint PRIMARY KEY, account_id bigint REFERENCES accounts);\n",
  "migrations/002_orders.down.sql": "DROP TABLE orders;\n",
};

interface Case extends Pick<GateOptions, "args" | "env"> {
  readonly files: ProjectFiles;
  readonly exit: 0 | 1;
  readonly findings?: readonly string[];
  readonly open?: readonly string[];
  readonly tells?: string;
}

const third = (up: string, down: string): ProjectFiles => ({
  ...base,
  "migrations/003_third.up.sql": up,
  "migrations/003_third.down.sql": down,
});
const residue = "downgrade-leaves-residue";

const simple = (up: string): ProjectFiles => ({ ...base, "migrations/003_simple.sql": up });

const cases: Readonly<Record<string, Case>> = {
  "reversible migrations": { files: base, exit: 0 },
  "an enum that is left": {
    files: third(
      "CREATE TYPE state AS ENUM ('a');\nALTER TABLE orders ADD COLUMN state state;",
      "ALTER TABLE orders DROP COLUMN state;",
    ),
    exit: 1,
    findings: [`error ${residue} 3 enum type public.state`],
    open: ["3 downgrade: failed, it does not restore the schema"],
    tells: "Add DROP TYPE public.state to migrations/003_third.down.sql.",
  },
  "a down that drops a column before its index": {
    files: third(
      "ALTER TABLE orders ADD COLUMN note text;\nCREATE INDEX ix_note ON orders (note);",
      "ALTER TABLE orders DROP COLUMN note;\nDROP INDEX ix_note;",
    ),
    exit: 1,
    findings: ["error downgrade-fails 3", "warning require-concurrent-index-creation 3 index ix_note"],
    open: ["3 downgrade: failed, the downgrade fails"],
    tells: "Correct migrations/003_third.down.sql.",
  },
  "an up that PostgreSQL refuses": {
    files: third("ALTER TABLE nowhere ADD COLUMN x int;", "ALTER TABLE nowhere DROP COLUMN x;"),
    exit: 1,
    findings: ["error upgrade-fails 3"],
    open: ["3 downgrade: skipped, the upgrade fails", "3 upgrade: failed, the upgrade fails"],
    tells: 'Migration 3 failed: relation \\"nowhere\\" does not exist.',
  },
  "a migration outside of a transaction": {
    files: third(
      "-- no-transaction\nCREATE INDEX CONCURRENTLY ix_account ON orders (account_id);",
      "-- no-transaction\nDROP INDEX CONCURRENTLY ix_account;",
    ),
    exit: 0,
  },
  "a simple migration above reversible ones": {
    files: { ...base, "migrations/003_simple.sql": "ALTER TABLE orders ADD COLUMN note text;" },
    exit: 1,
    findings: ["error require-downgrade 3"],
    open: ["3 downgrade: skipped, it has no file that takes it back"],
    tells:
      "Write migrations/rollback/003.sql (migration-gate proves it and rollback runs it), or make it reversible: migrations/003_simple.up.sql and .down.sql; or say at the top of migrations/003_simple.sql why there is none: -- migration-gate: irreversible because <the reason>",
  },
  "simple migrations with their reverse beside them, among reversible ones": {
    files: {
      ...base,
      "migrations/003_notes.sql":
        "CREATE TYPE mood AS ENUM ('good');\nALTER TABLE orders ADD COLUMN mood mood;",
      "migrations/rollback/003.sql": "ALTER TABLE orders DROP COLUMN mood;\nDROP TYPE mood;\n",
      "migrations/004_more.sql": "CREATE TABLE more (id int);",
      "migrations/rollback/4.sql": "-- größer\nDROP TABLE more",
      "migrations/005_last.up.sql": "CREATE TABLE last (id int);",
      "migrations/005_last.down.sql": "DROP TABLE last;",
    },
    exit: 0,
  },
  "a reverse that leaves an enum": {
    files: {
      ...simple("CREATE TYPE mood AS ENUM ('good');\nALTER TABLE orders ADD COLUMN mood mood;"),
      "migrations/rollback/003.sql": "ALTER TABLE orders DROP COLUMN mood;\n",
    },
    exit: 1,
    findings: [`error ${residue} 3 enum type public.mood`],
    open: ["3 downgrade: failed, it does not restore the schema"],
    tells: "Add DROP TYPE public.mood to migrations/rollback/003.sql.",
  },
  "a reverse that fails": {
    files: {
      ...simple("ALTER TABLE orders ADD COLUMN note text;"),
      "migrations/rollback/003.sql": "ALTER TABLE orders DROP COLUMN note;\n\nDROP INDEX ix_note;\n",
    },
    exit: 1,
    findings: ["error downgrade-fails 3"],
    open: ["3 downgrade: failed, the downgrade fails"],
    tells: 'Migration 3 failed: index \\"ix_note\\" does not exist.',
  },
  "a reverse that ends its transaction": {
    files: {
      ...simple("ALTER TABLE orders ADD COLUMN note text;"),
      "migrations/rollback/003.sql": "ALTER TABLE orders DROP COLUMN note; COMMIT;",
    },
    exit: 1,
    findings: ["error downgrade-fails 3"],
    open: ["3 downgrade: failed, the downgrade fails"],
    tells: "COMMIT in migrations/rollback/003.sql: it runs in one transaction with the deletion of its row.",
  },
  "a reverse that deletes its own row": {
    files: {
      ...simple("ALTER TABLE orders ADD COLUMN note text;"),
      "migrations/rollback/003.sql":
        "ALTER TABLE orders DROP COLUMN note; DELETE FROM _sqlx_migrations WHERE version = 3;",
    },
    exit: 1,
    findings: ["error downgrade-fails 3"],
    open: ["3 downgrade: failed, the downgrade fails"],
    tells: "migrations/rollback/003.sql writes the version table",
  },
  "a reverse that does nothing": {
    files: {
      ...simple("ALTER TABLE orders ADD COLUMN note text;"),
      "migrations/rollback/003.sql": "-- nothing\n",
    },
    exit: 1,
    findings: [
      "error require-downgrade 3",
      "note column-order-differs 3 column order public.orders",
      `note ${residue} 3 column public.orders.note`,
    ],
    open: ["3 downgrade: failed, it does not restore the schema"],
  },
  "reverses of nothing": {
    files: {
      ...base,
      "migrations/rollback/2.sql": "DROP TABLE orders;",
      "migrations/rollback/9.sql": "DROP TABLE orders;",
      "migrations/rollback/003_simple.sql": "SELECT 1;",
    },
    exit: 1,
    findings: ["error not-analysed -", "error not-analysed -", "error not-analysed -"],
    tells: "migrations/rollback/2.sql is the reverse of version 2, and no simple migration has this version.",
  },
  "simple migrations that say why they have no way back": {
    files: {
      ...cargo,
      "migrations/1_a.sql":
        "-- migration-gate: irreversible because it is the start\nCREATE TABLE a (id int);",
      "migrations/2_b.sql": "-- migration-gate: irreversible because we go forward\nCREATE TABLE b (id int);",
    },
    exit: 0,
    open: [
      "1 downgrade: skipped, irreversible: it is the start",
      "2 downgrade: skipped, irreversible: we go forward",
    ],
  },
  "a reversible one above a simple one": {
    files: {
      ...cargo,
      "migrations/1_a.sql":
        "-- migration-gate: irreversible because it is the start\nCREATE TABLE a (id int);",
      "migrations/2_b.up.sql": "CREATE TABLE b (id int);",
      "migrations/2_b.down.sql": "SELECT 1;",
    },
    exit: 1,
    findings: ["error require-downgrade 2", `note ${residue} 2 table public.b`],
    open: [
      "1 downgrade: skipped, irreversible: it is the start",
      "2 downgrade: failed, it does not restore the schema",
    ],
  },
  "versions with one digit and with two": {
    files: {
      ...cargo,
      "migrations/9_a.up.sql": "CREATE TABLE a (id int);",
      "migrations/9_a.down.sql": "DROP TABLE a;",
      "migrations/10_b.sql": "CREATE TABLE b (id int);",
      "migrations/rollback/10.sql": "DROP TABLE b;",
      "migrations/11_c.up.sql": "CREATE TABLE c (id int);",
      "migrations/11_c.down.sql": "DROP TABLE c;",
    },
    exit: 0,
  },
  "a folder of another name": {
    files: Object.fromEntries(
      Object.entries(base).map(([file, text]) => [file.replace("migrations/", "crates/d b/sql'$(x)/"), text]),
    ),
    args: ["--config", "crates/d b/sql'$(x)"],
    exit: 0,
  },
  "an .env file with another address, which does not win": {
    files: { ...base, ".env": "DATABASE_URL=postgres://nobody@127.0.0.1:1/nowhere\n" },
    exit: 0,
  },
  "a version table that a migration writes by itself": {
    files: third("DELETE FROM _sqlx_migrations WHERE version = 1;", "SELECT 1;"),
    exit: 1,
    findings: [
      "error not-proved 1",
      "error not-proved 2",
      "error require-downgrade 3",
      "error second-upgrade-fails 1",
      "error second-upgrade-fails 3",
    ],
    open: [
      ...["1", "2"].map(
        (id) =>
          `${id} downgrade: not proved, the version table went over 1, 2 at once, so that no boundary lay between them`,
      ),
      "3 downgrade: failed, the second upgrade fails",
    ],
  },
};

describe.concurrent("check runs sqlx", () => {
  test.each(Object.entries(cases))(
    "%s",
    async (_, { files, exit, findings = [], open = [], tells, args }) => {
      await using project = await writeProject(files);
      const { code, report } = await judge({
        cwd: project.path,
        args: ["--shadow-url", urlOf(server.address), ...(args ?? [])],
      });
      expect({ code, findings: blames(report), open: openSteps(report) }).toEqual({
        code: exit,
        findings: [...findings],
        open: [...open],
      });
      if (tells !== undefined)
        expect(report.findings.map((each) => JSON.stringify(each)).join()).toContain(tells);
    },
  );
});

interface Change {
  /** What the change does to the files of `base`, which are the base commit. */
  readonly change: (repository: Repository) => void;
  readonly findings: readonly string[];
  readonly states: string;
  readonly tells?: string;
  /** What the base has, too. */
  readonly more?: ProjectFiles;
  /** What the target gets after the base. */
  readonly target?: ProjectFiles;
}

const reversed = { simple: "migrations/003_c.sql", reverse: "migrations/rollback/003.sql" };

const up2 = "migrations/002_orders.up.sql";
const down2 = "migrations/002_orders.down.sql";
const text2 = base[up2] ?? "";

const changes: Readonly<Record<string, Change>> = {
  nothing: { change: () => undefined, findings: [], states: "1 unchanged, 2 unchanged" },
  "a new one above": {
    change: (repository) => {
      repository.write("migrations/003_c.up.sql", "CREATE TABLE c (id int);");
      repository.write("migrations/003_c.down.sql", "DROP TABLE c;");
    },
    findings: [],
    states: "1 unchanged, 2 unchanged, 3 new",
  },
  "an edited one": {
    change: (repository) => repository.write(up2, `${text2}-- a comment\n`),
    findings: ["error fails-on-deployed -", "error revision-edited 2"],
    states: "1 unchanged, 2 edited",
    tells: "migration 2 was previously applied but has been modified",
  },
  "only line ends": {
    change: (repository) => repository.write(up2, text2.replaceAll("\n", "\r\n")),
    findings: ["error fails-on-deployed -", "error revision-edited 2"],
    states: "1 unchanged, 2 edited",
    tells: "in its line ends only (CRLF)",
  },
  "a way back that is edited": {
    change: (repository) => repository.write(down2, "DROP TABLE IF EXISTS orders;\n"),
    findings: ["error revision-edited 2"],
    states: "1 unchanged, 2 edited",
    tells: 'The way back of revision \\"2\\" was edited after it had landed.',
  },
  "a way back that is deleted": {
    change: (repository) => repository.remove(down2),
    findings: ["error require-downgrade 2", "error revision-edited 2"],
    states: "1 unchanged, 2 edited",
    tells: `git checkout <base> -- ${down2}`,
  },
  "a deleted one": {
    change: (repository) => {
      repository.remove(up2);
      repository.remove(down2);
    },
    findings: ["error revision-deleted 2"],
    states: "1 unchanged, 2 deleted",
    tells: "migration 2 was previously applied but is missing in the resolved migrations",
  },
  "a renumbered one": {
    change: (repository) => {
      repository.git("mv", up2, "migrations/005_orders.up.sql");
      repository.git("mv", down2, "migrations/005_orders.down.sql");
    },
    findings: ["error fails-on-deployed -", "error revision-deleted 2"],
    states: "1 unchanged, 5 new, 2 deleted",
  },
  "a squash that uses a version again": {
    change: (repository) => {
      for (const file of [up2, down2, "migrations/001_accounts.up.sql", "migrations/001_accounts.down.sql"])
        repository.remove(file);
      repository.write("migrations/001_all.up.sql", `${base["migrations/001_accounts.up.sql"]}${text2}`);
      repository.write("migrations/001_all.down.sql", "DROP TABLE orders; DROP TABLE accounts;");
    },
    findings: ["error fails-on-deployed -", "error revision-squashed 1"],
    states: "1 edited, 2 deleted",
    tells: "Landed migrations were squashed: 2 is gone; 1 has other content now.",
  },
  "a file that only got another name": {
    change: (repository) => {
      repository.git("mv", up2, "migrations/2_the_orders.up.sql");
      repository.git("mv", down2, "migrations/2_the_orders.down.sql");
    },
    findings: [],
    states: "1 unchanged, 2 unchanged",
  },
  "a simple one that is new, with its reverse": {
    change: (repository) => {
      repository.write(reversed.simple, "CREATE TABLE c (id int);");
      repository.write(reversed.reverse, "DROP TABLE c;");
    },
    findings: [],
    states: "1 unchanged, 2 unchanged, 3 new",
  },
  "a reverse for one that has landed": {
    more: { [reversed.simple]: "CREATE TABLE c (id int);" },
    change: (repository) => repository.write(reversed.reverse, "DROP TABLE c, d;"),
    findings: ["error downgrade-fails 3"],
    states: "1 unchanged, 2 unchanged, 3 edited",
  },
  "a reverse that has landed and is edited": {
    more: { [reversed.simple]: "CREATE TABLE c (id int);", [reversed.reverse]: "DROP TABLE c;" },
    change: (repository) => repository.write(reversed.reverse, "DROP TABLE public.c;"),
    findings: ["error revision-edited 3"],
    states: "1 unchanged, 2 unchanged, 3 edited",
    tells: 'The way back of revision \\"3\\" was edited after it had landed.',
  },
  "one below what has landed": {
    change: (repository) => {
      repository.write("migrations/0_first.up.sql", "CREATE TABLE first (id int);");
      repository.write("migrations/0_first.down.sql", "DROP TABLE first;");
    },
    // sqlx takes back what is above 0, and nothing else.
    findings: ["error not-proved 0", "warning revision-out-of-order 0"],
    states: "0 new, 1 unchanged, 2 unchanged",
  },
  "one below what the target got since": {
    change: (repository) => {
      repository.write("migrations/003_c.up.sql", "CREATE TABLE c (id int);");
      repository.write("migrations/003_c.down.sql", "DROP TABLE c;");
    },
    target: { "migrations/004_d.sql": "SELECT 1;" },
    findings: ["warning revision-out-of-order 3"],
    tells:
      "Give it a version above 4: git mv migrations/003_c.up.sql migrations/005_c.up.sql; git mv migrations/003_c.down.sql migrations/005_c.down.sql",
    states: "1 unchanged, 2 unchanged, 3 new",
  },
  "a version that the target took as well": {
    change: (repository) => {
      repository.write("migrations/003_c.up.sql", "CREATE TABLE c (id int);");
      repository.write("migrations/003_c.down.sql", "DROP TABLE c;");
    },
    target: { "migrations/003_d.sql": "SELECT 1;" },
    findings: ["error duplicate-revision 3"],
    tells:
      "Give it a version above all others: git mv migrations/003_c.up.sql migrations/004_c.up.sql; git mv migrations/003_c.down.sql migrations/004_c.down.sql",
    states: "1 unchanged, 2 unchanged, 3 new",
  },
};

describe.concurrent("check compares SQLx's files byte by byte", () => {
  test.each(Object.entries(changes))("%s", async (_, { change, findings, states, tells, target, more }) => {
    await using project = await writeProject({ ...base, ...more });
    const repository = repositoryIn(project.path);
    repository.git("config", "core.autocrlf", "false");
    const commit = repository.commit("base");
    repository.git("branch", "target");
    change(repository);
    repository.commit("change");
    if (target !== undefined) {
      repository.git("checkout", "-q", "target");
      for (const [file, text] of Object.entries(target)) repository.write(file, text);
      repository.commit("theirs");
      repository.git("checkout", "-q", "main");
    }
    const { report } = await judge({
      cwd: project.path,
      args: ["--base", "target", "--shadow-url", urlOf(server.address)],
    });
    const shown = report.revisions.map(({ id, state }) => `${id} ${state}`).join(", ");
    expect({ findings: blames(report), states: shown }).toEqual({ findings: [...findings], states });
    const all = report.findings.map((each) => JSON.stringify(each)).join();
    if (tells !== undefined) expect(all.replaceAll(commit.slice(0, 10), "<base>")).toContain(tells);
  });
});

function sqlx(project: Project, database: ShadowDatabase, ...words: string[]): string {
  const env = { ...withPython(), DATABASE_URL: urlOf(database.address) };
  return execFileSync("sqlx", ["migrate", ...words], { cwd: project.path, env, encoding: "utf8" });
}

async function statusIn(project: Project, database: ShadowDatabase) {
  const settings = readSettings(["--working-directory", project.path], {});
  const environment = { ...withPython(), DATABASE_URL: urlOf(database.address) };
  const report = await status({ settings, environment });
  const each = report.revisions.map((revision) =>
    [revision.id, revision.status, revision.lineEndsOnly && "CRLF", revision.outOfOrder && "late"]
      .filter(Boolean)
      .join(" "),
  );
  return { report, state: report.state, each: each.join(", "), text: statusText(report, false, plainPaint) };
}

describe("status of a SQLx project", () => {
  test("first install, pending, up to date", async () => {
    await using project = await writeProject(base);
    await using database = await server.database();
    expect(await statusIn(project, database)).toMatchObject({
      state: "first install",
      each: "1 pending, 2 pending",
    });
    sqlx(project, database, "run", "--target-version", "1");
    expect(statusLines((await statusIn(project, database)).report)).toBe(
      "1/installed: accounts\n2/pending: orders\n",
    );
    expect(await statusIn(project, database)).toMatchObject({
      state: "pending",
      each: "1 applied, 2 pending",
    });
    sqlx(project, database, "run");
    const { state, report } = await statusIn(project, database);
    expect(statusLines(report)).toBe("1/installed: accounts\n2/installed: orders\n");
    expect({ state, heads: report.heads, table: report.versionTable }).toEqual({
      state: "up to date",
      heads: { database: ["2"], source: ["2"] },
      table: { schema: "public", table: "_sqlx_migrations" },
    });
  });

  test("a checksum mismatch, where sqlx says 0, and one that is only line ends", async () => {
    await using project = await writeProject(base);
    await using database = await server.database();
    sqlx(project, database, "run");
    const files = [join(project.path, "migrations/001_accounts.up.sql"), join(project.path, up2)] as const;
    writeFileSync(files[0], readFileSync(files[0], "utf8").replaceAll("\n", "\r\n"));
    writeFileSync(files[1], "SELECT 2;\n");
    expect(sqlx(project, database, "info")).toContain("different checksum");
    const { state, each, text } = await statusIn(project, database);
    expect({ state, each }).toEqual({
      state: "checksum mismatch",
      each: "1 checksum mismatch CRLF, 2 checksum mismatch",
    });
    expect(text).toContain("checksum mismatch 1  accounts (only its line ends differ (CRLF))");
    expect(text).toContain("2 checksum mismatch: the next deploy will be refused");
  });

  test("dirty, out of order, and unknown with the commit that had it", async () => {
    await using project = await writeProject({ ...base, "migrations/009_lost.sql": "SELECT 9;" });
    const repository = repositoryIn(project.path);
    const commit = repository.commit("with lost");
    await using database = await server.database();
    sqlx(project, database, "run");
    await using connected = await testClient(database.address);
    await connected.client.query("UPDATE _sqlx_migrations SET success = false WHERE version = 2");
    expect(await statusIn(project, database)).toMatchObject({
      state: "dirty",
      each: "1 applied, 2 dirty, 9 applied",
    });
    await connected.client.query("DELETE FROM _sqlx_migrations WHERE version = 2");
    expect(await statusIn(project, database)).toMatchObject({
      state: "pending",
      each: "1 applied, 2 pending late, 9 applied",
    });
    repository.remove("migrations/009_lost.sql");
    repository.commit("without");
    const { state, each, report } = await statusIn(project, database);
    expect({ state, each, unknown: report.unknown }).toMatchObject({
      state: "unknown revisions",
      each: "1 applied, 2 pending",
      unknown: [{ id: "9", lastCommit: { hash: commit }, file: "migrations/009_lost.sql" }],
    });
  });
});

test("the migrations are those that sqlx itself lists", async () => {
  await using project = await writeProject({
    ...base,
    "migrations/20240101000000_wide_version.sql": "SELECT 1",
    "migrations/+7_plus.sql": "SELECT 1",
    "migrations/-3_below_zero.sql": "SELECT 1",
    "migrations/5_.sql": "SELECT 1",
    "migrations/notes.sql": "not one",
    "migrations/rollback/3.sql": "not one of sqlx's",
    "migrations/rollback/002_x.sql": "not one",
    "migrations/6_x.txt": "not one",
  });
  await using database = await server.database();
  const read = toolNamed("sqlx").read(findProject(project.path));
  const listed = sqlx(project, database, "info").trim().split("\n");
  expect(read.revisions.map(({ id, message }) => `${id}/pending ${message}`)).toEqual(listed);
  await using odd = await writeProject({ ...base, "migrations/x_y.sql": "SELECT 1" });
  const env = { ...withPython(), DATABASE_URL: urlOf(database.address) };
  const refused = spawnSync("sqlx", ["migrate", "info"], { cwd: odd.path, env, encoding: "utf8" });
  const explained = toolNamed("sqlx").explainFailure({
    text: refused.stdout + refused.stderr,
    exitCode: refused.status,
  });
  expect(explained.summary).toMatch(/x_y\.sql" lies among the migrations and has no version\.$/);
});
