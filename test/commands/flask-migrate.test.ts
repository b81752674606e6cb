import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { status } from "../../src/commands/status";
import { urlOf } from "../../src/databases/postgres/connection";
import { UserError } from "../../src/errors";
import { readSettings } from "../../src/project/read-settings";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testClient, testServer } from "../support/database";
import { type FlaskProject, flaskApp, flaskFiles, table } from "../support/flask-project";
import { blames, type GateOptions, judge, lintOff, openSteps, runCheck, startGate } from "../support/gate";
import { repositoryIn } from "../support/git";
import { copyOfExample, type Project, withPython, writeProject } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const two = [table("a1", null), table("b2", "a1", { downgrade: "" })];
const residue = "error downgrade-leaves-residue b2 table public.t_b2";

interface Case extends FlaskProject, Pick<GateOptions, "args" | "env"> {
  readonly findings?: readonly string[];
}

/** Each has one defect, so that it is known to have run. */
const cases: Readonly<Record<string, Case>> = {
  "FLASK_APP in the environment": { app: { "shop/__init__.py": flaskApp() }, env: { FLASK_APP: "shop" } },
  "FLASK_APP by the setting env": {
    app: { "shop/__init__.py": flaskApp() },
    args: ["--env", "FLASK_APP=shop"],
  },
  "FLASK_APP in .flaskenv, FLASK_ENV in the environment": {
    app: {
      "shop.py": `import os\nassert os.environ["FLASK_ENV"] == "testing"\n${flaskApp()}`,
      ".flaskenv": "FLASK_APP=shop\n",
    },
    env: { FLASK_ENV: "testing" },
  },
  "the app named by the run command": {
    app: { "shop/__init__.py": flaskApp() },
    args: ["--run", "flask --app 'shop:app' db"],
  },
  "another name of the command": {
    app: { "wsgi.py": flaskApp("Migrate(app, db, command='schema')") },
    args: ["--run", "flask schema"],
  },
  "a folder of another name, which the app does not know": { directory: "db schema" },
  "a folder of another name, which the app knows as an absolute path": {
    directory: "database/schema",
    app: {
      "app.py": flaskApp(
        "Migrate(app, db, directory=os.path.join(os.path.dirname(__file__), 'database', 'schema'))",
      ),
    },
  },
  "migrations in the app's package": {
    directory: "shop/migrations",
    app: {
      "shop/__init__.py": flaskApp("Migrate(app, db, directory='shop/migrations')"),
    },
    env: { FLASK_APP: "shop" },
  },
  "a version table of its own, in a schema": {
    app: {
      "app.py": flaskApp("Migrate(app, db, version_table='shop versions', version_table_schema='public')"),
    },
  },
  "a transaction for each revision": {
    app: { "app.py": flaskApp("Migrate(app, db, transaction_per_migration=True)") },
  },
  "an .env file with another address, which does not win": {
    files: { ".env": "DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere\n" },
  },
  psycopg2: { app: { "app.py": flaskApp().replaceAll("+psycopg:", "+psycopg2:") } },
  "an empty first revision": {
    revisions: [
      { id: "start", down: null, upgrade: "", downgrade: "" },
      table("b2", "start", { downgrade: "" }),
    ],
  },
};

