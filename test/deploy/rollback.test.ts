import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeployPlan } from "../../src/model/deployment";
import { type TestServer, testServer } from "../support/database";
import { startGate } from "../support/gate";
import { repositoryIn } from "../support/git";
import type { Project } from "../support/project";
import {
  ask,
  deploy,
  deployedProject,
  records,
  refusal,
  reportOf,
  revisionFiles,
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

const index = {
  id: "index",
  up: sql("CREATE INDEX one_id ON one (id)"),
  down: sql("DROP INDEX one_id"),
};
const column = {
  id: "column",
  up: sql("ALTER TABLE one ADD COLUMN name text"),
  down: [sql("ALTER TABLE one DROP COLUMN name"), sql("DELETE FROM one WHERE id = 7")].join("\n"),
};

describe("rollback", () => {
  test("takes one revision back that loses nothing", async () => {
    await using project = await deployedProject([table("one"), index]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const { code, report, stderr } = await deploy("rollback", project, database.address);
    expect(report, stderr).toMatchObject({
      command: "rollback",
      outcome: "done",
      state: "at target",
      heads: { before: ["index"], goal: ["one"], after: ["one"] },
      revisions: [{ id: "index", status: "done" }],
    });
    expect(code).toBe(0);
    expect(stderr).toContain("order    either first: ");
    expect(await ask(database.address, "select to_regclass('one_id')::text")).toEqual([null]);
    expect(records(project).map(({ command }) => command)).toEqual(["apply", "rollback"]);
  });

  test("goes one revision at a time, names the last commit without it, and says what goes first and why", async () => {
    const steps = [
      { ...column, id: "added", down: sql("ALTER TABLE one DROP COLUMN name") },
      // Its downgrade brings back what an older release reads.
      {
        id: "narrow",
        up: sql("ALTER TABLE one DROP COLUMN name"),
        down: sql("ALTER TABLE one ADD COLUMN name text"),
      },
      {
        id: "renamed",
        up: sql("ALTER TABLE one RENAME COLUMN id TO number"),
        down: sql("ALTER TABLE one RENAME COLUMN number TO id"),
      },
      {
        id: "wider",
        up: sql("ALTER TABLE one ALTER COLUMN number TYPE bigint"),
        down: sql("ALTER TABLE one ALTER COLUMN number TYPE int"),
      },
    ];
    const all = [table("one"), ...steps];
    await using project = await deployedProject([table("one")]);
    const repository = repositoryIn(project.path);
    repository.commit("release of one");
    for (const [at, { id }] of steps.entries()) {
      const name = `migrations/versions/${id}.py`;
      repository.write(name, revisionFiles(all.slice(0, at + 2))[name]);
      repository.commit(`release of ${id}`);
    }
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const told: string[] = [];
    const losses = ["column public.one.number", undefined, undefined, "column public.one.name"];
    for (const [index, { id }] of [...steps].reverse().entries()) {
      const before = all[all.findIndex((each) => each.id === id) - 1]?.id ?? "";
      const loss = losses[index];
      const args = loss === undefined ? [] : ["--accept-loss", loss];
      const { code, report, stderr } = await deploy("rollback", project, database.address, { args });
      expect([code, report.revisions.map((each) => each.id), report.heads.after], stderr).toEqual([
        0,
        [id],
        [before],
      ]);
      const commit = repository.git("log", "--format=%H", "-1", `--grep=^release of ${before}$`).slice(0, 12);
      const [, order = "", lines = ""] = /^order {4}(.*)\n((?: +\d\. .*\n)+)/m.exec(stderr) ?? [];
      const shown = lines
        .replace(/^ +/gm, "")
        .replaceAll(commit, "<commit>")
        .replace(/ \(.*\)/, "");
      told.push(`${id}: ${order}\n${shown}`);
      expect(report.next.length).toBe(order.startsWith("code") ? 0 : 1);
    }
    expect(told).toEqual([
      `wider: code first: After the downgrade the database may refuse what the release that runs writes (column public.one.number).
1. deploy <commit>, the last commit without wider
2. take wider back
`,
      `renamed: neither first: The downgrade removes what the release that runs may use (column public.one.number) and brings back what the one before it needs (column public.one.id): no order suits both.
1. stop the release that runs, or let its errors be
2. take renamed back
3. deploy <commit>, the last commit without renamed
`,
      `narrow: database first: The downgrade brings back what a release from before narrow needs (column public.one.name); the one that runs does not use it.
1. take narrow back
2. deploy <commit>, the last commit without narrow
`,
      `added: code first: The downgrade removes what the release that runs may use (column public.one.name): it fails without it.
1. deploy <commit>, the last commit without added
2. take added back
`,
    ]);
  });

  test("is not kept by another branch that does the same again", async () => {
    await using project = await deployedProject([table("one"), index]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const text = readFileSync(join(project.path, "migrations/versions/index.py"), "utf8");
    writeFileSync(join(project.path, "migrations/versions/again.py"), text.replace('"index"', '"again"'));
    const { code, report, stderr } = await deploy("rollback", project, database.address);
    expect([code, report.heads.after], stderr).toEqual([0, ["one"]]);
  });

  test("takes a merge back, to each of its parents", async () => {
    await using project = await deployedProject([table("one")]);
    const write = (id: string, parents: string, up: string, down: string) =>
      writeFileSync(
        join(project.path, `migrations/versions/${id}.py`),
        `"""make ${id}"""\nrevision = "${id}"\ndown_revision = ${parents}\nfrom alembic import op\ndef upgrade():\n    ${up}\ndef downgrade():\n    ${down}\n`,
      );
    for (const id of ["left", "right"])
      write(id, '"one"', sql(`CREATE TABLE side_${id} (id int)`), sql(`DROP TABLE side_${id}`));
    write("both", '("left", "right")', "pass", "pass");
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const { code, report, stderr } = await deploy("rollback", project, database.address);
    expect([code, report.state, report.heads.after], stderr).toEqual([0, "at target", ["left", "right"]]);
    expect(await tables(database.address)).toEqual(["alembic_version", "one", "side_left", "side_right"]);
  });

  test("to the base, beside another program's version table", async () => {
    await using project = await deployedProject([{ id: "one", up: "pass" }]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    for (const text of [
      "create schema other",
      "create table other.alembic_version (version_num varchar(32) primary key)",
      "insert into other.alembic_version values ('ffff')",
    ])
      await ask(database.address, text);
    const { code, report, stderr } = await deploy("rollback", project, database.address);
    expect([code, report.state, report.heads.after], stderr).toEqual([0, "at target", []]);
  });

  test("what it loses must be accepted by its name", async () => {
    await using project = await deployedProject([table("one"), column]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    await ask(database.address, "insert into one values (1, 'a')");
    const refused = await refusal("rollback", project, database.address);
    expect(refused.what).toBe("Taking revision column back loses what is in 2 places.");
    expect(refused.seen).toBe("column public.one.name\nrows: DELETE FROM one WHERE id = 7");
    expect(refused.do).toContain("--accept-loss 'column public.one.name'");
    expect(await ask(database.address, "select name from one")).toEqual(["a"]);
    const accepted = [
      "--accept-loss",
      "column public.one.name",
      "--accept-loss",
      "rows: DELETE FROM one WHERE id = 7",
    ];
    const stray = await refusal("rollback", project, database.address, {
      args: [...accepted, "--accept-loss", "table public.users"],
    });
    expect(stray.what).toBe("accept-loss names what revision column does not lose: table public.users.");
    const done = await deploy("rollback", project, database.address, { args: accepted });
    expect([done.code, done.report.heads.after]).toEqual([0, ["one"]]);
  });

  test("a column and a table that get their old names back are no loss, and keep their rows", async () => {
    await using project = await deployedProject([
      { id: "one", up: sql("CREATE TABLE one (id int, title text)"), down: sql("DROP TABLE one") },
      {
        id: "names",
        up: 'op.alter_column("one", "title", new_column_name="name")\nop.rename_table("one", "First one")',
        down: 'op.rename_table("First one", "one")\nop.alter_column("one", "name", new_column_name="title")',
      },
    ]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    await ask(database.address, `insert into "First one" values (1, 'a')`);
    const { code, report, stderr } = await deploy("rollback", project, database.address);
    expect([code, report.state], stderr).toEqual([0, "at target"]);
    expect(await ask(database.address, "select title from one")).toEqual(["a"]);
  });

  test.each([
    [
      "a reason that it is irreversible",
      'raise NotImplementedError("the old ids are gone")',
      /^Revision last is irreversible: the old ids are gone\.$/,
    ],
    ["a downgrade that fails", sql("DROP TABLE other"), /^The downgrade of revision last was not proved: /],
    [
      "an empty downgrade, which leaves its table",
      "pass",
      /^The downgrade of revision last was not proved: /,
    ],
  ])("with %s nothing is tried", async (_, down, expected) => {
    await using project = await deployedProject([
      table("one"),
      { id: "last", up: sql("CREATE TABLE last (id int)"), down },
    ]);
    await using database = await server.database();
    await deploy("apply", project, database.address);
    const { what } = await refusal("rollback", project, database.address);
    expect(what).toMatch(expected);
    expect(await tables(database.address)).toEqual(["alembic_version", "last", "one"]);
    expect(records(project).at(-1)).toMatchObject({ command: "rollback", state: "unchanged" });
  });

  test("of an empty database", async () => {
    await using project = await deployedProject([table("one")]);
    await using database = await server.database();
    const { what } = await refusal("rollback", project, database.address);
    expect(what).toBe("The database has no revision that could be taken back.");
  });
});

async function planOf(project: Project, address: Parameters<typeof ask>[0]): Promise<DeployPlan> {
  const { ended } = await startDeploy("apply", project, address, { args: ["--dry-run"] });
  const end = await ended;
  expect(end.code, end.stderr).toBe(0);
  return reportOf<DeployPlan>(end);
}

describe("a plan", () => {
  test("has what would run, its locks and each way back, and changes nothing", async () => {
    await using project = await deployedProject([
      table("one"),
      column,
      index,
      { id: "last", up: sql("CREATE TABLE last (id int)"), down: 'raise NotImplementedError("no way")' },
    ]);
    await using database = await server.database();
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    const plan = await planOf(project, database.address);
    expect(plan.heads).toEqual({ before: ["one"], goal: ["last"] });
    expect(
      plan.revisions.map(({ id, wayBack, statements }) => [
        id,
        wayBack.kind,
        statements.map(({ sql: text }) => text),
      ]),
    ).toEqual([
      ["column", "loses data", ["ALTER TABLE one ADD COLUMN name text"]],
      ["index", "proved downgrade", ["CREATE INDEX one_id ON one (id)"]],
      ["last", "irreversible", ["CREATE TABLE last (id int)"]],
    ]);
    expect(plan.revisions[0]?.statements[0]?.locks).toContain("AccessExclusiveLock on one");
    expect(await tables(database.address)).toEqual(["alembic_version", "one"]);
    expect(records(project)).toHaveLength(1);
    const shown = await startGate(["apply", "--dry-run"], {
      cwd: project.path,
      env: {
        DATABASE_URL: `postgresql://postgres:${database.address.password}@127.0.0.1:${database.address.port}/${database.name}`,
      },
    });
    const text = await shown.ended;
    expect(text.stdout).toContain("  > ALTER TABLE one ADD COLUMN name text");
    expect(text.stdout).toContain("irreversible, because no way; only the backup leads back");
    expect(text.stdout + text.stderr).not.toContain(database.address.password ?? "-");
  });

  test("is applied as it was reviewed, or not at all", async () => {
    await using project = await deployedProject([table("one"), column]);
    await using database = await server.database();
    const file = join(project.path, "plan.json");
    const plan = await planOf(project, database.address);
    writeFileSync(file, JSON.stringify(plan));
    const revision = join(project.path, "migrations/versions/column.py");
    const text = readFileSync(revision, "utf8");
    writeFileSync(revision, text.replace("name text", "name varchar(3)"));
    const edited = await refusal("apply", project, database.address, { args: ["--plan", file] });
    expect(edited.what).toMatch(/^What would be applied is not what was reviewed in .*plan\.json\.$/);
    expect(edited.seen?.split("\n")).toEqual([
      "column: migrations/versions/column.py was edited",
      "column: its statements are not those that were reviewed",
    ]);
    writeFileSync(revision, text);
    const environmentFile = join(project.path, "migrations/env.py");
    const environment = readFileSync(environmentFile, "utf8");
    writeFileSync(environmentFile, `${environment}\n# later\n`);
    const beside = await refusal("apply", project, database.address, { args: ["--plan", file] });
    expect(beside.seen).toBe("a file that the revisions may read (env.py, or one beside them) was changed");
    writeFileSync(environmentFile, environment);
    const both = await refusal("apply", project, database.address, { args: ["--plan", file, "--dry-run"] });
    expect(both.what).toBe("dry-run makes a plan, and plan applies one: both at once is neither.");
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    const moved = await refusal("apply", project, database.address, { args: ["--plan", file] });
    expect(moved.seen).toContain("the database's revisions: reviewed none; now one");
    writeFileSync(file, JSON.stringify(await planOf(project, database.address)));
    const done = await deploy("apply", project, database.address, { args: ["--plan", file] });
    expect([done.code, done.report.heads.after]).toEqual([0, ["column"]]);
  });

  test.each(["{", "{}", '{"version":1,"kind":"plan"}', "[]", "null"])("that is none: %s", async (content) => {
    await using project = await deployedProject([table("one")]);
    await using database = await server.database();
    const file = join(project.path, "plan.json");
    writeFileSync(file, content);
    const { what } = await refusal("apply", project, database.address, { args: ["--plan", file] });
    expect(what).toBe(`${file} is not a plan.`);
  });
});

describe("the proof of the check", () => {
  const prove = async (project: Project): Promise<string> => {
    const file = join(project.path, "proof.json");
    const { ended } = await startGate(["check", "--write-proof", file], { cwd: project.path });
    const end = await ended;
    expect([0, 1], end.stderr).toContain(end.code);
    return file;
  };

  test("a database as it was proved is migrated and compared; drift that pending revisions meet is refused", async () => {
    await using project = await deployedProject([table("one"), column, index]);
    await using database = await server.database();
    const args = ["--proof", await prove(project)];
    const first = await deploy("apply", project, database.address, { args: [...args, "--to", "one"] });
    expect([first.code, first.report.problems], first.stderr).toEqual([0, []]);
    await ask(database.address, "alter table one add column name varchar(3)");
    const refused = await refusal("apply", project, database.address, { args });
    expect(refused.what).toMatch(/^The database's schema is not the one that was proved, in 1 place that/);
    expect(refused.seen).toContain("public.one.name");
    await ask(database.address, "alter table one drop column name");
    await ask(database.address, "create table beside (id int)");
    const done = await deploy("apply", project, database.address, { args });
    expect([done.code, done.report.heads.after], done.stderr).toEqual([0, ["index"]]);
  });

  test("what a revision does here and did not do on the shadow is told", async () => {
    const depends = {
      id: "depends",
      up: `if op.get_bind().exec_driver_sql("select count(*) from one").scalar():\n    ${sql("CREATE INDEX strange ON one (id)")}`,
    };
    await using project = await deployedProject([table("one"), depends]);
    await using database = await server.database();
    const args = ["--proof", await prove(project)];
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    await ask(database.address, "insert into one values (1)");
    const { code, report } = await deploy("apply", project, database.address, { args });
    expect([code, report.state]).toEqual([1, "unverified"]);
    expect(report.problems[0]?.seen).toContain("strange");
  });

  test("that does not have what is applied is refused, and told where nothing is pending", async () => {
    await using project = await deployedProject([table("one"), table("two")]);
    await using database = await server.database();
    const file = await prove(project);
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    const proof = JSON.parse(readFileSync(file, "utf8")) as { steps: { revision: string }[] };
    const steps = proof.steps.filter(({ revision }) => revision !== "one");
    writeFileSync(file, JSON.stringify({ ...proof, steps }));
    const args = ["--proof", file];
    const refused = await refusal("apply", project, database.address, { args });
    expect([refused.what, refused.seen]).toEqual([
      `The proof ${file} does not know the state of this database: 1 of its 1 applied revisions are not in it.`,
      "one",
    ]);
    const { report } = await deploy("apply", project, database.address, { args: [...args, "--to", "one"] });
    expect([report.outcome, report.warnings.map(({ what }) => what)]).toEqual([
      "nothing to do",
      [refused.what],
    ]);
  });

  test("of another source is refused", async () => {
    await using project = await deployedProject([table("one")]);
    await using database = await server.database();
    const args = ["--proof", await prove(project)];
    const revision = join(project.path, "migrations/versions/one.py");
    writeFileSync(revision, readFileSync(revision, "utf8").replace("id int", "id bigint"));
    const { what } = await refusal("apply", project, database.address, { args });
    expect(what).toMatch(/is not of this source: revision one was edited since\.$/);
  });
});
