import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { explainFailure } from "../../../src/tools/alembic/failure/explain";
import { withoutLibraryFrames } from "../../../src/tools/alembic/python/traceback";
import type { ToolFailure, ToolProject } from "../../../src/tools/contract";

/**
 * failures/ holds what alembic 1.20.1 printed with SQLAlchemy 2.1.9 on Python 3.11 (psycopg2-binary 2.9.13, psycopg 3.3.9,
 * asyncpg 0.32.0, pydantic-settings 2.16.3, PostgreSQL 15): only the last traceback of a chain, without most frames of
 * libraries, folders replaced.
 */
const failures = path.join(import.meta.dirname, "failures");

const project: ToolProject = {
  tool: "alembic",
  root: "/project",
  config: "alembic.ini",
  section: undefined,
  revisionFolders: ["/project/migrations/versions"],
  recursive: false,
  configFiles: [],
  environmentFiles: [],
  environmentFolders: [],
};

interface Expected extends Pick<ToolFailure, "kind" | "summary" | "do"> {
  readonly exitCode: number;
  readonly at: string | undefined;
}

const recorded: Readonly<Record<string, Expected>> = {
  "env-import": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:7",
    summary: 'Python does not find the module "app".',
    do: "Install the package that has it, or let Python find the project's own: prepend_sys_path = . in the configuration, and working-directory.",
  },
  "env-import-name": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:7",
    summary: "An import failed: cannot import name 'NoSuchThing' from 'collections'.",
    do: "Install the version that has the name, or mend the import.",
  },
  "missing-driver": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary: "The database driver psycopg2 is not installed.",
    do: "Install psycopg2-binary where Alembic runs, or set database-url-format to the driver that is installed.",
  },
  "default-driver": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary: "The database driver psycopg is not installed.",
    do: 'Install "psycopg[binary]" where Alembic runs, or set database-url-format to the driver that is installed.',
  },
  "missing-greenlet": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary: "The greenlet library is not installed, which SQLAlchemy's asyncio needs.",
    do: 'Install "sqlalchemy[asyncio]" where Alembic runs (SQLAlchemy 2.1 no longer brings greenlet by itself).',
  },
  "env-keyerror": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:7",
    summary: "The environment variable BOARDS_DATABASE_URL is not set.",
    do: "Set it: env: BOARDS_DATABASE_URL=…; where it holds the database's address, database-url-env: BOARDS_DATABASE_URL.",
  },
  pydantic: {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:11",
    summary: "The settings class Settings refuses its values: database_url, secret_key.",
    do: "Set the variables that Settings reads: env: DATABASE_URL=…, env: SECRET_KEY=….",
  },
  "env-valueerror": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:7",
    summary: "ValueError: DATABASE_URL is not set.",
    do: "Where DATABASE_URL holds the database's address, set database-url-env: DATABASE_URL; else mend what the last lines name, or set the variable (env).",
  },
  "ini-noheader": {
    exitCode: 1,
    kind: "environment",
    at: "alembic.ini:1",
    summary: "The configuration cannot be read: File contains no section headers.",
    do: 'Mend the line; a "%" in a value is written "%%".',
  },
  "ini-nosection": {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: "Alembic found no configuration with script_location where it was started.",
    do: "Set working-directory to the folder that has alembic.ini.",
  },
  "ini-parse": {
    exitCode: 1,
    kind: "environment",
    at: "alembic.ini:3",
    summary: "The configuration cannot be read: Source contains parsing errors: alembic.ini.",
    do: 'Mend the line; a "%" in a value is written "%%".',
  },
  "ini-dup": {
    exitCode: 1,
    kind: "environment",
    at: "alembic.ini:4",
    summary:
      "The configuration cannot be read: While reading from alembic.ini [line  4]: option 'path_separator' in section 'alembic' already exists.",
    do: 'Mend the line; a "%" in a value is written "%%".',
  },
  "ini-percent": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:9",
    summary: "The configuration cannot be read: '%' must be followed by '%' or '(', found: ….",
    do: 'Mend the line; a "%" in a value is written "%%".',
  },
  "ini-nofolder": {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: 'script_location names "nothere", and there is no such folder.',
    do: "Set working-directory to the folder that alembic runs in, or mend script_location.",
  },
  "logging-keyerror": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:6",
    summary: 'The configuration has no section "formatters", which env.py or its logging reads.',
    do: "Add [formatters], or call fileConfig only where it is there.",
  },
  "cant-locate": {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: 'No revision file has the id "zzzz", which the version table or the target names.',
    do: "Bring back the file of revision zzzz, or take zzzz out of the version table of a database that nobody needs.",
  },
  "multiple-heads": {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: "The project has more than one head revision.",
    do: 'Join the heads with "alembic merge heads", or give one the other as its down_revision.',
  },
  "missing-parent": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary: 'Revision "0002" names "0009" as its parent or dependency, and no revision file has this id.',
    do: "Bring back the file of revision 0009, or mend down_revision or depends_on.",
  },
  "no-revision-id": {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: "helper.py lies among the revisions and has no revision id.",
    do: "Move helper.py out of the versions folder, or set revision in it.",
  },
  "no-down-revision": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary: "The revision file 0002_b.py has no down_revision.",
    do: "Add down_revision to it (None for a first revision), or move the file out of the versions folder.",
  },
  cycle: {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: "Alembic stopped: Cycle is detected in revisions (0002, 0003).",
    do: "Mend what Alembic names.",
  },
  "illegal-id": {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: "Alembic stopped: Character(s) '-' not allowed in revision identifier '2024-01'.",
    do: "Mend what Alembic names.",
  },
  "label-twice": {
    exitCode: 255,
    kind: "environment",
    at: undefined,
    summary: "Alembic stopped: Branch name 'x' in revision 0002 already used by revision 0001.",
    do: "Mend what Alembic names.",
  },
  refused: {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary:
      'The database\'s server refused the connection: connection to server at "127.0.0.1", port 1 failed: Connection refused.',
    do: "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  },
  "refused-asyncpg": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary:
      "The database's server refused the connection: [Errno 111] Connect call failed ('127.0.0.1', 1).",
    do: "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  },
  "unknown-host": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary:
      'The database\'s host name is not known: could not translate host name "no-such-host.invalid" to address: Name or service not known.',
    do: "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  },
  "no-database": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary:
      'The server has no such database: connection to server at "127.0.0.1", port 5432 failed: FATAL:  database "nope" does not exist.',
    do: "Set the variable that env.py reads (database-url-env).",
  },
  "no-database-asyncpg": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary: 'The server has no such database: database "nope" does not exist.',
    do: "Set the variable that env.py reads (database-url-env).",
  },
  "no-role": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary:
      'The database has no such role: connection to server at "127.0.0.1", port 5432 failed: FATAL:  role "nobody" does not exist.',
    do: "Set the variable that env.py reads (database-url-env), or create the role in setup.",
  },
  tls: {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary:
      'The connection\'s TLS failed: connection to server at "127.0.0.1", port 5432 failed: server does not support SSL, but SSL was required.',
    do: "Leave TLS out of database-url-format and of env.py's connect arguments for the shadow database.",
  },
  "bad-url": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:9",
    summary: "env.py gives SQLAlchemy an address that it cannot read.",
    do: "Set the variable that env.py reads (database-url-env), with the form that it expects (database-url-format).",
  },
  "no-url": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:9",
    summary: "env.py reads the database's address from sqlalchemy.url, and the configuration has none.",
    do: "Set sqlalchemy.url in alembic.ini, or let env.py read a variable and name it in database-url-env.",
  },
  "bad-dialect": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:9",
    summary: 'SQLAlchemy knows no dialect "postgres".',
    do: "Set database-url-format to one it knows, such as postgresql+psycopg2.",
  },
  "bad-port": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:9",
    summary: "env.py gives SQLAlchemy an address that it cannot read.",
    do: "Set the variable that env.py reads (database-url-env), with the form that it expects (database-url-format).",
  },
  "sync-driver-async": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:10",
    summary: "env.py connects with asyncio, and the address names a driver without it.",
    do: "Set database-url-format to postgresql+asyncpg, or another asyncio driver.",
  },
  "async-driver-sync": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:10",
    summary: "The address names an asyncio driver, and env.py connects without asyncio.",
    do: "Set database-url-format to a driver without asyncio, such as postgresql+psycopg2.",
  },
  syntax: {
    exitCode: 1,
    kind: "environment",
    at: "migrations/versions/0002_b.py:13",
    summary: "A Python file does not parse: invalid syntax.",
    do: "Mend the line.",
  },
  indent: {
    exitCode: 1,
    kind: "environment",
    at: "migrations/versions/0002_b.py:11",
    summary: "A Python file does not parse: unexpected indent.",
    do: "Mend the line.",
  },
  "env-syntax": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/env.py:7",
    summary: "A Python file does not parse: invalid syntax.",
    do: "Mend the line.",
  },
  "rev-import": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/versions/0002_b.py:3",
    summary: 'Python does not find the module "app".',
    do: "Install the package that has it, or let Python find the project's own: prepend_sys_path = . in the configuration, and working-directory.",
  },
  "rev-import-inside": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:10",
    summary: "migrations/versions/0002_b.py raised ModuleNotFoundError: No module named 'app'.",
    do: "Install the package that has it, or let Python find the project's own: prepend_sys_path = . in the configuration, and working-directory.",
  },
  "rev-nameerror-module": {
    exitCode: 1,
    kind: "environment",
    at: "migrations/versions/0002_b.py:2",
    summary: "NameError: name 'UNDEFINED' is not defined.",
    do: "Mend what the last lines name, or set the variable that env.py reads (env).",
  },
  circular: {
    exitCode: 1,
    kind: "environment",
    at: "app/b.py:1",
    summary:
      "Modules import each other: cannot import name 'A' from partially initialized module 'app.a' (most likely due to a circular import).",
    do: "Break the circle: import within a function, or move what both need.",
  },
  "up-python": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:11",
    summary: "migrations/versions/0002_b.py raised IndexError: list index out of range.",
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-helper": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:18",
    summary: "migrations/versions/0002_b.py raised ValueError: bad.",
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-library": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:10",
    summary: "migrations/versions/0002_b.py raised ValueError: String or text() construct expected.",
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-notimplemented": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:14",
    summary: "migrations/versions/0002_b.py raised NotImplementedError: one way.",
    do: "Write the downgrade, or set floor to this revision: downgrades are then asked for down to here.",
  },
  "up-sql": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:10",
    summary:
      'migrations/versions/0002_b.py raised ProgrammingError: (psycopg2.errors.UndefinedTable) table "nothere" does not exist.',
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-sql-psycopg": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:10",
    summary:
      'migrations/versions/0002_b.py raised ProgrammingError: (psycopg.errors.SyntaxError) syntax error at or near "SELEC".',
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-sql-asyncpg": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:10",
    summary:
      "migrations/versions/0002_b.py raised DBAPIError: (sqlalchemy.dialects.postgresql.asyncpg.Error) division by zero.",
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-noname": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:10",
    summary:
      "migrations/versions/0002_b.py raised CompileError: Can't emit DROP CONSTRAINT for constraint UniqueConstraint(); it has no name.",
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-environ": {
    exitCode: 1,
    kind: "migration",
    at: "migrations/versions/0002_b.py:11",
    summary: "migrations/versions/0002_b.py raised KeyError: 'TENANT'.",
    do: "Mend the revision; the traceback's last lines say where.",
  },
  "up-syswexit": {
    exitCode: 3,
    kind: "migration",
    at: undefined,
    summary: "The migration tool ended with exit code 3 in the upgrade of revision 0002, without saying why.",
    do: "Look into the revision, and into env.py and the run command: one of them hides the error.",
  },
  "no-upgrade": {
    exitCode: 1,
    kind: "migration",
    at: undefined,
    summary: "The revision file 0002_b.py has no upgrade.",
    do: "Add upgrade to it.",
  },
  "bad-argument": {
    exitCode: 2,
    kind: "environment",
    at: undefined,
    summary: "Alembic does not take its arguments: invalid choice: 'upgrad'.",
    do: "Set run to words after which Alembic's own arguments (upgrade head, current) can follow.",
  },
  "no-target": {
    exitCode: 2,
    kind: "environment",
    at: undefined,
    summary: "Alembic does not take its arguments: the following arguments are required: revision.",
    do: "Set run to words after which Alembic's own arguments (upgrade head, current) can follow.",
  },
  "sh-not-found": {
    exitCode: 127,
    kind: "environment",
    at: undefined,
    summary: "The migration tool is not installed, or not on PATH.",
    do: "Install the project's Python packages before this step, or set run to what starts Alembic (now: alembic).",
  },
  "env-not-found": {
    exitCode: 127,
    kind: "environment",
    at: undefined,
    summary: "The migration tool is not installed, or not on PATH.",
    do: "Install the project's Python packages before this step, or set run to what starts Alembic (now: alembic).",
  },
  "no-alembic-module": {
    exitCode: 1,
    kind: "environment",
    at: undefined,
    summary: "The migration tool is not installed, or not on PATH.",
    do: "Install the project's Python packages before this step, or set run to what starts Alembic (now: alembic).",
  },
};

