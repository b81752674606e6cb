import { symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { formatError, UserError } from "../../../src/errors";
import { findProject, type ProjectWish, readRevisions } from "../../../src/tools/find-project";
import { type ProjectFiles, writeProject } from "../../support/project";

/** What `flask db init` of every release since 2.6 writes has both marks. */
const flaskFolder = (folder: string, more = ""): ProjectFiles => ({
  [`${folder}/alembic.ini`]: `[alembic]\n# script_location = nowhere\n${more}\n[loggers]\nkeys = root,flask_migrate\n`,
  [`${folder}/env.py`]: "from flask import current_app\n",
});

interface Case {
  readonly files: ProjectFiles;
  readonly wish?: ProjectWish;
  /** The tool, the root, the configuration and the folders of revisions, relative to the folder. */
  readonly found?: readonly string[];
  readonly error?: string;
}

const cases: Readonly<Record<string, Case>> = {
  "in the folder itself": {
    files: flaskFolder("migrations"),
    found: ["flask-migrate", "", "migrations/alembic.ini", "migrations/versions"],
  },
  "in a folder below": {
    files: { ...flaskFolder("services/shop/migrations"), "services/shop/app.py": "" },
    found: ["flask-migrate", "services/shop", "migrations/alembic.ini", "services/shop/migrations/versions"],
  },
  "a folder of another name": {
    files: flaskFolder("db schema"),
    found: ["flask-migrate", "", "db schema/alembic.ini", "db schema/versions"],
  },
  "in the app's package: flask runs above it": {
    files: { ...flaskFolder("shop/migrations"), "shop/__init__.py": "" },
    found: ["flask-migrate", "", "shop/migrations/alembic.ini", "shop/migrations/versions"],
  },
  "in a package of a folder below": {
    files: {
      ...flaskFolder("backend/shop/db/migrations"),
      "backend/shop/__init__.py": "",
      "backend/shop/db/__init__.py": "",
    },
    found: [
      "flask-migrate",
      "backend",
      "shop/db/migrations/alembic.ini",
      "backend/shop/db/migrations/versions",
    ],
  },
  "below the folder in which flask finds the app": {
    files: { ...flaskFolder("database/migrations"), ".flaskenv": "export FLASK_APP=shop\n" },
    found: ["flask-migrate", "", "database/migrations/alembic.ini", "database/migrations/versions"],
  },
  "an app of its own below another app": {
    files: { ...flaskFolder("billing/migrations"), "app.py": "", "billing/wsgi.py": "" },
    found: ["flask-migrate", "billing", "migrations/alembic.ini", "billing/migrations/versions"],
  },
  "the folder and one in its tests": {
    files: { ...flaskFolder("migrations"), ...flaskFolder("tests/app/migrations"), "app.py": "" },
    found: ["flask-migrate", "", "migrations/alembic.ini", "migrations/versions"],
  },
  "config names it": {
    files: { ...flaskFolder("a"), ...flaskFolder("b") },
    wish: { config: "b/alembic.ini" },
    found: ["flask-migrate", "", "b/alembic.ini", "b/versions"],
  },
  "version_locations beside the folder": {
    files: flaskFolder("migrations", "version_locations = %(here)s/versions %(here)s/tenant\n"),
    found: ["flask-migrate", "", "migrations/alembic.ini", "migrations/versions", "migrations/tenant"],
  },
  "script_location in it, for whoever starts alembic in the folder": {
    files: { ...flaskFolder("migrations", "script_location = .") },
    found: ["flask-migrate", "", "migrations/alembic.ini", "migrations/versions"],
  },
  "script_location, and env.py makes the app's context: Alembic's": {
    files: {
      "migrations/alembic.ini": "[alembic]\nscript_location = %(here)s\n",
      "migrations/env.py":
        "from flask import current_app\nfrom shop import create_app\ncreate_app().app_context().push()\n",
    },
    found: ["alembic", "migrations", "alembic.ini", "migrations/versions"],
  },
  "an Alembic project whose env.py imports from a module with flask in its name": {
    files: {
      "db/alembic.ini": "[alembic]\nscript_location = %(here)s\n",
      "db/env.py": "from flask_models import Base\n",
    },
    found: ["alembic", "db", "alembic.ini", "db/versions"],
  },
  "neither tool's": {
    files: { "migrations/alembic.ini": "[alembic]\n", "migrations/env.py": "from models import Base\n" },
    error: `error: No migration project was found.
where <root>
seen  Looked for alembic.ini, [tool.alembic] in pyproject.toml, Flask-Migrate's migrations/alembic.ini, migrations/*.sql beside a Cargo.toml with sqlx and migrations/.numbered-sql, here and 4 folders down.
do    Set working-directory to the project's folder, or config to its configuration file.`,
  },
  "two folders side by side": {
    files: { ...flaskFolder("migrations"), ...flaskFolder("reports") },
    error: `error: There are 2 folders of Flask-Migrate, and nothing says which one to judge.
where <root>
seen  migrations/alembic.ini
      reports/alembic.ini
do    Set config, for instance config: migrations/alembic.ini; one check a folder judges them all.`,
  },
  "two projects in one repository": {
    files: { ...flaskFolder("a/migrations"), ...flaskFolder("b/migrations") },
    error: `error: There are 2 migration projects, and nothing says which one to judge.
where <root>
seen  a/migrations/alembic.ini (flask-migrate)
      b/migrations/alembic.ini (flask-migrate)
do    Set working-directory, for instance working-directory: a.`,
  },
  "one of each tool": {
    files: {
      ...flaskFolder("web/migrations"),
      "jobs/alembic.ini": "[alembic]\nscript_location = %(here)s/m\n",
      "jobs/m/env.py": "",
    },
    wish: { tool: "flask-migrate" },
    found: ["flask-migrate", "web", "migrations/alembic.ini", "web/migrations/versions"],
  },
  "config names another tool's file": {
    files: { ...flaskFolder("migrations"), "alembic.ini": "[alembic]\nscript_location = m\n" },
    wish: { tool: "flask-migrate", config: "alembic.ini" },
    error: `error: alembic.ini, which the setting config names, is no configuration of flask-migrate.
where <root>
do    Set config to the file's path from working-directory.`,
  },
  "a section": {
    files: flaskFolder("migrations"),
    wish: { section: "tenant" },
    error: `error: The setting section is "tenant", and Flask-Migrate reads [alembic] only.
where migrations/alembic.ini
do    Leave section out.`,
  },
  "a broken ini file": {
    files: { "migrations/alembic.ini": "[alembic]\nx\n", "migrations/env.py": "import flask" },
    error: `error: migrations/alembic.ini is not a valid ini file: Alembic cannot read it.
where migrations/alembic.ini:2
seen  Neither a section nor "key = value": x
do    Mend the line, or name another file with config.`,
  },
};

describe("a Flask-Migrate project", () => {
  test.each(Object.entries(cases))("%s", async (_, { files, wish, found, error }) => {
    await using project = await writeProject(files);
    const relative = (absolute: string): string => absolute.slice(project.path.length + 1);
    try {
      const { tool, root, config, revisionFolders } = findProject(project.path, wish);
      expect([tool, relative(root), config, ...revisionFolders.map(relative)]).toEqual(found);
    } catch (thrown) {
      if (!(thrown instanceof UserError)) throw thrown;
      expect(formatError(thrown).replaceAll(project.path, "<root>")).toBe(error);
    }
  });

  test("behind a link", async () => {
    await using project = await writeProject({ ...flaskFolder("shared/schema"), "web/app.py": "" });
    await symlink("../shared/schema", path.join(project.path, "web", "migrations"));
    expect(findProject(path.join(project.path, "web")).config).toBe("migrations/alembic.ini");
  });
});

test("several databases are seen in the revisions, not in the template alone", async () => {
  const env = { "migrations/env.py": "# flask\ncontext.run_migrations(engine_name=name)\n" };
  const revision = (id: string, down: string | null, functions: readonly string[]) => ({
    [`migrations/versions/${id}.py`]: [
      `revision = "${id}"\ndown_revision = ${down === null ? "None" : `"${down}"`}`,
      'def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()',
      ...functions.map((name) => `def ${name}():\n    pass`),
    ].join("\n\n"),
  });
  const one = revision("a1", null, ["upgrade_"]);
  const two = revision("b2", "a1", ["upgrade_", "downgrade_", "upgrade_users", "upgrade_größe"]);
  // An older revision still has the functions of a database that is gone.
  const three = revision("c3", "b2", ["upgrade_", "upgrade_users"]);
  await using project = await writeProject({ ...flaskFolder("migrations"), ...env, ...one });
  expect(findProject(project.path).binds).toBeUndefined();
  await using several = await writeProject({ ...flaskFolder("migrations"), ...env, ...one, ...two });
  expect(findProject(several.path).binds).toEqual(["", "users", "größe"]);
  await using later = await writeProject({ ...flaskFolder("migrations"), ...env, ...one, ...two, ...three });
  expect(findProject(later.path).binds).toEqual(["", "users"]);
});

test("a versions folder that git did not keep", async () => {
  await using project = await writeProject({ ...flaskFolder("migrations"), "poetry.lock": "" });
  const found = findProject(project.path);
  expect(() => readRevisions(found)).toThrow("The project has no revisions.");
  try {
    readRevisions(found);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.parts.do).toBe(
      'Commit migrations/versions with its revisions (git add migrations/versions; look whether .gitignore names it). For a project that has none yet, write the first one, which may be empty: poetry run flask db revision -m "initial"',
    );
  }
});
