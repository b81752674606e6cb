import { readdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { openBaseTree } from "../../src/lanes/base-tree";
import { testClient, testServer } from "../support/database";
import { blames, judge, runCheck } from "../support/gate";
import { type Repository, repositoryIn } from "../support/git";
import { alembicFiles, alembicProject, type Project, type RevisionSource } from "../support/project";

const users: RevisionSource = {
  id: "0001",
  down: null,
  upgrade:
    'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))',
  downgrade: 'op.drop_table("users")',
};
const city: RevisionSource = {
  id: "0002",
  down: "0001",
  upgrade: 'op.add_column("users", sa.Column("city", sa.Text))',
  downgrade: 'op.drop_column("users", "city")',
};

const fileOf = ({ id }: RevisionSource) => `migrations/versions/${id}.py`;
const textOf = (revision: RevisionSource) => alembicFiles({ revisions: [revision] })[fileOf(revision)] ?? "";
const elsewhere = (url: string) => `os.environ["DATABASE_URL"] = ${JSON.stringify(url)}`;

/** These on main, and a branch topic with the first revision that is not among them. */
async function project(
  options: Parameters<typeof alembicProject>[0],
): Promise<{ project: Project; repository: Repository }> {
  const made = await alembicProject(options);
  const repository = repositoryIn(made.path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  return { project: made, repository };
}

const dump = (text: string) =>
  `--\n-- PostgreSQL database dump\n--\n\n${text}\n--\n-- PostgreSQL database dump complete\n--\n`;

const args = ["--base", "main"];

test("a tool that goes elsewhere ends the check with its message, also where the base's files do", async () => {
  const { project: made, repository } = await project({
    revisions: [users],
    envPreamble: elsewhere("postgresql://nobody@127.0.0.1:9/nothing"),
  });
  await using _ = made;
  repository.write(fileOf(city), textOf(city));
  const { code, stderr } = await runCheck({ cwd: made.path, args });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('error: "alembic current" did not connect to the shadow database'),
  });
  expect(stderr).not.toContain("Node.js v");
});

test("a service that env.py does not reach is named, and how the check can reach it", async () => {
  const { project: made } = await project({
    revisions: [users],
    envPreamble: `import sys
sys.path.insert(0, os.getcwd())
from broker.errors import ConnectionError
raise ConnectionError("Error 111 connecting to localhost:6379. Connection refused.")`,
    files: { "broker/__init__.py": "", "broker/errors.py": "class ConnectionError(Exception):\n    pass\n" },
  });
  await using _ = made;
  const { code, stderr } = await runCheck({ cwd: made.path });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining(
      'error: "alembic current" did not reach a service that the project uses as it starts',
    ),
  });
  expect(stderr).toContain("broker.errors.ConnectionError: Error 111 connecting to localhost:6379.");
  expect(stderr).toContain("isolation: off");
});

test("a base whose project lies elsewhere is found there, and not proved where two could be it", async () => {
  const { project: made, repository } = await project({ revisions: [users] });
  await using _ = made;
  const move = (to: string) => {
    for (const name of ["alembic.ini", "migrations"]) repository.git("mv", name, `${to}/${name}`);
  };
  repository.write("backend/README");
  move("backend");
  repository.write(`backend/${fileOf(city)}`, textOf(city));
  repository.commit();
  const check = async () => {
    const { code, report } = await judge({
      cwd: `${made.path}/backend`,
      args: [...args, "--require", "deploy-lane"],
    });
    const { status, reason } = report.deployLane ?? {};
    return { code, findings: blames(report), status, reason };
  };
  expect(await check()).toEqual({ code: 0, findings: [], status: "proved", reason: undefined });
  // The base has two now, neither of them where the change has its own.
  repository.git("checkout", "-q", "main");
  repository.write("one/README");
  move("one");
  for (const [file, text] of Object.entries(alembicFiles({ revisions: [users] })))
    repository.write(`two/${file}`, text);
  const base = repository.commit();
  repository.git("checkout", "-q", "topic");
  repository.git("rebase", "-q", "--onto", base, "topic~0", "topic");
  repository.git("rm", "-rq", "one", "two");
  for (const [file, text] of Object.entries(alembicFiles({ revisions: [users, city] })))
    repository.write(`backend/${file}`, text);
  repository.commit();
  expect(await check()).toEqual({
    code: 1,
    findings: ["error deploy-lane-not-proved -"],
    status: "not proved",
    reason: expect.stringContaining("the change moves its folder"),
  });
});