describe("a recorded failure", () => {
  test.each(Object.entries(recorded))("%s", (name, { exitCode, at, ...expected }) => {
    const text = readFileSync(path.join(failures, `${name}.txt`), "utf8");
    const { lastLines, file, line, ...rest } = explainFailure({ text, exitCode }, project);
    expect({ ...rest, at: file === undefined ? undefined : `${file}:${line}` }).toEqual({ ...expected, at });
    expect(lastLines).toEqual(
      withoutLibraryFrames(text.split("\n").map((printed) => printed.trimEnd()))
        .filter((printed) => printed !== "")
        .slice(-15)
        .map(withoutInput),
    );
  });
});

/** Values are taken out of pydantic's and configparser's lines. */
function withoutInput(line: string): string {
  return line
    .replace(/input_value=.*?, input_type/, "input_value=…, input_type")
    .replace(/, found: .*/, ", found: …");
}

describe("an output that is not the tool's own", () => {
  const failure = (text: string, exitCode: number | null | undefined = 1): ToolFailure =>
    explainFailure({ text, exitCode }, project);

  test("did not start", () => {
    expect(explainFailure({ text: "spawn alembic ENOENT", exitCode: undefined }, project).summary).toBe(
      "The migration tool is not installed, or not on PATH.",
    );
  });

  test("printed nothing", () => {
    expect(failure("")).toEqual({
      kind: "environment",
      summary: "The migration tool ended with exit code 1 and printed nothing.",
      do: "Start the tool by hand in the project's folder; mend what it names.",
      file: undefined,
      line: undefined,
      lastLines: [],
    });
  });

  test("was killed in a revision", () => {
    expect(
      failure("INFO  [alembic.runtime.migration] Running downgrade b2 -> a1, text\n", null),
    ).toMatchObject({
      kind: "migration",
      summary:
        "The migration tool was ended by a signal in the downgrade of revision b2, without saying why.",
    });
  });

  test("a wrapper that makes one line of every exception", () => {
    expect(failure("ERROR boards.migrate: cannot connect\n").summary).toBe(
      "The migration tool ended with exit code 1: ERROR boards.migrate: cannot connect.",
    );
  });

  test("terminal codes are taken out, lines are limited to the last 15", () => {
    const text = `\u001b[31m${Array.from({ length: 40 }, (_, index) => `line ${index}`).join("\u001b[0m\r\n")}`;
    expect(failure(text).lastLines).toEqual(Array.from({ length: 15 }, (_, index) => `line ${index + 25}`));
  });

  test("a container's path is named as the project's", () => {
    const text = readFileSync(path.join(failures, "up-python.txt"), "utf8").replaceAll("/project/", "/app/");
    expect(failure(text)).toMatchObject({
      kind: "migration",
      file: "migrations/versions/0002_b.py",
      line: 11,
    });
  });

  test("no password is repeated", () => {
    const text = [
      "Traceback (most recent call last):",
      '  File "/project/migrations/env.py", line 3, in <module>',
      "    connect()",
      "ValueError: cannot use postgresql://admin:hunter2@db.example.org/app",
      "input_value={'database_url': 'x:hunter2'}, input_type=dict]",
      "configparser.InterpolationSyntaxError: '%' must be followed by '%' or '(', found: '%hunter2'",
    ].join("\n");
    const told = JSON.stringify(failure(text));
    expect(told).toContain("postgresql://***@db.example.org/app");
    expect(told).not.toContain("hunter2");
  });
});