describe.concurrent("check runs flask db", () => {
  test.each(Object.entries(cases))("with %s", async (_, { findings, args, env, ...source }) => {
    const files = flaskFiles({ revisions: two, ...source });
    await using project = await writeProject({ ...files, ...lintOff });
    const { code, report } = await judge({
      cwd: project.path,
      args: [...(args ?? []), "--shadow-url", urlOf(server.address)],
      ...(env === undefined ? {} : { env }),
    });
    expect({ code, findings: blames(report), open: openSteps(report) }).toEqual({
      code: 1,
      findings: [...(findings ?? [residue])],
      open: ["b2 downgrade: failed, it does not restore the schema"],
    });
  });

  test("an empty first revision alone is clean, lint included", async () => {
    await using project = await writeProject(
      flaskFiles({ revisions: [{ id: "start", down: null, upgrade: "", downgrade: "" }] }),
    );
    const { code, report } = await judge({ cwd: project.path });
    expect({ code, findings: blames(report), open: openSteps(report) }).toEqual({
      code: 0,
      findings: [],
      open: [],
    });
  });

  test("irreversible with a reason, which Flask-Migrate prints without its traceback", async () => {
    const irreversible = table("b2", "a1", { downgrade: 'raise NotImplementedError("rows would be lost")' });
    await using project = await writeProject(flaskFiles({ revisions: [table("a1", null), irreversible] }));
    const { code, report } = await judge({ cwd: project.path });
    expect({ code, findings: blames(report), open: openSteps(report) }).toEqual({
      code: 0,
      findings: [],
      open: ["b2 downgrade: skipped, irreversible: rows would be lost"],
    });
  });

  test("an app that makes its tables as it starts: the app is named, not the revision alone", async () => {
    const app = `${flaskApp()}
class Early(db.Model):
    __tablename__ = "t_a1"
    id = db.Column(db.Integer, primary_key=True)
with app.app_context():
    db.create_all()
`;
    await using project = await writeProject(
      flaskFiles({ revisions: [table("a1", null)], app: { "app.py": app } }),
    );
    const { code, report } = await judge({ cwd: project.path });
    expect({ code, findings: blames(report), do: report.findings[0]?.do }).toEqual({
      code: 1,
      findings: ["error upgrade-fails a1"],
      do: "Let nothing but revisions make tables: the table public.t_a1 was made as the tool started, before any revision, by the app or env.py (create_all()?).",
    });
  });

  test("two projects: working-directory says which", async () => {
    const inFolder = (folder: string, files: FlaskProject) =>
      Object.fromEntries(
        Object.entries(flaskFiles(files)).map(([file, text]) => [`${folder}/${file}`, text]),
      );
    await using project = await writeProject({
      ...inFolder("shop", { revisions: two }),
      ...inFolder("billing", { revisions: [table("x1", null)] }),
    });
    const both = await runCheck({ cwd: project.path });
    expect({ code: both.code, first: both.stderr.split("\n")[0] }).toEqual({
      code: 2,
      first: "error: There are 2 migration projects, and nothing says which one to judge.",
    });
    const { code, report } = await judge({ cwd: project.path, args: ["--working-directory", "billing"] });
    expect({ code, ids: report.revisions.map(({ id }) => id) }).toEqual({ code: 0, ids: ["x1"] });
  });

  test("an app that migrates another folder than the one that is read is not proved", async () => {
    await using project = await writeProject({
      ...flaskFiles({ revisions: [table("a1", null)] }),
      ...flaskFiles({
        directory: "elsewhere/deep",
        revisions: [table("z9", null)],
        app: { "app.py": flaskApp("Migrate(app, db, directory='elsewhere/deep')") },
      }),
    });
    const { code, report } = await judge({ cwd: project.path });
    expect({ code, proved: report.steps.some(({ status: each }) => each === "proved") }).toEqual({
      code: 1,
      proved: false,
    });
  });
});

const dispatch = (direction: string) =>
  `def ${direction}(engine_name):\n    globals()["${direction}_%s" % engine_name]()\n`;
const severalFiles = {
  ...flaskFiles({
    files: {
      "migrations/env.py": `from flask import current_app
from alembic import context
for name in ["", *current_app.config.get("SQLALCHEMY_BINDS", {})]:
    with current_app.extensions["migrate"].db.engines[name or None].begin() as connection:
        context.configure(connection=connection)
        context.run_migrations(engine_name=name)
`,
    },
  }),
  "migrations/versions/a1.py": `from alembic import op
revision = "a1"
down_revision = None
${dispatch("upgrade")}
${dispatch("downgrade")}
def upgrade_():
    op.execute("CREATE TABLE posts (id int)")
def downgrade_():
    op.execute("DROP TABLE posts")
`,
};
const ofUsers = `def upgrade_users():
    op.execute("ALTER TABLE users DROP COLUMN nickname")
def downgrade_users():
    op.execute("ALTER TABLE users ADD COLUMN nickname text")
`;