test("settings of the database and of roles in it come along", async () => {
  const { project: made, repository } = await project({
    revisions: [
      {
        id: "0001",
        down: null,
        upgrade: `op.execute("CREATE SCHEMA app")
op.execute("CREATE TABLE app.users (id int PRIMARY KEY, name text)")
op.execute("""DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET search_path TO app, "it''s", public', current_database());
  EXECUTE format('ALTER DATABASE %I SET app.tenant TO ''it''''s, "so"''', current_database());
  EXECUTE format('ALTER ROLE %I IN DATABASE %I SET app.role TO ''one''', current_user, current_database());
END $$""")
op.execute("SET search_path TO app, public")`,
        downgrade: 'op.execute("DROP SCHEMA app CASCADE")',
      },
    ],
  });
  await using _ = made;
  repository.write(
    fileOf(city),
    textOf({
      ...city,
      upgrade: `op.execute("ALTER TABLE users ADD COLUMN city text")
if not op.get_context().as_sql and op.get_bind().scalar(sa.text("SELECT current_database()")).find("_fresh") < 0:
    op.execute("""DO $$ BEGIN
      ASSERT current_setting('app.tenant') = 'it''s, "so"', current_setting('app.tenant');
      ASSERT current_setting('app.role') = 'one', current_setting('app.role');
      ASSERT current_setting('search_path') = 'app, "it''s", public', current_setting('search_path');
    END $$""")`,
      downgrade: 'op.execute("ALTER TABLE app.users DROP COLUMN city")',
    }),
  );
  const { report } = await judge({ cwd: made.path, args });
  const errors = blames(report).filter((blame) => blame.startsWith("error"));
  expect({ errors, lane: report.deployLane?.status }).toEqual({ errors: [], lane: "proved" });
});

test("files of the base that git cannot write are the environment's trouble", async () => {
  const { project: made, repository } = await project({
    revisions: [users],
    files: { ".gitattributes": "big.bin filter=store\n", "big.bin": "a pointer\n" },
  });
  await using _ = made;
  for (const [name, value] of [
    ["clean", "cat"],
    ["smudge", "false"],
    ["required", "true"],
  ])
    repository.git("config", `filter.store.${name}`, value ?? "");
  repository.write(fileOf(city), textOf(city));
  const { code, report } = await judge({ cwd: made.path, args });
  expect({ code, findings: blames(report), lane: report.deployLane }).toMatchObject({
    code: 0,
    findings: ["note deploy-lane-not-proved -", "note untracked-revision 0002"],
    lane: { status: "not proved", cause: "environment", reason: expect.stringContaining("big.bin") },
  });
});

test("the base's own files take revisions back only where they were seen to arrive", async () => {
  await using server = await testServer();
  await using production = await server.database("production");
  await using staging = await server.database("staging");
  const history = (id: string) => `CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('${id}');\n`;
  const schema = `CREATE TABLE users (id int PRIMARY KEY, name text, city text);\n`;
  await using real = await testClient(production.address);
  await real.client.query(schema + history("0002"));
  await using other = await testClient(staging.address);
  await other.client.query(history("0001"));
  const { project: made, repository } = await project({
    revisions: [users, city],
    envPreamble: elsewhere(urlOf(production.address)),
    files: { "production.sql": dump(schema + history("0002")) },
  });
  await using _ = made;
  repository.remove(fileOf(city));
  repository.write("migrations/env.py", alembicFiles({ revisions: [] })["migrations/env.py"]);
  repository.commit();
  const { report } = await judge({
    cwd: made.path,
    args: [
      ...args,
      ...["--environments", "STAGING_URL", "--seed-from", "production.sql", "--isolation", "off"],
    ],
    env: { STAGING_URL: urlOf(staging.address) },
  });
  const { rows } = await real.client.query("SELECT version_num FROM alembic_version");
  expect(rows).toEqual([{ version_num: "0002" }]);
  expect(report.deployLane).toMatchObject({ status: "not proved", cause: "environment" });
});

