import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { status } from "../../src/commands/status";
import { urlOf } from "../../src/databases/postgres/connection";
import { readSettings } from "../../src/project/read-settings";
import type { ToolName } from "../../src/tools/contract";
import { findProject, readRevisions } from "../../src/tools/find-project";
import { tools } from "../../src/tools/index";
import { ask, deploy, records, refusal } from "../deploy/deployed";
import { type TestServer, testServer } from "../support/database";
import { flaskFiles, table } from "../support/flask-project";
import { blames, judge, lintOff } from "../support/gate";
import {
  alembicFiles,
  type Project,
  type ProjectFiles,
  type RevisionSource,
  withPython,
  writeProject,
} from "../support/project";

/** What the second of two revisions is like: it works, fails on its way up or down, or is not there yet. */
type Second = "healthy" | "fails" | "fails back" | "missing";

/** What every tool must do for a user, on a project of two revisions with a table each. */
interface Sample {
  files(second: Second): ProjectFiles;
  /** Without this file it is no project of the tool. */
  readonly mark: string;
  /** A file among the revisions that the tool cannot take. */
  readonly strange: string;
  readonly ids: readonly [string, string];
  readonly tables: readonly [string, string];
}

const inPython = (second: Second): RevisionSource[] => {
  const fails = 'op.execute("SELECT 1/0")';
  const change =
    second === "fails" ? { upgrade: fails } : second === "fails back" ? { downgrade: fails } : {};
  return [table("a", null), ...(second === "missing" ? [] : [table("b", "a", change)])];
};

const inSql = (second: Second): ProjectFiles => ({
  "migrations/1_one.up.sql": "CREATE TABLE t_1 (id int);\n",
  "migrations/1_one.down.sql": "DROP TABLE t_1;\n",
  ...(second === "missing"
    ? {}
    : {
        "migrations/2_two.up.sql": second === "fails" ? "SELECT 1/0;\n" : "CREATE TABLE t_2 (id int);\n",
        "migrations/2_two.down.sql": second === "fails back" ? "SELECT 1/0;\n" : "DROP TABLE t_2;\n",
      }),
});

const program = readFileSync(join(import.meta.dirname, "../../examples/numbered/migrate"), "utf8");

const samples: Readonly<Record<ToolName, Sample>> = {
  alembic: {
    files: (second) => alembicFiles({ revisions: inPython(second) }),
    mark: "alembic.ini",
    strange: "migrations/versions/strange.py",
    ids: ["a", "b"],
    tables: ["t_a", "t_b"],
  },
  "flask-migrate": {
    files: (second) => flaskFiles({ revisions: inPython(second) }),
    mark: "migrations/alembic.ini",
    strange: "migrations/versions/strange.py",
    ids: ["a", "b"],
    tables: ["t_a", "t_b"],
  },
  sqlx: {
    files: (second) => ({ "Cargo.toml": '[dependencies]\nsqlx = "0.8"\n', ...inSql(second) }),
    mark: "Cargo.toml",
    strange: "migrations/strange_one.sql",
    ids: ["1", "2"],
    tables: ["t_1", "t_2"],
  },
  "numbered-sql": {
    files: (second) => ({ "migrations/.numbered-sql": "", migrate: program, ...inSql(second) }),
    mark: "migrations/.numbered-sql",
    strange: "migrations/strange_one.up.sql",
    ids: ["1", "2"],
    tables: ["t_1", "t_2"],
  },
};

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const statusIn = (project: Project, url: string) =>
  status({
    settings: readSettings(["--working-directory", project.path], {}),
    environment: { ...withPython(), DATABASE_URL: url },
  });

test("every tool has a sample", () => {
  expect(Object.keys(samples).sort()).toEqual(tools.map(({ name }) => name).sort());
});