describe("several databases", () => {
  test("whose variables nobody named are not proved, and the text of each one's functions is judged", async () => {
    await using project = await writeProject({
      ...severalFiles,
      "migrations/versions/a1.py": `${severalFiles["migrations/versions/a1.py"]}${ofUsers}`,
    });
    const { code, report } = await judge({ cwd: project.path });
    expect({ code, findings: blames(report), open: openSteps(report), shadow: report.shadow }).toEqual({
      code: 1,
      findings: ["error ban-drop-column a1 column users.nickname", "error not-proved -"],
      open: ["a1 downgrade", "a1 upgrade"].map(
        (step) => `${step}: not proved, nothing says which variable has the address of "users"`,
      ),
      shadow: undefined,
    });
  });

  test.each(["apply", "rollback"])("%s refuses, and changes nothing", async (command) => {
    await using project = await writeProject({
      ...severalFiles,
      "migrations/versions/a1.py": `${severalFiles["migrations/versions/a1.py"]}${ofUsers}`,
    });
    await using database = await server.database();
    const { ended } = await startGate([command, "--yes", "--backup", "none", "--backup-because", "a test"], {
      cwd: project.path,
      env: { DATABASE_URL: urlOf(database.address) },
    });
    const { code, stderr } = await ended;
    expect({ code, first: stderr.split("\n").find((line) => line.startsWith("error")) }).toEqual({
      code: 2,
      first:
        'error: The project migrates 2 databases at once: the default one and "users". Nothing says which variable has the address of "users".',
    });
    await using connected = await testClient(database.address);
    const { rows } = await connected.client.query("SELECT FROM pg_tables WHERE schemaname = 'public'");
    expect(rows).toEqual([]);
  });

  test("but one database with the template for several is proved", async () => {
    await using project = await writeProject(severalFiles);
    const { code, report } = await judge({ cwd: project.path });
    expect({ code, findings: blames(report), open: openSteps(report) }).toEqual({
      code: 0,
      findings: [],
      open: [],
    });
  });
});

function flask(project: Project, database: ShadowDatabase, ...words: string[]): void {
  const env = { ...withPython(), DATABASE_URL: urlOf(database.address) };
  execFileSync("flask", ["db", ...words], { cwd: project.path, env, stdio: "pipe" });
}

function statusIn(project: Project, database: ShadowDatabase) {
  const settings = readSettings(["--working-directory", project.path], {});
  const environment = { ...withPython(), DATABASE_URL: urlOf(database.address, "postgres") };
  return status({ settings, environment });
}

describe("status of a Flask-Migrate project", () => {
  test("needs neither flask nor the app", async () => {
    await using project = await copyOfExample("devopser");
    await using database = await server.database();
    expect((await statusIn(project, database)).state).toBe("first install");
    flask(project, database, "upgrade", "5c92ad417e80");
    rmSync(join(project.path, "devopser"), { recursive: true });
    const report = await statusIn(project, database);
    expect({
      state: report.state,
      heads: report.heads,
      applied: report.revisions.filter(({ status: each }) => each === "applied").map(({ id }) => id),
    }).toEqual({
      state: "pending",
      heads: { database: ["5c92ad417e80"], source: ["a7e04f91d2c5"] },
      applied: ["0c1f5e7a9b24", "1d8e42b7f063", "27b90c5de1fa", "3a6f18d2c94e", "5c92ad417e80"],
    });
  });

  test("a split head: a database has a committed revision that was deleted", async () => {
    await using project = await copyOfExample("devopser");
    const repository = repositoryIn(project.path);
    const commit = repository.commit("with deployed_by");
    await using database = await server.database();
    flask(project, database, "upgrade");
    const file = "migrations/versions/a7e04f91d2c5_deployed_by.py";
    repository.remove(file);
    repository.commit("without");
    const report = await statusIn(project, database);
    expect({ state: report.state, unknown: report.unknown }).toMatchObject({
      state: "unknown revisions",
      unknown: [{ id: "a7e04f91d2c5", lastCommit: { hash: commit }, file }],
    });
  });

  test("tables without a version table: the line that stamps is flask's", async () => {
    await using project = await writeProject(flaskFiles({ revisions: two, directory: "db schema" }));
    await using database = await server.database();
    await using connected = await testClient(database.address);
    await connected.client.query("CREATE TABLE t_a1 (id int)");
    const error = await statusIn(project, database).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error instanceof UserError ? error.parts.do : error).toBe(
      "Find out which revision its schema is, and write that down once: flask db stamp --directory 'db schema' <revision>",
    );
  });
});