test("taking back is taking back whatever is under judgement", async () => {
  await using server = await testServer();
  await using staging = await server.database("staging");
  await using other = await testClient(staging.address);
  await other.client.query(
    "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('0001')",
  );
  const { project: made, repository } = await project({ revisions: [users, city] });
  await using _ = made;
  repository.remove(fileOf(city));
  const { report } = await judge({
    cwd: made.path,
    args: [...args, "--history", "all", "--environments", "STAGING_URL"],
    env: { STAGING_URL: urlOf(staging.address) },
  });
  expect({ lane: report.deployLane?.status, findings: blames(report) }).toEqual({
    lane: "proved",
    findings: ["note revision-taken-back 0002"],
  });
});

test("roles that the base made on a given server go with its databases", async () => {
  await using server = await testServer();
  const { project: made, repository } = await project({
    revisions: [
      {
        ...users,
        upgrade: `${users.upgrade}\nop.execute("CREATE ROLE reader")`,
        downgrade: `op.execute("DROP ROLE reader")\n${users.downgrade}`,
      },
    ],
  });
  await using _ = made;
  repository.write(fileOf(city), textOf(city));
  const { report } = await judge({
    cwd: made.path,
    args: [...args, "--shadow-url", urlOf(server.address)],
  });
  await using connected = await testClient(server.address);
  const { rows } = await connected.client.query(
    "SELECT rolname FROM pg_roles WHERE rolname = 'reader' UNION ALL SELECT datname FROM pg_database WHERE datname LIKE 'migration_gate_%'",
  );
  expect({ lane: report.deployLane?.status, left: rows }).toEqual({ lane: "proved", left: [] });
});

describe("the base's files", () => {
  test("that lead to the change's revisions prove nothing", async () => {
    await using made = await alembicProject({ revisions: [], files: { "db/0001.py": textOf(users) } });
    symlinkSync(join(made.path, "db"), join(made.path, "migrations", "versions"));
    const repository = repositoryIn(made.path);
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    const revision = {
      ...city,
      upgrade: 'op.add_column("users", sa.Column("city", sa.Text, nullable=False))',
    };
    repository.write("db/0002.py", textOf(revision));
    repository.commit();
    const { report } = await judge({ cwd: made.path, args });
    expect(report.deployLane).toMatchObject({
      status: "not proved",
      reason: expect.stringContaining('"0002"'),
    });
  });

  test("get what git ignores only where their own folders are", async () => {
    const { project: made, repository } = await project({
      revisions: [users],
      files: { build: "a file\n", ".gitignore": "*.log\n/link\n" },
    });
    await using _ = made;
    symlinkSync("/nowhere/at/all", `${made.path}/link`);
    symlinkSync("..", `${made.path}/out`);
    repository.git("add", "-f", "link", "out");
    repository.git("commit", "-qm", "links");
    repository.git("rm", "-q", "--cached", "link", "out", "build");
    repository.remove("build");
    repository.remove("out");
    for (const file of ["build/a.log", "out/a.log", "migrations/a.log"]) repository.write(file);
    await using tree = await openBaseTree(made.path, "HEAD");
    expect(readdirSync(tree.root).sort()).toEqual([
      ".gitignore",
      "alembic.ini",
      "build",
      "link",
      "migrations",
      "out",
    ]);
    expect(readdirSync(join(tree.root, "migrations"))).toContain("a.log");
    expect(readdirSync(dirname(tree.root))).not.toContain("a.log");
  });
});

