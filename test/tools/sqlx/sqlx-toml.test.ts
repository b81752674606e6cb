import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { findProject } from "../../../src/tools/find-project";
import { toolNamed, toolOf } from "../../../src/tools/index";
import { explainFailure } from "../../../src/tools/sqlx/failure";
import { readSqlxToml } from "../../../src/tools/sqlx/sqlx-toml";
import { messageOf } from "../../support/messages";
import { type ProjectFiles, writeProject } from "../../support/project";

beforeAll(() => loadModule());

const cargo = (version: string) => ({ "Cargo.toml": `[dependencies]\nsqlx = "${version}"\n` });
const lock = (version: string) => ({
  "Cargo.lock": `[[package]]\nname = "sqlx"\nversion = "${version}"\n\n[[package]]\nname = "sqlx-core"\nversion = "0.9.0"\n`,
});
const named = { "sqlx.toml": '[migrate]\ntable-name = "other"\n' };

describe("whether it is read is told by the release that the project pins", () => {
  test.each<[string, ProjectFiles, boolean]>([
    ["0.9 in Cargo.toml", cargo("0.9"), true],
    ["0.8 in Cargo.toml", cargo("0.8"), false],
    ["a range above 0.8", cargo(">=0.8.3"), false],
    ["1", cargo("1"), true],
    [
      "a table of its own",
      { "Cargo.toml": '[dependencies.sqlx]\nfeatures = ["x"]\nversion = "0.8"\n' },
      false,
    ],
    [
      "a value of several parts",
      { "Cargo.toml": '[dependencies]\nsqlx = { features = [], version = "=0.8.6" }\n' },
      false,
    ],
    ["Cargo.lock wins", { ...cargo(">=0.8"), ...lock("0.9.0") }, true],
    ["Cargo.lock wins over a newer wish", { ...cargo("0.9"), ...lock("0.8.6") }, false],
    ["nothing that tells", { "Cargo.toml": "[dependencies]\nsqlx.workspace = true\n" }, true],
  ])("%s", async (_, files, isRead) => {
    await using project = await writeProject({ ...files, ...named });
    expect(readSqlxToml(project.path).table !== undefined).toBe(isRead);
  });

  test("of a workspace, above the crate", async () => {
    await using project = await writeProject({
      ".git/HEAD": "",
      "Cargo.toml": '[workspace.dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n',
      "crates/db/Cargo.toml": "[dependencies]\nsqlx = { workspace = true }\n",
      "crates/db/sqlx.toml": named["sqlx.toml"],
    });
    expect(readSqlxToml(`${project.path}/crates/db`).matters).toBe(false);
  });
});

test.each([
  ['"t"', { table: "t" }],
  ['"App.Migrations"', { schema: "app", table: "migrations" }],
  ['"\\"My app\\".\\"x \\"\\"y\\""', { schema: "My app", table: 'x "y' }],
])("table-name = %s", async (value, table) => {
  await using project = await writeProject({ "sqlx.toml": `[migrate]\ntable-name = ${value}\n` });
  expect(readSqlxToml(project.path).table).toEqual(table);
});

test("what is no TOML is told with its place", async () => {
  await using project = await writeProject({
    "sqlx.toml": "[migrate]\ntable-name = \n",
    "migrations/1_a.sql": "",
  });
  expect(await messageOf(() => findProject(project.path))).toContain(
    "sqlx.toml is not TOML: sqlx cannot read it.\nwhere sqlx.toml:2:",
  );
});

/** By sqlx-cli 0.9.0, as it wrote them into its table on 2026-11-22. */
const seen = {
  text: "ALTER TABLE a ADD COLUMN x int;\r\n",
  checksum:
    "39162c0d7aff4d1a665710e0b9a9a123b6b0365d9e7f6719e35db87ee13aa6a94aa8d84a4720234a4ca56b90b3e7a770",
};

