import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testClient, testServer } from "../support/database";
import { type GateEnd, runCheck } from "../support/gate";
import { repositoryIn } from "../support/git";
import {
  type AlembicProject,
  alembicFiles,
  type Project,
  type ProjectFiles,
  pythonBin,
  writeProject,
} from "../support/project";

/** Planted wherever a message could take it from; neither it nor its encodings may come out. */
const password = "s3cr3t p@ss:wörd/%";

let server: TestServer;
/** A port whose listener never answers. */
let silent: net.Server;
beforeAll(async () => {
  server = await testServer();
  await using connected = await testClient(server.address);
  await connected.client.query("CREATE ROLE poor LOGIN PASSWORD 'poor'; CREATE ROLE tls_only LOGIN");
  const { rows } = await connected.client.query<{ hba_file: string }>("SHOW hba_file");
  const rules = rows[0]?.hba_file ?? "";
  writeFileSync(rules, `host all tls_only all reject\n${readFileSync(rules, "utf8")}`);
  await connected.client.query("SELECT pg_reload_conf()");
  silent = net.createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  silent.close();
  await server[Symbol.asyncDispose]();
});

const portOf = (listener: net.Server) => (listener.address() as net.AddressInfo).port;

const one: AlembicProject = {
  revisions: [
    {
      id: "a",
      down: null,
      upgrade: 'op.execute("CREATE TABLE t (id int)")',
      downgrade: 'op.execute("DROP TABLE t")',
    },
  ],
};
const files = alembicFiles(one);

function withEnvPy(preamble: string): ProjectFiles {
  return alembicFiles({ ...one, envPreamble: preamble });
}

interface Case {
  readonly files?: ProjectFiles;
  readonly args?: readonly string[];
  readonly env?: (address: Address) => Readonly<Record<string, string | undefined>>;
  readonly prepare?: (path: string) => unknown;
}

const shadow = (change: (address: Address) => Partial<Address>) => (address: Address) => ({
  MIGRATION_GATE_SHADOW_URL: urlOf({ ...address, ...change(address) }),
});
const url = (text: string) => () => ({ MIGRATION_GATE_SHADOW_URL: text });
const encoded = encodeURIComponent(password);
const landed = (path: string) => repositoryIn(path).commit();
const settings = (text: string) => ({ ...files, "migration-gate.yml": text });

/** What stands on standard error, whole, is in bad-input/<name>.txt. */
const cases: Readonly<Record<string, Case>> = {
  "no project": { files: { "README.md": "" } },
  "two projects": {
    files: Object.fromEntries(
      ["one", "two"].flatMap((folder) =>
        Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]),
      ),
    ),
  },
  "a folder that is not there": { args: ["--working-directory", "nowhere"] },
  "a configuration that is not there": { args: ["--config", "nope.ini"] },
  "a section that is not there": { args: ["--section", "nope"] },
  "an ini file that cannot be read": {
    files: { ...files, "alembic.ini": "[alembic\nscript_location = x\n" },
  },
  "an ini file that names no folder": {
    files: { ...files, "alembic.ini": "[alembic]\nscript_location = %(here)s/elsewhere\n" },
  },
  "no revisions": {
    files: {
      "alembic.ini": files["alembic.ini"] ?? "",
      "migrations/env.py": "",
      "migrations/versions/.keep": "",
    },
  },
  "a tool that is not installed": { env: () => ({ PATH: "/usr/bin:/bin" }) },
  "a sqlx that is not installed": {
    files: { "Cargo.toml": '[dependencies]\nsqlx = "0.8"\n', "migrations/1_a.sql": "SELECT 1;\n" },
    env: () => ({ PATH: "/usr/bin:/bin" }),
  },
  "a run command that is not there": { args: ["--run", "no-such-tool"] },
  "a run command that is not closed": { args: ["--run", "alembic 'x"] },
  "a tool that ends without a word": { args: ["--run", "false"] },
  "an import that fails": { files: withEnvPy("import boards.settings") },
  "a module of the project that is missing": { files: withEnvPy("from app.models import Base") },
  "a driver that is not installed": {
    files: withEnvPy("import pg8000"),
  },
  "a greenlet that is missing": {
    files: {
      ...alembicFiles({ ...one, driver: "asyncpg" }),
      "blocked/greenlet.py": "raise ModuleNotFoundError(\"No module named 'greenlet'\")",
    },
    env: () => ({ PYTHONPATH: "blocked" }),
  },
  "a variable that is not set": { files: withEnvPy('os.environ["BOARDS_SECRET"]') },
  "an env.py that never ends": {
    files: withEnvPy("import time\nprint('waiting for a friend')\ntime.sleep(300)"),
    args: ["--tool-timeout", "15"],
  },
  "an env.py that prints its password": {
    files: withEnvPy('raise RuntimeError("cannot use " + os.environ["DATABASE_URL"])'),
  },
  "a flag that is not known": { args: ["--shadow-ulr", "x"] },
  "a flag without its value": { args: ["--floor"] },
  "a word too many": { args: ["head"] },
  "a number that is none": { args: ["--tool-timeout", "3s"] },
  "a word of a choice that is none": { args: ["--fail-on", "eror"] },
  "a floor that is no revision": { args: ["--floor", "aa"] },
  "a base without a repository": { args: ["--base", "main"] },
  "a base that is no commit": { args: ["--base", "trunk"], prepare: landed },
  "a base before the first commit": { args: ["--base", "main"], prepare: repositoryIn },
  "an event without its file": { env: () => ({ GITHUB_EVENT_NAME: "push" }), prepare: landed },
  "a settings file with an unknown name": { files: settings("floor: a\nfail-un: note\nhistory: al\n") },
  "a settings file with a password": { files: settings(`shadow-url: postgresql://u:${encoded}@h/d\n`) },
  "a settings file that is no YAML": { files: settings(`env: ["${password}"\nfloor: a\n`) },
  "a settings file that is not there": { args: ["--config-file", "gate.yml"] },
  "a settings file beside the project that is not read": {
    files: Object.fromEntries(
      Object.entries(settings("floor: a\n")).map(([name, text]) => [`backend/${name}`, text]),
    ),
  },
  "an env line without a name": { args: ["--env", `just-${password}`] },
  "a placeholder that is not known": { args: ["--env", "HOST={hots}"] },
  "a format without a port": { args: ["--database-url-format", `postgresql://u:${encoded}@db/app`] },
  "a shadow that refuses": { env: url(`postgresql://u:${encoded}@127.0.0.1:1/d`) },
  "a shadow that is not known": { env: url(`postgresql://u:${encoded}@no-such-host.invalid/d`) },
  "a shadow with a wrong password": { env: shadow(() => ({ password })) },
  "a shadow that wants TLS": { env: shadow(() => ({ user: "tls_only", password: "tls_only" })) },
  "a shadow without TLS": { env: shadow(() => ({ sslmode: "require" })) },
  "a shadow without such a database": { env: shadow(() => ({ database: "no_such" })) },
  "a shadow without CREATEDB": { env: shadow(() => ({ user: "poor", password: "poor" })) },
  "a shadow that is malformed": { env: url(`postgresql://u:${password.replaceAll("/", "")}@127.0.0.1/d`) },
  "a shadow with a slash in its password": { env: url("postgresql://u:half/other@127.0.0.1/d") },
  "a shadow of another kind": { env: url(`mysql://u:${encoded}@127.0.0.1/d`) },
  "a shadow that is no URL": { env: url(`host=127.0.0.1 password=${password}`) },
  "a setup file that is not there": { args: ["--setup", "missing.sql"] },
  "a setup file with an error": {
    files: { ...files, "setup.sql": "CREATE SCHEMA x;\nSELECT 'é', 1;\n\tCREATE TABEL y (id int);\n" },
    args: ["--setup", "setup.sql"],
  },
  "a setup command that fails": { args: ["--setup", "python -c 'print(1); raise SystemExit(7)'"] },
  "a setup command that is not there": { args: ["--setup", "no-such-setup x"] },
};