test("on one of several heads, only the change is taken back", async () => {
  const beginning = (id: string): RevisionSource => ({
    id,
    down: null,
    upgrade: `op.create_table("${id}", sa.Column("id", sa.Integer, primary_key=True))`,
    downgrade: `op.drop_table("${id}")`,
  });
  const { project: made, repository } = await project({ revisions: [beginning("a1"), beginning("b1")] });
  await using _ = made;
  const revision = {
    id: "a2",
    down: "a1",
    upgrade: 'op.add_column("a1", sa.Column("x", sa.Integer))',
    downgrade: 'op.drop_column("a1", "x")',
  };
  repository.write(fileOf(revision), textOf(revision));
  repository.commit();
  const { report } = await judge({ cwd: made.path, args });
  expect({ lane: report.deployLane?.status, findings: blames(report) }).toEqual({
    lane: "proved",
    findings: ["error multiple-heads a2"],
  });
});

test("a seed's well-behaved rows do not hide what others would meet", async () => {
  const { project: made, repository } = await project({
    revisions: [users],
    files: { "seed.sql": "INSERT INTO users SELECT i, 'name ' || i FROM generate_series(1, 12) i;" },
  });
  await using _ = made;
  const revision = {
    ...city,
    upgrade: 'op.create_unique_constraint("one_name", "users", ["name"])',
    downgrade: 'op.drop_constraint("one_name", "users")',
  };
  repository.write(fileOf(revision), textOf(revision));
  repository.commit();
  const { report } = await judge({ cwd: made.path, args: [...args, "--seed", "seed.sql"] });
  expect(blames(report)).toContain("warning may-fail-on-rows 0002");
});

test.for([
  ["error fails-on-rows", ""],
  ["warning may-fail-on-rows", "op.execute(\"UPDATE users SET city = coalesce(name, 'x')\")"],
])("%s where the column that the change added is filled by %o", async ([expected, filled]) => {
  const { project: made, repository } = await project({ revisions: [users] });
  await using _ = made;
  const added = {
    ...city,
    upgrade: `op.add_column("users", sa.Column("city", sa.Text, nullable=False, server_default="x"))\n${filled}`,
  };
  const unique = {
    id: "0003",
    down: "0002",
    upgrade: 'op.create_unique_constraint("one_city", "users", ["city"])',
    downgrade: 'op.drop_constraint("one_city", "users")',
  };
  for (const revision of [added, unique]) repository.write(fileOf(revision), textOf(revision));
  repository.commit();
  const { report } = await judge({ cwd: made.path, args });
  expect(blames(report).filter((blame) => blame.includes("fail"))).toEqual([`${expected} 0003`]);
});

test("values that are too large to be compared are not proved to stay", async () => {
  const { project: made, repository } = await project({
    revisions: [users],
    files: {
      "seed.sql": `INSERT INTO users SELECT i, string_agg(md5((i * 1000000 + j)::text), '')
        FROM generate_series(1, 20) i, generate_series(1, 80000) j GROUP BY i;`,
    },
  });
  await using _ = made;
  const revision = {
    ...city,
    upgrade: "",
    downgrade: 'op.drop_column("users", "name")\nop.add_column("users", sa.Column("name", sa.Text))',
  };
  repository.write(fileOf(revision), textOf(revision));
  repository.commit();
  const { code, report } = await judge({
    cwd: made.path,
    args: [...args, "--seed", "seed.sql", "--require", "deploy-lane"],
  });
  expect({ code, lane: report.deployLane, findings: blames(report) }).toMatchObject({
    code: 1,
    lane: {
      status: "not proved",
      reason: expect.stringMatching(/^the values of public\.users were not compared: /),
      tables: { filled: 1, all: 1, unfilled: [] },
    },
    findings: ["error deploy-lane-not-proved -"],
  });
});
