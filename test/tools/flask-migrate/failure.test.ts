import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../../src/databases/postgres/connection";
import type { ToolFailure } from "../../../src/tools/contract";
import { findProject } from "../../../src/tools/find-project";
import { commands } from "../../../src/tools/flask-migrate/run";
import { flaskMigrate } from "../../../src/tools/flask-migrate/tool";
import { type TestServer, testServer } from "../../support/database";
import { type FlaskProject, flaskApp, flaskFiles, table } from "../../support/flask-project";
import { withPython, writeProject } from "../../support/project";

/** What the real `flask db` prints, explained. */
let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

interface Case extends FlaskProject, Pick<ToolFailure, "kind" | "summary" | "do"> {
  readonly at?: string;
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What starts Flask, where it is not `flask db`. */
  readonly run?: readonly string[];
}

const one = [table("a1", null)];
const up = ["upgrade", "heads"];
const setAddress = "Set database-url-env to the variable from which the app takes SQLALCHEMY_DATABASE_URI";

const cases: Readonly<Record<string, Case>> = {
  "no app": {
    app: {},
    files: { "shop/__init__.py": "from flask import Flask\ndef create_app():\n    pass\n" },
    kind: "environment",
    summary: "Flask found no app: neither FLASK_APP nor --app names one, and there is no wsgi.py or app.py.",
    do: "Name the app: env: FLASK_APP=shop, or run: flask --app shop db; or put FLASK_APP=shop into .flaskenv.",
  },
  "no app, and nothing that looks like one": {
    app: {},
    kind: "environment",
    summary: "Flask found no app: neither FLASK_APP nor --app names one, and there is no wsgi.py or app.py.",
    do: "Name the app: env: FLASK_APP=<module>, or run: flask --app <module> db; or put FLASK_APP=<module> into .flaskenv.",
  },
  "no app, one in src and one beside it": {
    app: { "src/shop/__init__.py": flaskApp(), "server.py": flaskApp() },
    kind: "environment",
    summary: "Flask found no app: neither FLASK_APP nor --app names one, and there is no wsgi.py or app.py.",
    do: "Name the app: env: FLASK_APP=server, or run: flask --app server db (an app is also made in src/shop); or put FLASK_APP=server into .flaskenv.",
  },
  "an app that is not there": {
    app: { "shop.py": flaskApp() },
    env: { FLASK_APP: "shopp" },
    kind: "environment",
    summary: 'Flask cannot import "shopp", which FLASK_APP or --app names as the app.',
    do: "Set working-directory to the folder from which flask db works. Name the app: env: FLASK_APP=shop, or run: flask --app shop db; or put FLASK_APP=shop into .flaskenv.",
  },
  "a module without an app": {
    app: { "app.py": "x = 1\n" },
    kind: "environment",
    summary: 'The module "app" has neither a Flask app nor a factory (create_app, make_app).',
    do: "Name the app: env: FLASK_APP=<module>, or run: flask --app <module> db; or put FLASK_APP=<module> into .flaskenv.",
  },
  "a factory with arguments": {
    app: { "app.py": "def create_app(config):\n    pass\n" },
    kind: "environment",
    summary: 'The factory create_app of "app" wants arguments.',
    do: 'Name them: env: FLASK_APP=app:create_app("testing")',
  },
  "two apps in one module": {
    app: { "app.py": "from flask import Flask\none = Flask('one')\ntwo = Flask('two')\n" },
    kind: "environment",
    summary:
      "Flask found no app: Detected multiple Flask applications in module 'app'. Use 'app:name' to specify the correct one.",
    do: "Name the app: env: FLASK_APP=<module>, or run: flask --app <module> db; or put FLASK_APP=<module> into .flaskenv.",
  },
  "an app that cannot be imported": {
    app: { "app.py": "import pathlib\nimport shop_settings\n" },
    kind: "environment",
    at: "app.py:2",
    summary: 'Python does not find the module "shop_settings".',
    do: "Install the package that has it, or set working-directory to the folder from which flask db works.",
  },
  "an app that fails as it is made": {
    app: { "app.py": 'raise ValueError("the licence has expired")\n' },
    kind: "environment",
    at: "app.py:1",
    summary: "ValueError: the licence has expired.",
    do: "Mend what the last lines name, or set the variable that the app reads (env).",
  },
  "an app that does not parse": {
    app: { "app.py": "x = 1\nif x\n    pass\n" },
    kind: "environment",
    at: "app.py:2",
    summary: "A Python file does not parse: expected ':'.",
    do: "Mend the line.",
  },
  "a variable that is not set": {
    app: { "app.py": 'import os\nsecret = os.environ["SHOP_SECRET"]\n' },
    kind: "environment",
    at: "app.py:2",
    summary: "The environment variable SHOP_SECRET is not set.",
    do: "Set it: env: SHOP_SECRET=…; where it holds the database's address, database-url-env: SHOP_SECRET.",
  },
  "an app without Migrate": {
    app: { "app.py": flaskApp("") },
    kind: "environment",
    summary:
      'The app has no command "db": Flask-Migrate is not installed, or not set up when flask loads the app.',
    do: "Install Flask-Migrate, and let the app or its factory call Migrate(app, db) without a condition. Where it has another name (Migrate with command), set run: flask <name> (now: flask db).",
  },
  "a driver that is not installed": {
    app: { "app.py": flaskApp().replaceAll("+psycopg:", "+pg8000:") },
    kind: "environment",
    summary: "The database driver pg8000 is not installed.",
    do: "Install pg8000 where Flask-Migrate runs, or set database-url-format to the driver that is installed.",
  },
  "Heroku's form of the address, which SQLAlchemy does not take": {
    app: { "app.py": flaskApp().replace('os.environ["DATABASE_URL"]', '"postgres://x@localhost/x"') },
    kind: "environment",
    summary: 'SQLAlchemy knows no dialect "postgres".',
    do: "Let the app replace postgres:// (Heroku's form) by postgresql:// and its driver, and set database-url-format to the form that it expects.",
    at: "app.py:9",
  },
  "a server that refuses": {
    app: { "app.py": flaskApp().replace('os.environ["DATABASE_URL"]', '"postgresql://x@127.0.0.1:1/x"') },
    kind: "environment",
    summary:
      'The database\'s server refused the connection: connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused.',
    do: `${setAddress}: the tool did not use the address it was given.`,
  },
  "two heads": {
    revisions: [...one, table("b2", "a1"), table("c3", "a1")],
    words: ["upgrade", "head"],
    kind: "environment",
    summary: "The project has more than one head revision.",
    do: 'Join the heads with "flask db merge heads", or give one the other as its down_revision.',
  },
  "a target that is no revision": {
    revisions: one,
    words: ["upgrade", "b2"],
    kind: "environment",
    summary: 'No revision file has the id "b2", which the version table or the target names.',
    do: "Bring back the file of revision b2, or take b2 out of the version table of a database that nobody needs.",
  },
  "an upgrade that raises": {
    revisions: [...one, table("b2", "a1", { upgrade: "\n\nop.no_such_operation()" })],
    words: up,
    kind: "migration",
    at: "migrations/versions/b2.py:12",
    summary:
      "migrations/versions/b2.py raised AttributeError: module 'alembic.op' has no attribute 'no_such_operation'.",
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "an upgrade that raises a RuntimeError, whose traceback Flask-Migrate hides": {
    revisions: [...one, table("b2", "a1", { upgrade: 'raise RuntimeError("not before the import")' })],
    words: up,
    kind: "migration",
    summary: "The upgrade of revision b2 raised: not before the import.",
    do: "Mend the revision. Flask-Migrate prints a RuntimeError without its traceback: search the revision for the text.",
  },
  "an upgrade that PostgreSQL refuses": {
    revisions: [table("a1", null, { upgrade: 'op.execute("ALTER TABLE nowhere ADD x int")' })],
    words: up,
    kind: "migration",
    at: "migrations/versions/a1.py:12",
    summary:
      'migrations/versions/a1.py raised ProgrammingError: (psycopg.errors.UndefinedTable) relation "nowhere" does not exist.',
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "flask that is not installed": {
    // Without the environment's packages.
    run: ["python", "-S", "-m", "flask"],
    kind: "environment",
    summary: "Flask is not installed, or not on PATH.",
    do: "Install the project's Python packages before this step, or set run to what starts Flask-Migrate (now: flask db).",
  },
};

describe("flask db ends with an error", () => {
  test.each(Object.entries(cases))(
    "%s",
    async (_, { kind, summary, do: advice, at, words, env, run, ...source }) => {
      await using project = await writeProject(flaskFiles({ revisions: one, ...source }));
      await using database = await server.database();
      const opened = findProject(project.path);
      const [program = "flask", ...first] = run ?? ["flask", "db"];
      const ended = spawnSync(program, [...first, ...(words ?? commands(opened).current)], {
        cwd: project.path,
        env: withPython({ ...process.env, DATABASE_URL: urlOf(database.address), ...env }),
        encoding: "utf8",
      });
      expect(ended.status).not.toBe(0);
      const text = `${ended.stdout}${ended.stderr}`;
      const failure = flaskMigrate.explainFailure({ text, exitCode: ended.status }, opened);
      const place = failure.file === undefined ? undefined : `${failure.file}:${failure.line}`;
      expect({ kind: failure.kind, summary: failure.summary, do: failure.do, at: place }).toEqual({
        kind,
        summary,
        do: advice,
        at,
      });
      expect(failure.lastLines.join("\n")).not.toContain("FAILED:");
    },
  );
});

test("Flask-Migrate 2.5.3 with Alembic 1.14.1, which do not fit together", () => {
  const text = readFileSync(join(import.meta.dirname, "failures/current-head-only.txt"), "utf8");
  expect(flaskMigrate.explainFailure({ text, exitCode: 1 })).toMatchObject({
    kind: "environment",
    summary:
      "Flask-Migrate gives Alembic's current the argument head_only, which it does not take: the installed versions do not fit together.",
    do: "Install a Flask-Migrate that fits this Alembic (2.6 or later; pip install --upgrade Flask-Migrate), so that flask db current works.",
  });
  const ofApp = text.replaceAll("site-packages/flask_migrate/__init__.py", "site-packages/shop/db.py");
  expect(flaskMigrate.explainFailure({ text: ofApp, exitCode: 1 }).summary).not.toContain(
    "Flask-Migrate gives",
  );
});

test("without a versions folder flask db upgrade does nothing and ends with 0", async () => {
  await using project = await writeProject(flaskFiles({}));
  await using database = await server.database();
  const env = withPython({ ...process.env, DATABASE_URL: urlOf(database.address) });
  const ended = spawnSync("flask", ["db", "upgrade"], { cwd: project.path, env, encoding: "utf8" });
  expect({ status: ended.status, ran: ended.stderr.includes("Running upgrade") }).toEqual({
    status: 0,
    ran: false,
  });
});
