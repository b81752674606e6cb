import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testClient, testServer } from "../support/database";
import { judge, openSteps, runCheck } from "../support/gate";
import { alembicFiles, type Project, type ProjectFiles, writeProject } from "../support/project";
import { contentOf } from "./content";

/** A real database with rows and its version at head: what `downgrade base` would empty. */
let server: TestServer;
let real: ShadowDatabase;
let before: unknown;
beforeAll(async () => {
  server = await testServer();
  real = await server.database("production");
  await using connected = await testClient(real.address);
  await connected.client.query(`
    CREATE TABLE users (id int PRIMARY KEY, name text);
    INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 1000) n;
    CREATE TABLE notes (id int);
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('b')`);
  before = await contentOf(real.address);
});
afterAll(() => server[Symbol.asyncDispose]());

const revisions = [
  {
    id: "a",
    down: null,
    upgrade: 'op.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")',
    downgrade: 'op.drop_table("users")',
  },
  {
    id: "b",
    down: "a",
    upgrade: 'op.execute("CREATE TABLE notes (id int)")',
    downgrade: 'op.drop_table("notes")',
  },
];

const base = alembicFiles({ revisions });

/** The usual env.py with another line for the address. */
function withAddress(lines: string, more: ProjectFiles = {}): ProjectFiles {
  const env = base["migrations/env.py"] ?? "";
  return { ...base, "migrations/env.py": env.replace(/^url = .*$/m, lines), ...more };
}

const quoted = JSON.stringify;
const elsewhere = (address: Address) => urlOf(address, "postgresql+psycopg2");
const parts = (url: string) => `postgresql+psycopg2://${url}`;

interface Case {
  readonly files: (address: Address) => ProjectFiles;
  readonly env?: (address: Address) => Readonly<Record<string, string>>;
  readonly says: RegExp;
}

const notHere = /did not connect to the shadow database, so nothing was upgraded or downgraded/;

const ignoring: Readonly<Record<string, Case>> = {
  "a literal URL in env.py": {
    files: (address) => withAddress(`url = ${quoted(elsewhere(address))}`),
    says: notHere,
  },
  "a literal sqlalchemy.url in alembic.ini": {
    files: (address) =>
      withAddress('url = context.config.get_main_option("sqlalchemy.url")', {
        "alembic.ini": `${base["alembic.ini"]}sqlalchemy.url = ${elsewhere(address).replaceAll("%", "%%")}\n`,
      }),
    says: notHere,
  },
  "a .env file that overrides the environment": {
    files: (address) =>
      withAddress(
        `for line in open(".env"):
    name, _, value = line.strip().partition("=")
    os.environ[name] = value
url = os.environ["DATABASE_URL"]`,
        { ".env": `DATABASE_URL=${elsewhere(address)}\n` },
      ),
    says: notHere,
  },
  "a settings file": {
    files: (address) =>
      withAddress('import json\nurl = json.load(open("settings.json"))["database"]', {
        "settings.json": JSON.stringify({ database: elsewhere(address) }),
      }),
    says: notHere,
  },
  "a service file of its own": {
    files: ({ host, port, user, password, database }) =>
      withAddress(
        'os.environ["PGSERVICEFILE"] = os.path.abspath("services.conf")\nurl = "postgresql+psycopg2://?service=real"',
        {
          "services.conf": `[real]\nhost=${host}\nport=${port}\nuser=${user}\npassword=${password}\ndbname=${database}\n`,
        },
      ),
    says: notHere,
  },
  "an address whose password is in ~/.pgpass": {
    files: ({ host, port, user, database }) =>
      withAddress(`url = ${quoted(parts(`${user}@${host}:${port}/${database}`))}`),
    says: notHere,
  },
  "an address that wins only when revisions run": {
    files: (address) =>
      withAddress(
        `import sys\nurl = ${quoted(elsewhere(address))} if "current" not in sys.argv else os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:")`,
      ),
    says: /nothing was downgraded|refused the connection/,
  },
  "a first connection to the shadow, and the revisions elsewhere": {
    files: (address) =>
      withAddress(
        `create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:")).connect().close()
url = ${quoted(elsewhere(address))}`,
      ),
    says: /did not look for its version table there|refused the connection|could not be used/,
  },
  "another database at the recorder's address": {
    files: ({ database }) =>
      withAddress(
        `url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:").rpartition("/")[0] + ${quoted(`/${database}`)}`,
      ),
    says: /lets the migration tool reach the shadow database only|did not connect to the shadow database/,
  },
  "the parts that its environment had": {
    files: () =>
      withAddress(
        'url = "postgresql+psycopg2://{POSTGRES_USER}:{POSTGRES_PASSWORD}@{POSTGRES_HOST}:{POSTGRES_PORT}/{POSTGRES_DB}".format(**os.environ)',
      ),
    env: ({ host, port, user, password, database }) => ({
      POSTGRES_HOST: host,
      POSTGRES_PORT: String(port),
      POSTGRES_USER: user,
      POSTGRES_PASSWORD: password ?? "",
      POSTGRES_DB: database,
    }),
    says: /POSTGRES_/,
  },
};

