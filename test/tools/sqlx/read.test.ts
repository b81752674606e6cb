import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { buildGraph } from "../../../src/revisions/graph";
import { findProject } from "../../../src/tools/find-project";
import { toolNamed } from "../../../src/tools/index";
import { filesOf, readName } from "../../../src/tools/sqlx/migration-name";
import { type ProjectFiles, writeProject } from "../../support/project";

beforeAll(() => loadModule());

const cargo =
  '[package]\nname = "x"\n\n[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n';

async function readFiles(files: ProjectFiles) {
  await using project = await writeProject({ "Cargo.toml": cargo, ...files });
  const opened = findProject(project.path, { tool: "sqlx" });
  const read = toolNamed("sqlx").read(opened);
  const graph = buildGraph(read.revisions);
  const shown = read.revisions.map((revision) => ({
    id: revision.id,
    parents: revision.parents.join(),
    file: revision.location.file,
    message: revision.message,
    down: revision.downgrade?.file,
    reason: revision.downgrade?.irreversible,
  }));
  return {
    shown,
    problems: read.problems.map(({ text }) => text),
    graph: graph.problems.map(({ text }) => text),
    heads: graph.heads,
    bodies: read.revisions.map((revision) => read.body(revision)),
  };
}

describe("the migrations", () => {
  test("in the order of their versions, whatever their width", async () => {
    const { shown, heads } = await readFiles({
      "migrations/20260101000000_last.sql": "SELECT 1",
      "migrations/002_b_c.sql": "SELECT 1",
      "migrations/10_d.sql": "SELECT 1",
      "migrations/1_a.sql": "SELECT 1",
      "migrations/README.md": "",
      "migrations/notes.sql": "no version, and SQLx passes it over",
    });
    expect(shown.map(({ id, parents, file, message }) => [id, parents, file, message])).toEqual([
      ["1", "", "migrations/1_a.sql", "a"],
      ["2", "1", "migrations/002_b_c.sql", "b c"],
      ["10", "2", "migrations/10_d.sql", "d"],
      ["20260101000000", "10", "migrations/20260101000000_last.sql", "last"],
    ]);
    expect(heads).toEqual(["20260101000000"]);
  });

  test("simple, reversible, without its way back, and declared", async () => {
    const { shown } = await readFiles({
      "migrations/1_a.sql": "CREATE TABLE a ()",
      "migrations/2_b.up.sql": "CREATE TABLE b ()",
      "migrations/2_b.down.sql": "DROP TABLE b",
      "migrations/3_c.up.sql": "CREATE TABLE c ()",
      "migrations/4_d.sql": "-- migration-gate: irreversible because the rows are gone\r\nDROP TABLE a",
      "migrations/5_e.sql": "-- migration-gate: irreversible\nDROP TABLE b",
    });
    expect(shown.map(({ id, down, reason }) => [id, down, reason])).toEqual([
      ["1", undefined, undefined],
      ["2", "migrations/2_b.down.sql", undefined],
      ["3", undefined, undefined],
      ["4", "migrations/4_d.sql", "the rows are gone"],
      ["5", "migrations/5_e.sql", ""],
    ]);
  });

  test("what sqlx stops at, and what it would apply twice", async () => {
    const read = await readFiles({
      "migrations/a_b.sql": "SELECT 1",
      "migrations/1_a.sql": "SELECT 1",
      "migrations/01_b.sql": "SELECT 1",
      "migrations/7_lonely.down.sql": "SELECT 1",
    });
    expect(read.problems).toEqual([
      'migrations/a_b.sql has no version before its first "_": sqlx stops at it.',
      "migrations/7_lonely.down.sql is the way back of version 7, which has no way up.",
    ]);
    expect(read.graph).toEqual([
      'The revision id "1" is used by 2 files: migrations/01_b.sql and migrations/1_a.sql.',
    ]);
  });

  test("operations of both directions, with their place and transaction", async () => {
    const { bodies } = await readFiles({
      "migrations/1_a.up.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (x);\n",
      "migrations/1_a.down.sql":
        "-- migration-gate: allow ban-drop-column because unused\nALTER TABLE t DROP COLUMN é,\n  DROP COLUMN y;",
    });
    const [body] = bodies;
    expect(
      body?.operations.map(({ kind, origin, autocommit }) => [
        kind,
        origin.direction,
        `${origin.file}:${origin.line}-${origin.endLine}`,
        autocommit,
      ]),
    ).toEqual([
      ["createIndex", "upgrade", "migrations/1_a.up.sql:2-2", true],
      ["dropColumn", "downgrade", "migrations/1_a.down.sql:2-3", false],
      ["dropColumn", "downgrade", "migrations/1_a.down.sql:2-3", false],
    ]);
    expect(body?.remarks.map(({ text, line, covers }) => ({ text, line, covers }))).toMatchObject([
      { text: "allow ban-drop-column because unused", line: 1, covers: { from: 2, to: 3 } },
    ]);
  });
});