/** Paths and ports that differ from run to run. */
function normal(text: string, project: Project): string {
  return text
    .replaceAll(project.path, "<project>")
    .replaceAll(pythonBin(), "<python>/bin")
    .replaceAll(`:${server.address.port}`, ":<port>")
    .replaceAll(`:${portOf(silent)}`, ":<silent>")
    .replace(/127\.0\.0\.1:\d{4,5}/g, "127.0.0.1:<port>")
    .replace(/migration_gate_[0-9a-f]{16}_/g, "migration_gate_<id>_")
    .replace(/(Not in PATH: ).*/g, "$1<path>")
    .trimEnd();
}

function encodings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, encodeURIComponent(secret), bytes.toString("base64"), bytes.toString("base64url")];
}

function expectNoSecret(end: GateEnd, ...secrets: readonly string[]): void {
  for (const secret of [password, ...secrets].flatMap(encodings)) {
    expect(end.stdout + end.stderr).not.toContain(secret);
  }
  expect(end.stdout + end.stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
}

describe.concurrent("nothing can be judged", () => {
  test.for(Object.entries(cases))(
    "%s",
    async ([name, { files: given = files, args, env, prepare }], { expect }) => {
      await using project = await writeProject(given);
      prepare?.(project.path);
      const end = await runCheck({
        cwd: project.path,
        args: args ?? [],
        env: {
          APP_PASSWORD: password,
          DATABASE_URL: `postgresql://u:${encoded}@h/d`,
          ...env?.(server.address),
        },
      });
      expect({ code: end.code, stdout: end.stdout }, end.stderr).toEqual({ code: 2, stdout: "" });
      expectNoSecret(end, server.address.password ?? "");
      const file = `bad-input/${name.replaceAll(" ", "-")}.txt`;
      await expect(`${normal(end.stderr, project)}\n`).toMatchFileSnapshot(file);
    },
  );

  test("a shadow that never answers", async ({ expect }) => {
    await using project = await writeProject(files);
    const end = await runCheck({
      cwd: project.path,
      env: { MIGRATION_GATE_SHADOW_URL: `postgresql://u:${encoded}@127.0.0.1:${portOf(silent)}/d` },
    });
    expect(end.code).toBe(2);
    expectNoSecret(end);
    await expect(`${normal(end.stderr, project)}\n`).toMatchFileSnapshot("bad-input/a-silent-shadow.txt");
  });
});

test("as JSON: the message's parts on standard output", async () => {
  await using project = await writeProject(files);
  const end = await runCheck({ cwd: project.path, args: ["--format", "json", "--floor", "aa"] });
  expect(end.code).toBe(2);
  expect(JSON.parse(end.stdout)).toEqual({
    version: 1,
    error: {
      what: 'The floor "aa" is no revision of this project.',
      where: null,
      seen: null,
      why: null,
      do: expect.stringContaining("floor"),
      others: [],
    },
  });
  expect(end.stderr).toContain('error: The floor "aa" is no revision of this project.');
});