describe.each(Object.entries(samples))("%s", (name, { files, mark, strange, ids, tables }) => {
  const [first, second] = ids;

  test("detect: its own mark makes a project, and no other tool takes it", async () => {
    await using project = await writeProject(files("healthy"));
    expect(findProject(project.path).tool).toBe(name);
    for (const other of tools.filter((tool) => tool.name !== name))
      expect(() => findProject(project.path, { tool: other.name })).toThrow("No migration project was found");
    rmSync(join(project.path, mark));
    expect(() => findProject(project.path)).toThrow("No migration project was found.");
    expect(() => findProject(project.path, { config: mark })).toThrow(`There is no file ${mark}`);
  });

  test("read: every revision, and a file that is none is a problem with its name", async () => {
    await using project = await writeProject({ ...files("healthy"), [strange]: "SELECT 1\n" });
    // A folder of a revision's name is none.
    mkdirSync(join(project.path, dirname(strange), "9_nine.up.sql"));
    mkdirSync(join(project.path, dirname(strange), "9_nine.py"));
    const { revisions, problems } = readRevisions(findProject(project.path));
    expect(revisions.map(({ id, parents }) => [id, parents])).toEqual([
      [first, []],
      [second, [first]],
    ]);
    expect(problems.map(({ file, kind }) => [file, kind])).toEqual([[strange, "no-revision-id"]]);
  });

  test("prove, status, apply and rollback of a healthy project; a release that lacks a revision touches nothing", async () => {
    await using project = await writeProject({ ...files("healthy"), ...lintOff });
    const { code, report } = await judge({ cwd: project.path });
    expect([code, blames(report), report.steps.map((step) => step.status)]).toEqual([
      0,
      [],
      ["proved", "proved", "proved", "proved"],
    ]);

    await using database = await server.database();
    const url = urlOf(database.address);
    expect((await statusIn(project, url)).state).toBe("first install");
    const up = await deploy("apply", project, database.address);
    expect([up.code, up.report.state, up.report.heads.after], up.stderr).toEqual([0, "at target", [second]]);
    expect((await statusIn(project, url)).state).toBe("up to date");

    await using older = await writeProject({ ...files("missing"), ...lintOff });
    const ahead = await statusIn(older, url);
    expect([ahead.state, ahead.unknown.map(({ id }) => id)]).toEqual(["unknown revisions", [second]]);
    for (const command of ["apply", "rollback"] as const)
      expect((await refusal(command, older, database.address)).what).toBe(
        `The database has a revision that this source does not have: ${second}.`,
      );

    const { do: advice } = await refusal("rollback", project, database.address);
    expect(advice).toContain(`--accept-loss 'table public.${tables[1]}'`);
    const down = await deploy("rollback", project, database.address, {
      args: ["--accept-loss", `table public.${tables[1]}`],
    });
    expect([down.code, down.report.heads.after], down.stderr).toEqual([0, [first]]);
    const left = await statusIn(project, url);
    expect(left.revisions.map((revision) => revision.status)).toEqual(["applied", "pending"]);
    expect(await ask(database.address, `select to_regclass('${tables[1]}')::text`)).toEqual([null]);
  });

  test("prove and apply of a revision that fails: it is blamed, and an apply says where it stopped", async () => {
    await using project = await writeProject({ ...files("fails"), ...lintOff });
    const { code, report } = await judge({ cwd: project.path });
    expect(code).toBe(1);
    expect(blames(report)).toContain(`error upgrade-fails ${second}`);
    await using database = await server.database();
    const applied = await deploy("apply", project, database.address);
    expect(applied.report.outcome).toBe("failed");
    expect(applied.report.problems[0]?.what).toMatch(
      new RegExp(`^Revision ${second} failed: .*division by zero`),
    );
    // Alembic and Flask-Migrate keep all in one transaction, the others each migration in its own.
    const stopped = applied.report.heads.after?.join() === first ? [1, "partly applied"] : [2, "unchanged"];
    expect([applied.code, applied.report.state]).toEqual(stopped);
    expect(records(project)).toMatchObject([{ command: "apply", outcome: "failed", state: stopped[1] }]);
    const after = await statusIn(project, urlOf(database.address));
    expect(after.revisions.at(-1)?.status).toBe("pending");
  });

  test("rollback of a downgrade that fails: it is tried on a shadow, and not on the database", async () => {
    await using project = await writeProject({ ...files("fails back"), ...lintOff });
    await using database = await server.database();
    expect((await deploy("apply", project, database.address)).code).toBe(0);
    expect((await refusal("rollback", project, database.address)).what).toBe(
      `The downgrade of revision ${second} was not proved: the downgrade fails.`,
    );
    expect((await statusIn(project, urlOf(database.address))).state).toBe("up to date");
    expect(await ask(database.address, `select to_regclass('${tables[1]}')::text`)).toEqual([tables[1]]);
  });
});