test.each([
  ["001_x.sql", { version: "1", description: "x", kind: "simple" }],
  ["+5_x_y.up.sql", { version: "5", description: "x y", kind: "up" }],
  ["-5_x.down.sql", { version: "-5", description: "x", kind: "down" }],
  ["9223372036854775807_x.sql", { version: "9223372036854775807", description: "x", kind: "simple" }],
  ["9223372036854775808_x.sql", "no version"],
  ["1_.sql", { version: "1", description: "", kind: "simple" }],
  ["_x.sql", "no version"],
  ["1-x.sql", undefined],
  ["1_x.SQL", undefined],
  ["1_x.sql.bak", undefined],
])("the name %s", (name, read) => {
  expect(readName(name)).toEqual(read);
});

test("a version may be written with any number of zeros", () => {
  expect(filesOf("4").slice(0, 3)).toEqual([
    ":(glob)**/4_*.sql",
    ":(glob)**/04_*.sql",
    ":(glob)**/004_*.sql",
  ]);
  expect(filesOf("20240101000000").at(-1)).toBe(":(glob)**/0000020240101000000_*.sql");
});

describe("a SQLx project is found", () => {
  const sql = { "migrations/1_a.sql": "SELECT 1" };
  test.each<[name: string, files: ProjectFiles, found: string | undefined]>([
    ["by sqlx in Cargo.toml", { ...sql, "Cargo.toml": cargo }, "migrations"],
    [
      "by a table of its own",
      { ...sql, "Cargo.toml": "[dependencies.sqlx]\nversion = '0.8'\n" },
      "migrations",
    ],
    ["by the workspace", { ...sql, "Cargo.toml": "[workspace.dependencies]\nsqlx = '0.8'\n" }, "migrations"],
    [
      "by a member",
      {
        ...sql,
        "Cargo.toml": "[workspace]\n",
        "crates/db/Cargo.toml": "[dependencies]\nsqlx.workspace = true\n",
      },
      "migrations",
    ],
    ["by sqlx.toml", { ...sql, "sqlx.toml": "" }, "migrations"],
    ["not without sqlx", { ...sql, "Cargo.toml": "[dependencies]\ndiesel = '2'\n" }, undefined],
    ["not by another crate's name", { ...sql, "Cargo.toml": "[dependencies]\nsqlx-like = '2'\n" }, undefined],
    [
      "not with dbmate's files",
      { "Cargo.toml": cargo, "migrations/1_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n" },
      undefined,
    ],
    ["not without migrations", { "Cargo.toml": cargo, "migrations/x.sql": "" }, undefined],
  ])("%s", async (_, files, found) => {
    await using project = await writeProject(files);
    expect(toolNamed("sqlx").detect(project.path)?.config).toBe(found);
  });

  test("in a folder that config names", async () => {
    await using project = await writeProject({ "Cargo.toml": cargo, "crates/db/sql/1_a.sql": "SELECT 1" });
    const { tool, root, config } = findProject(project.path, { config: "crates/db/sql/" });
    expect([tool, root, config]).toEqual(["sqlx", project.path, "crates/db/sql"]);
  });
});
