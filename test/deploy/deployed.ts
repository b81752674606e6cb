import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { DeployPlan, DeployReport } from "../../src/model/deployment";
import { testClient } from "../support/database";
import { type GateEnd, type RunningGate, startGate } from "../support/gate";
import { type Project, type ProjectFiles, writeProject } from "../support/project";

/** When the gate has written this to its stderr; an error with all that it wrote where it ends before, or after two minutes. */
export async function hasSaid({ child }: RunningGate, words: string): Promise<void> {
  let said = "";
  child.stderr?.on("data", (text: string) => {
    said += text;
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  for (const end = Date.now() + 120_000; !said.includes(words); await sleep(20))
    if (hasEnded() || Date.now() > end) throw new Error(`the gate did not say "${words}" but:\n${said}`);
}

/** When the running gate has noted the tool's session, as the next one needs it where this one is killed. */
export async function noted({ path }: Project): Promise<void> {
  const folder = join(path, "migration-gate-records");
  const isNote = (name: string) => /^running-.*\.json$/.test(name);
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20))
    if (existsSync(folder) && readdirSync(folder).some(isNote)) return;
  throw new Error("no session was noted");
}

export type Driver = "psycopg2" | "asyncpg";

/** env.py of a project that reads DATABASE_URL; TRANSACTION_PER_MIGRATION=1 commits each revision. */
const environmentFiles: Readonly<Record<Driver, string>> = {
  psycopg2: `
import os
from logging.config import fileConfig
from alembic import context
from sqlalchemy import create_engine

fileConfig(context.config.config_file_name, disable_existing_loggers=False)
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:"))
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=os.environ.get("TRANSACTION_PER_MIGRATION") == "1")
    with context.begin_transaction():
        context.run_migrations()
`,
  asyncpg: `
import asyncio, os
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

def go(connection):
    context.configure(connection=connection, transaction_per_migration=os.environ.get("TRANSACTION_PER_MIGRATION") == "1")
    with context.begin_transaction():
        context.run_migrations()

async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(go)
    await engine.dispose()

asyncio.run(main())
`,
};

const ini = `[alembic]
script_location = %(here)s/migrations
[loggers]
keys = root,alembic
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[logger_alembic]
level = INFO
handlers =
qualname = alembic
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
`;

export interface RevisionText {
  readonly id: string;
  readonly up: string;
  readonly down?: string;
}

/** A project whose revisions follow each other. Bodies are lines of Python. */
export function deployedProject(
  revisions: readonly RevisionText[],
  driver: Driver = "psycopg2",
): Promise<Project> {
  const files: Record<string, string> = {
    "alembic.ini": ini,
    "migrations/env.py": environmentFiles[driver],
    ...revisionFiles(revisions),
  };
  return writeProject(files);
}

export function revisionFiles(revisions: readonly RevisionText[]): ProjectFiles {
  const indent = (body: string) =>
    body
      .split("\n")
      .map((line) => `    ${line}`)
      .join("\n");
  return Object.fromEntries(
    revisions.map(({ id, up, down }, index) => [
      `migrations/versions/${id}.py`,
      `"""make ${id}"""
revision = "${id}"
down_revision = ${index === 0 ? "None" : `"${revisions[index - 1]?.id}"`}
import time, os, sys
from alembic import op
def upgrade():
${indent(up)}
def downgrade():
${indent(down ?? "pass")}
`,
    ]),
  );
}

export const sql = (text: string): string => `op.execute(${JSON.stringify(text)})`;

export const table = (name: string): RevisionText => ({
  id: name,
  up: sql(`CREATE TABLE ${name} (id int)`),
  down: sql(`DROP TABLE ${name}`),
});

export interface DeployOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const waived = ["--yes", "--backup", "none", "--backup-because", "a test"];

/** `migration-gate <command> --yes --backup none …` on a database. */
export function startDeploy(
  command: "apply" | "rollback",
  project: Project,
  address: Address,
  { args = [], env = {} }: DeployOptions = {},
): Promise<RunningGate> {
  return startGate([command, ...waived, "--format", "json", ...args], {
    cwd: project.path,
    env: { DATABASE_URL: urlOf(address), ...env },
  });
}

export interface Deployed extends GateEnd {
  readonly report: DeployReport;
}

/** To its end, which must be a report. */
export async function deploy(
  command: "apply" | "rollback",
  project: Project,
  address: Address,
  options: DeployOptions = {},
): Promise<Deployed> {
  const { ended } = await startDeploy(command, project, address, options);
  const end = await ended;
  return { ...end, report: reportOf<DeployReport>(end) };
}

export function reportOf<Report extends DeployReport | DeployPlan>(end: GateEnd): Report {
  const value = JSON.parse(end.stdout, (_, field: unknown) => field ?? undefined) as Report & {
    error?: unknown;
  };
  if (value.error !== undefined) throw new Error(`no report: ${end.stdout}\n${end.stderr}`);
  return value;
}

/** The message where nothing was begun. */
export async function refusal(
  command: "apply" | "rollback",
  project: Project,
  address: Address,
  options: DeployOptions = {},
): Promise<{ what: string; seen?: string; do: string; where?: string; why?: string }> {
  const { ended } = await startDeploy(command, project, address, options);
  const end = await ended;
  const value = JSON.parse(end.stdout) as { error?: { what: string; do: string } };
  if (end.code !== 2 || value.error === undefined)
    throw new Error(`${end.code}: ${end.stdout}\n${end.stderr}`);
  return value.error;
}

/** Every record that was left in the project. */
export function records(project: Project): DeployReport[] {
  const folder = join(project.path, "migration-gate-records");
  if (!existsSync(folder)) return [];
  // Beside them lies the note of sessions that could not be ended, where there were any.
  return readdirSync(folder)
    .filter((name) => !name.startsWith("running-"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as DeployReport);
}

/** First columns of what a query gives. */
export async function ask(address: Address, query: string): Promise<unknown[]> {
  await using observer = await testClient(address);
  const { rows } = await observer.client.query<unknown[]>({ text: query, rowMode: "array" });
  return rows.map(([first]) => first);
}

export const tables = (address: Address): Promise<unknown[]> =>
  ask(
    address,
    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1",
  );