test("another folder, another table, and characters that do not count", async () => {
  await using project = await writeProject({
    ...cargo("0.9"),
    "sqlx.toml": `[migrate]\ncreate-schemas = ["foo"]\ntable-name = 'foo."my migrations"'\nmigrations-dir = "./db/migs/"\nignored-chars = ["\\r"]\n`,
    "db/migs/2_b.sql": seen.text,
  });
  const opened = findProject(project.path);
  expect(opened.config).toBe("db/migs");
  const tool = toolOf(opened);
  const bytes = Buffer.from(seen.text);
  expect([
    tool.rows?.compare(bytes, seen.checksum),
    toolNamed("sqlx").rows?.compare(bytes, seen.checksum),
    tool.sameBytes?.(bytes, Buffer.from(seen.text.replace("\r", ""))),
    tool.sameBytes?.(bytes, Buffer.from(seen.text.replace("x", "y"))),
    tool.rows?.insertion({ table: "t" }, { id: "2", message: "b" }, bytes).includes(seen.checksum),
  ]).toEqual(["same", "line ends", true, false, true]);
  expect(tool.commands(opened).upgrade("head")).toEqual([
    "run",
    "--source",
    "db/migs",
    "--config",
    "sqlx.toml",
  ]);
  const own = { schema: "foo", table: "my migrations" };
  expect([
    tool.versionWrites('INSERT INTO foo."my migrations" ( version ) VALUES ( $1 )'),
    tool.versionWrites("INSERT INTO _sqlx_migrations ( version ) VALUES ( $1 )"),
    tool.versionWrites('UPDATE foo."my migrations"\n SET execution_time = $1\n WHERE version = $2'),
    tool.readsVersions('SELECT version FROM foo."my migrations" WHERE success = false'),
    tool.readsVersions("SELECT version FROM _sqlx_migrations"),
  ]).toEqual([[{ verb: "insert", ...own }], [], [], true, false]);
});

test("only a folder needs no --config: what is older can be given it", async () => {
  await using project = await writeProject({
    "sqlx.toml": '[migrate]\nmigrations-dir = "sql"\n',
    "sql/1_a.sql": "SELECT 1",
  });
  const opened = findProject(project.path);
  expect(toolOf(opened).commands(opened).current).toEqual(["info", "--source", "sql"]);
});

test.each([
  // sqlx-cli 0.8.6 and 0.9.0, as they print it.
  ["error: unexpected argument '--config' found", "Install sqlx-cli 0.9 or later (cargo install sqlx-cli)."],
  [
    "error: `--database-url` or `FOO_URL` (`common.database-url-var` in `sqlx.toml`) must be set",
    "Set database-url-env to FOO_URL.",
  ],
  [
    "error: `--database-url` or `DATABASE_URL` must be set",
    "Set database-url-env to DATABASE_URL, which sqlx reads.",
  ],
  [
    "error: migration 2 is older than the latest applied migration 30",
    "Leave to out: then all that is pending is applied.",
  ],
])("%s", (text, advice) => {
  expect(explainFailure({ text, exitCode: 1 }).do).toBe(advice);
});

test.each([
  [
    'Error: while executing migration 13: error returned from database: relation "x" does not exist\n\nStack backtrace:\n  0: main',
    'Migration 13 failed: relation "x" does not exist.',
  ],
  [
    'Error: ExecuteMigration(Database(PgDatabaseError { severity: Error, code: "42P01", message: "relation \\"x\\" does not exist", detail: None }), 13)',
    'Migration 13 failed: relation "x" does not exist.',
  ],
  ["Error: VersionMismatch(4)", "Migration 4 was applied with other bytes than its file has now."],
  ["thread 'main' panicked: no pool\nError: no such host", "The program of run stopped: no such host."],
  ["", "The program of run ended with exit code 1 and printed nothing."],
])("a program around the library: %s", async (text, summary) => {
  await using files = await writeProject({ ...cargo("0.8"), "migrations/1_a.sql": "" });
  const words = { run: "admin", "run-apply": "migrate", "run-status": "info" };
  expect(explainFailure({ text, exitCode: 1 }, findProject(files.path, words)).summary).toBe(summary);
});
