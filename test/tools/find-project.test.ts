import { describe, expect, test } from "vitest";
import { formatError, UserError } from "../../src/errors";
import { findProject, type ProjectWish, readRevisions } from "../../src/tools/find-project";
import { type ProjectFiles, writeProject } from "../support/project";

const ini = "[alembic]\nscript_location = %(here)s/migrations\n";
const fromTop = "[alembic]\nscript_location = db/migrations\n";

interface Case {
  readonly files: ProjectFiles;
  readonly wish?: ProjectWish;
  /** The project's root, configuration and folders of revisions, relative to the folder. */
  readonly found?: readonly string[];
  /** The message, the folder written as <root>. */
  readonly error?: string;
}

const none = `error: No migration project was found.
where <root>
seen  Looked for alembic.ini, [tool.alembic] in pyproject.toml, Flask-Migrate's migrations/alembic.ini, migrations/*.sql beside a Cargo.toml with sqlx and migrations/.numbered-sql, here and 4 folders down.
do    Set working-directory to the project's folder, or config to its configuration file.`;

const cases: Readonly<Record<string, Case>> = {
  "in the folder itself": {
    files: { "alembic.ini": ini, "migrations/env.py": "", "tests/alembic.ini": ini },
    found: ["", "alembic.ini", "migrations/versions"],
  },
  "in a folder below": {
    files: {
      "packages/backend/alembic.ini": ini,
      "packages/backend/migrations/env.py": "",
      "node_modules/x/alembic.ini": ini,
      ".venv/alembic.ini": ini,
    },
    found: ["packages/backend", "alembic.ini", "packages/backend/migrations/versions"],
  },
  "an ini file below that is written for a start from the top": {
    files: { "db/alembic.ini": fromTop, "db/migrations/env.py": "" },
    found: ["", "db/alembic.ini", "db/migrations/versions"],
  },
  "pyproject.toml": {
    files: { "pyproject.toml": '[tool.alembic]\nscript_location = "m"\n', "m/env.py": "" },
    found: ["", "pyproject.toml", "m/versions"],
  },
  "a file that config names": {
    files: {
      "alembic.ini": ini,
      "conf/tenant.ini": "[alembic]\nscript_location = tenant\n",
      "tenant/env.py": "",
    },
    wish: { config: "conf/tenant.ini" },
    found: ["", "conf/tenant.ini", "tenant/versions"],
  },
  nothing: {
    files: { "README.md": "", "pyproject.toml": "[project]\nname = 'x'\n" },
    error: none,
  },
  "Flask-Migrate's folder is no Alembic project": {
    files: {
      "migrations/alembic.ini": "[alembic]\n# file_template\n",
      "migrations/env.py": "from flask import current_app\n",
    },
    wish: { tool: "alembic" },
    error: `error: No migration project was found.
where <root>
seen  Looked for alembic.ini and [tool.alembic] in pyproject.toml, here and 4 folders down.
do    Set working-directory to the project's folder, or config to its configuration file.`,
  },
  "numbered SQL files of another program (golang-migrate, dbmate, goose)": {
    files: {
      "go.mod": "module shop\n",
      migrate: "#!/bin/sh\n",
      "migrations/1_one.up.sql": "SELECT 1;\n",
      "migrations/1_one.down.sql": "SELECT 1;\n",
      "db/migrations/20260101000000_two.sql": "-- migrate:up\nSELECT 1;\n",
      "deploy/migrations/00003_three.sql": "-- +goose Up\nSELECT 1;\n",
    },
    error: none,
  },
  "the example of a tool of one's own, by its mark": {
    files: { "app/migrations/.numbered-sql": "", "app/migrations/1_one.up.sql": "SELECT 1;\n" },
    found: ["app", "migrations/.numbered-sql", "app/migrations"],
  },
  two: {
    files: { "a/alembic.ini": ini, "b c/alembic.ini": ini },
    error: `error: There are 2 migration projects, and nothing says which one to judge.
where <root>
seen  a/alembic.ini (alembic)
      b c/alembic.ini (alembic)
do    Set working-directory, for instance working-directory: a.`,
  },
  "config names no file": {
    files: { "alembic.ini": ini },
    wish: { config: "alembic.init" },
    error: `error: There is no file alembic.init, which the setting config names.
where <root>
do    Set config to the file's path from working-directory.`,
  },
  "words for a program that is not named": {
    files: { "alembic.ini": ini, "migrations/env.py": "" },
    wish: { "run-apply": "migrate", "run-status": "migrate-info" },
    error: `error: run-apply is "migrate", and nothing says which program takes it.
do    Set run to the program, for instance run: everruns-admin with run-apply: migrate.`,
  },
  "words that apply, and none that only look": {
    files: { "alembic.ini": ini, "migrations/env.py": "" },
    wish: { run: "everruns-admin", "run-apply": "migrate" },
    error: `error: run-apply is "migrate", and run-status is not set.
why   Before a program may change a database, it must be seen to come there by a command that changes nothing.
do    Set run-status to its harmless command, for instance run-status: migrate-info.`,
  },
  "words that are none": {
    files: { "alembic.ini": ini, "migrations/env.py": "" },
    wish: { run: "everruns-admin", "run-apply": "migrate", "run-status": " " },
    error: `error: The setting "run-status" is empty.
do    Set it to the words that follow those of run (for instance run: everruns-admin with run-status: migrate-info), or leave it out.`,
  },
  "a broken ini file": {
    files: { "alembic.ini": "[alembic]\nscript_location\n", "migrations/env.py": "" },
    error: `error: alembic.ini is not a valid ini file: Alembic cannot read it.
where alembic.ini:2
seen  Neither a section nor "key = value": script_location
do    Mend the line, or name another file with config.`,
  },
  "no such section": {
    files: { "alembic.ini": ini, "migrations/env.py": "" },
    wish: { section: "tenant" },
    error: `error: alembic.ini has no section [tenant].
where alembic.ini:1
seen  Its sections: alembic.
do    Add [tenant] with script_location, or name another configuration with config.`,
  },
};

describe("the project", () => {
  test.each(Object.entries(cases))("%s", async (_, { files, wish, found, error }) => {
    await using project = await writeProject(files);
    const relative = (absolute: string): string => absolute.slice(project.path.length + 1);
    try {
      const { root, config, revisionFolders } = findProject(project.path, wish);
      expect([relative(root), config, ...revisionFolders.map(relative)]).toEqual(found);
    } catch (thrown) {
      if (!(thrown instanceof UserError)) throw thrown;
      expect(formatError(thrown).replaceAll(project.path, "<root>")).toBe(error);
    }
  });

  test("a folder that is not there", () => {
    expect(() => findProject("/no/such/folder")).toThrow("There is no folder /no/such/folder.");
  });
});

test("no revisions where the configuration says, and an env.py that chooses the folder itself", async () => {
  await using project = await writeProject({
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": 'context.script.version_locations = ["migrations/versions/postgresql"]\n',
    "migrations/versions/postgresql/0001.py": 'revision = "0001"\ndown_revision = None\n',
  });
  try {
    readRevisions(findProject(project.path, {}));
    expect.unreachable();
  } catch (error) {
    expect(error).toHaveProperty(
      "parts.seen",
      expect.stringContaining("migrations/env.py sets version_locations itself"),
    );
  }
});
