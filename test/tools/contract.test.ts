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
import { alembicFiles, type Project, type ProjectFiles, withPython, writeProject } from "../support/project";

/** What every tool must do for a user, on a project of two tables and one that fails at its second revision. */
interface Sample {
  readonly healthy: ProjectFiles;
  readonly failing: ProjectFiles;
  readonly ids: readonly [string, string];
  readonly tables: readonly [string, string];
}

const fails = 'op.execute("SELECT 1/0")';
const sqlxFiles = (second: string): ProjectFiles => ({
  "Cargo.toml": '[dependencies]\nsqlx = "0.8"\n',
  "migrations/1_one.up.sql": "CREATE TABLE t_1 (id int);\n",
  "migrations/1_one.down.sql": "DROP TABLE t_1;\n",
  "migrations/2_two.up.sql": second,
  "migrations/2_two.down.sql": "DROP TABLE t_2;\n",
});

const samples: Readonly<Record<ToolName, Sample>> = {
  alembic: {
    healthy: alembicFiles({ revisions: [table("a", null), table("b", "a")] }),
    failing: alembicFiles({ revisions: [table("a", null), table("b", "a", { upgrade: fails })] }),
    ids: ["a", "b"],
    tables: ["t_a", "t_b"],
  },
  "flask-migrate": {
    healthy: flaskFiles({ revisions: [table("a", null), table("b", "a")] }),
    failing: flaskFiles({ revisions: [table("a", null), table("b", "a", { upgrade: fails })] }),
    ids: ["a", "b"],
    tables: ["t_a", "t_b"],
  },
  sqlx: {
    healthy: sqlxFiles("CREATE TABLE t_2 (id int);\n"),
    failing: sqlxFiles("SELECT 1/0;\n"),
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

describe.each(Object.entries(samples))("%s", (name, { healthy, failing, ids, tables }) => {
  const [first, second] = ids;

  test("a healthy project is found, read, proved, applied and taken back one revision", async () => {
    await using project = await writeProject({ ...healthy, ...lintOff });
    const opened = findProject(project.path);
    expect(opened.tool).toBe(name);
    expect(readRevisions(opened).revisions.map(({ id }) => id)).toEqual(ids);
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

  test("a revision that fails is blamed by the check, and an apply of it says where it stopped", async () => {
    await using project = await writeProject({ ...failing, ...lintOff });
    const { code, report } = await judge({ cwd: project.path });
    expect(code).toBe(1);
    expect(blames(report)).toContain(`error upgrade-fails ${second}`);
    await using database = await server.database();
    const applied = await deploy("apply", project, database.address);
    expect(applied.report.outcome).toBe("failed");
    expect(applied.report.problems[0]?.what).toMatch(new RegExp(`^Revision ${second} failed: `));
    // Alembic and Flask-Migrate keep all in one transaction, SQLx each migration in its own.
    const stopped = applied.report.heads.after?.join() === first ? [1, "partly applied"] : [2, "unchanged"];
    expect([applied.code, applied.report.state]).toEqual(stopped);
    expect(records(project)).toMatchObject([{ command: "apply", outcome: "failed", state: stopped[1] }]);
    const after = await statusIn(project, urlOf(database.address));
    expect(after.revisions.at(-1)?.status).toBe("pending");
  });
});