async function place(files: ProjectFiles): Promise<Project> {
  return writeProject(files);
}

function pgpass({ host, port, user, password, database }: Address): ProjectFiles {
  return { ".pgpass": `${host}:${port}:${database}:${user}:${password}\n` };
}

describe.each([
  ["a private shadow server", false],
  ["the very server that the other database is on", true],
])("with %s", (_, sameServer) => {
  describe.concurrent.each(["auto", "off"])("isolation %s, the project takes", (isolation) => {
    test.each(Object.entries(ignoring))("%s", async (_, { files, env, says }) => {
      await using project = await place({ ...files(real.address), ...pgpass(real.address) });
      const end = await runCheck({
        cwd: project.path,
        args: ["--isolation", isolation, "--tool-timeout", "30"],
        env: {
          HOME: project.path,
          ...env?.(real.address),
          ...(sameServer ? { MIGRATION_GATE_SHADOW_URL: urlOf(server.address) } : {}),
        },
      });
      expect({ code: end.code, stdout: end.stdout }, end.stderr).toEqual({ code: 2, stdout: "" });
      expect(end.stderr).toMatch(says);
      expect(end.stderr).toMatch(/database-url-env|env: /);
      expect(end.stderr).not.toContain(real.address.password);
      expect(await contentOf(real.address)).toEqual(before);
    });
  });
});

interface Obeying {
  readonly files: ProjectFiles;
  readonly args?: readonly string[];
  readonly env?: (address: Address) => Readonly<Record<string, string>>;
}

/** Their environment leads to the real database; what the gate gives them does not. */
const obeying: Readonly<Record<string, Obeying>> = {
  DATABASE_URL: { files: base, env: (address) => ({ DATABASE_URL: urlOf(address) }) },
  "PGHOST, PGDATABASE and the others of libpq": {
    files: withAddress('url = "postgresql+psycopg2://"'),
    env: ({ host, port, user, password, database }) => ({
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password ?? "",
      PGDATABASE: database,
    }),
  },
  "POSTGRES_* parts, as env sets them": {
    files: ignoring["the parts that its environment had"]?.files({} as Address) ?? {},
    args: ["HOST={host}", "PORT={port}", "USER={user}", "PASSWORD={password}", "DB={database}"].flatMap(
      (line) => ["--env", `POSTGRES_${line}`],
    ),
    env: ({ host, port }) => ({ POSTGRES_HOST: host, POSTGRES_PORT: String(port) }),
  },
  "a service that the environment names": {
    files: withAddress('url = "postgresql+psycopg2://"'),
    env: () => ({ PGSERVICE: "real", PGSERVICEFILE: "/etc/pg_service.conf" }),
  },
};

describe.concurrent("a project is proved and the other database stays as it was, with", () => {
  test.each(Object.entries(obeying))("%s", async (_, { files, args = [], env }) => {
    await using project = await place({ ...files, ...pgpass(real.address) });
    const { code, report } = await judge({
      cwd: project.path,
      args: ["--isolation", "off", ...args],
      env: { HOME: project.path, ...env?.(real.address) },
    });
    expect({ code, open: openSteps(report) }).toEqual({ code: 0, open: [] });
    expect(await contentOf(real.address)).toEqual(before);
  });
});
