import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const examples = resolve(import.meta.dirname, "..", "..", "examples");

/** A project in a temporary folder outside the checkout, readable by every user; it goes with its block. */
export interface Project extends AsyncDisposable {
  readonly path: string;
}

/** Contents by path, relative to the project's root. */
export type ProjectFiles = Readonly<Record<string, string>>;

export interface PlaceOptions {
  /** The name of the project's folder, e.g. one with spaces or other than ASCII letters. */
  readonly folder?: string;
}

export interface ExampleOptions extends PlaceOptions {
  /** Names of patches in the example's defects/, applied in this order. */
  readonly defects?: readonly string[];
}

/** A copy of examples/<name> without its defects/ and changes/, each named patch applied by `git apply`. */
export async function copyOfExample(name: string, options: ExampleOptions = {}): Promise<Project> {
  const source = join(examples, name);
  const left = new Set(["defects", "changes", "__pycache__"]);
  return place(options, async (path) => {
    await cp(source, path, { recursive: true, filter: (file) => !left.has(basename(file)) });
    for (const defect of options.defects ?? []) {
      const patch = join(source, "defects", `${defect}.patch`);
      await run("git", ["apply", "--whitespace=nowarn", patch], {
        cwd: path,
        // Without it git would take a repository above the temporary folder for the patch's own.
        env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(path) },
      });
    }
  });
}

/** A project of these files. */
export function writeProject(files: ProjectFiles, options: PlaceOptions = {}): Promise<Project> {
  return place(options, async (path) => {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(path, file)), { recursive: true });
      await writeFile(join(path, file), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
    }
  });
}

async function place(options: PlaceOptions, fill: (path: string) => Promise<void>): Promise<Project> {
  const parent = await mkdtemp(join(tmpdir(), "migration-gate-test-"));
  const path = join(parent, options.folder ?? "project");
  const remove = () => rm(parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  try {
    await mkdir(path);
    await fill(path);
    await chmod(parent, 0o755);
    await run("chmod", ["-R", "a+rX", path]);
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}

export const drivers = ["psycopg2", "psycopg", "psycopg_async", "asyncpg"] as const;
export type Driver = (typeof drivers)[number];

export interface RevisionSource {
  readonly id: string;
  /** The revision or revisions before it; null for a base. */
  readonly down: string | readonly string[] | null;
  /** Lines of Python, from the first column on; empty for `pass`. `op` and `sa` are imported. */
  readonly upgrade: string;
  readonly downgrade: string;
  /** Lines of Python between the identifiers and upgrade(). */
  readonly preamble?: string;
  readonly message?: string;
  /** The file's name in migrations/versions/, where it is not `<id>.py`. */
  readonly file?: string;
}

export interface AlembicProject {
  readonly driver?: Driver;
  readonly transactionPerMigration?: boolean;
  readonly versionTable?: string;
  readonly versionTableSchema?: string;
  readonly revisions: readonly RevisionSource[];
  /** Lines of Python at the head of env.py, after its imports. */
  readonly envPreamble?: string;
  /** More files, by their path. */
  readonly files?: ProjectFiles;
}

/** A small Alembic project whose env.py takes the address from DATABASE_URL, with any `postgresql` scheme. */
export function alembicProject(options: AlembicProject & PlaceOptions): Promise<Project> {
  return writeProject(alembicFiles(options), options);
}

/** The files of `alembicProject`. */
export function alembicFiles(options: AlembicProject): ProjectFiles {
  const files: Record<string, string> = {
    "alembic.ini": "[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n",
    "migrations/env.py": environment(options),
    "migrations/script.py.mako": "",
    ...options.files,
  };
  for (const revision of options.revisions) {
    files[`migrations/versions/${revision.file ?? `${revision.id}.py`}`] = revisionFile(revision);
  }
  return files;
}

function environment(options: AlembicProject): string {
  const driver = options.driver ?? "psycopg2";
  const settings = [
    "target_metadata=None",
    `transaction_per_migration=${options.transactionPerMigration ? "True" : "False"}`,
  ];
  if (options.versionTable !== undefined) settings.push(`version_table=${literal(options.versionTable)}`);
  if (options.versionTableSchema !== undefined) {
    settings.push(`version_table_schema=${literal(options.versionTableSchema)}`);
  }
  const isAsync = driver === "asyncpg" || driver === "psycopg_async";
  return `import asyncio
import os
import re

from alembic import context
from sqlalchemy import create_engine, pool
from sqlalchemy.ext.asyncio import create_async_engine
${options.envPreamble === undefined ? "" : `\n${options.envPreamble.trim()}\n`}
url = re.sub(r"^postgres(ql)?(\\+\\w+)?://", "postgresql+${driver}://", os.environ["DATABASE_URL"])
settings = dict(${settings.join(", ")})


def run(connection):
    context.configure(connection=connection, **settings)
    with context.begin_transaction():
        context.run_migrations()

${isAsync ? asynchronous : synchronous}

if context.is_offline_mode():
    context.configure(url=url, literal_binds=True, **settings)
    with context.begin_transaction():
        context.run_migrations()
else:
    online()
`;
}

const synchronous = `
def online():
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        run(connection)
`;

const asynchronous = `
async def connect_and_run():
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


def online():
    asyncio.run(connect_and_run())
`;

function revisionFile(revision: RevisionSource): string {
  const parents =
    revision.down === null || typeof revision.down === "string"
      ? literal(revision.down)
      : `(${revision.down.map((parent) => `${literal(parent)},`).join(" ")})`;
  return `"""${revision.message ?? revision.id}"""
from alembic import op
import sqlalchemy as sa

revision = ${literal(revision.id)}
down_revision = ${parents}
branch_labels = None
depends_on = None
${revision.preamble === undefined ? "" : `\n${revision.preamble.trim()}\n`}

def upgrade():
${body(revision.upgrade)}


def downgrade():
${body(revision.downgrade)}
`;
}

/** A JSON string is a Python string as well. */
function literal(value: string | null): string {
  return value === null ? "None" : JSON.stringify(value);
}

function body(lines: string): string {
  const text = lines.replace(/^\n+|\s+$/g, "") || "pass";
  return text.replace(/^(?=.)/gm, "    ");
}

/** The bin folder of the Python environment that the global setup made. */
export function pythonBin(): string {
  const bin = process.env.MIGRATION_GATE_TEST_PYTHON_BIN;
  if (bin) return bin;
  throw new Error("MIGRATION_GATE_TEST_PYTHON_BIN is not set: run the tests with vitest");
}

/** These variables with the Python environment first on PATH, and without byte code written into projects. */
export function withPython(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const path = [pythonBin(), env.PATH ?? ""].join(delimiter);
  return { ...env, PATH: path, PYTHONDONTWRITEBYTECODE: "1" };
}
