import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testClient, testServer } from "../support/database";
import { blames, lintOff, runCheck } from "../support/gate";
import { checkoutOf } from "./checkout";
import { landed, project, revision, revisionFiles, toldBy } from "./shape";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Production: a database with what these statements made. */
async function production(statements: readonly string[]): Promise<Address> {
  const { address } = await server.database("production");
  await using session = await testClient(address);
  const { client }: { client: Client } = session;
  for (const statement of statements) await client.query(statement);
  return address;
}

const versionTable = (...ids: readonly string[]) => [
  "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
  ...ids.map((id) => `INSERT INTO alembic_version VALUES ('${id}')`),
];
const tables = [
  "CREATE TABLE tenants (id int PRIMARY KEY, slug varchar(60) NOT NULL)",
  "CREATE TABLE users (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, email varchar(120) NOT NULL, nickname varchar(80), plan text NOT NULL DEFAULT 'free', note text)",
  "INSERT INTO tenants VALUES (1, 'one')",
];

const column = (id: string, down: string) =>
  revision(
    id,
    down,
    `op.add_column("users", sa.Column("c_${id}", sa.Text))`,
    `op.drop_column("users", "c_${id}")`,
  );
/** Its downgrade deletes what users have. */
const deletes = (id: string, down: string) =>
  revision(
    id,
    down,
    `op.add_column("users", sa.Column("c_${id}", sa.Text))`,
    `op.drop_column("users", "c_${id}")\nop.execute("DELETE FROM users")`,
  );
const quiet = (revisions = landed) => ({ ...project(revisions), ...lintOff });

describe("where the lane begins", () => {
  const three = [...landed, column("0003", "0002")];

  test("a revision, two versions below the change", async () => {
    await using checkout = await checkoutOf(quiet(three), revisionFiles(deletes("0004", "0003")));
    const end = await checkout.check(["--from", "0002"]);
    expect(toldBy(end)).toMatchObject({
      code: 1,
      findings: ["error downgrade-loses-data 0004 table public.users"],
    });
    expect(end.report.deployLane).toMatchObject({
      start: { from: "revision 0002", heads: ["0002"] },
    });
    expect(end.report.deployLane?.steps.map((step) => `${step.revision} ${step.direction}`)).toEqual([
      "0003 upgrade",
      "0003 downgrade",
      "0004 upgrade",
      "0004 downgrade",
    ]);
  });

  test("a tag, whose files build the base; and what is neither", async () => {
    await using checkout = await checkoutOf(quiet(), revisionFiles(column("0003", "0002")));
    const { repository, check, project: made } = checkout;
    repository.git("tag", "v1.0");
    for (const [file, text] of Object.entries(revisionFiles(deletes("0004", "0003"))))
      repository.write(file, text);
    repository.commit("next");
    const end = await check(["--from", "v1.0"]);
    expect(end.report.deployLane?.start).toMatchObject({
      from: expect.stringMatching(/^v1\.0 \(/),
      heads: ["0003"],
    });
    expect(toldBy(end).findings).toEqual(["error downgrade-loses-data 0004 table public.users"]);
    const wrong = await runCheck({ cwd: made.path, args: ["--base", "main", "--from", "v1.1"] });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('The setting from names "v1.1", which is neither a revision');
  });

  test("production's version table, two versions behind", async () => {
    const address = await production([...tables.slice(0, 1), ...versionTable("0001")]);
    await using checkout = await checkoutOf(quiet(three), revisionFiles(deletes("0004", "0003")));
    const end = await checkout.check(["--from-env", "PRODUCTION"], { PRODUCTION: urlOf(address) });
    expect(end.report.deployLane?.start?.heads).toEqual(["0001"]);
    expect(end.report.deployLane?.start?.from).toContain("0001, read at ");
    expect(end.report.deployLane?.steps).toHaveLength(6);
    expect(JSON.stringify(end.report)).not.toContain(address.password ?? "no password");
  });

  test("what a landed revision does to production's rows is told as well", async () => {
    const required = revision(
      "0003",
      "0002",
      'op.add_column("users", sa.Column("role", sa.Text, nullable=False))',
      'op.drop_column("users", "role")',
    );
    await using checkout = await checkoutOf(
      quiet([...landed, required]),
      revisionFiles(column("0004", "0003")),
    );
    const end = await checkout.check(["--from", "0002"]);
    expect(toldBy(end)).toMatchObject({ code: 1, findings: ["error fails-on-rows 0003"], lane: "failed" });
  });

  test("an empty database", async () => {
    const address = await production([]);
    await using checkout = await checkoutOf(quiet(), revisionFiles(deletes("0003", "0002")));
    const { report, code } = await checkout.check(["--from-env", "PRODUCTION"], {
      PRODUCTION: urlOf(address),
    });
    expect({ code, ...report.deployLane }).toMatchObject({
      code: 0,
      status: "skipped",
      reason: expect.stringContaining("nothing is deployed yet"),
    });
  });

  test("a database that cannot be reached, and a variable that is not set", async () => {
    await using checkout = await checkoutOf(quiet(), revisionFiles(column("0003", "0002")));
    const cwd = checkout.project.path;
    const args = ["--base", "main", "--from-env", "PRODUCTION"];
    const gone = await runCheck({
      cwd,
      args,
      env: { PRODUCTION: urlOf({ ...server.address, port: 1, password: "hunter2" }) },
    });
    expect(gone.code).toBe(2);
    expect(gone.stderr).toContain("127.0.0.1:1");
    expect(gone.stderr + gone.stdout).not.toContain("hunter2");
    const unset = await runCheck({ cwd, args });
    expect([unset.code, unset.stderr]).toEqual([2, expect.stringContaining("PRODUCTION is not set")]);
  });
});

const notNull = revisionFiles(
  revision(
    "0003",
    "0002",
    'op.alter_column("users", "nickname", nullable=False)',
    'op.alter_column("users", "nickname", nullable=True)',
  ),
);
const withNull = "INSERT INTO users VALUES (1, 1, 'a@b.example', NULL)";
const withName = "INSERT INTO users VALUES (1, 1, 'a@b.example', 'al')";

interface Asked {
  readonly statements: readonly string[];
  /** What a role of its own may do; the owner asks where it is not given. */
  readonly grants?: readonly string[];
  readonly finding: string;
  readonly tells: string;
}

const asked: Readonly<Record<string, Asked>> = {
  "rows on which it fails": {
    statements: [...tables, withNull],
    finding: "error may-fail-on-rows 0003",
    tells: "1 such row.",
  },
  "no such rows": {
    statements: [...tables, withName],
    finding: "note may-fail-on-rows 0003",
    tells: "no such rows.",
  },
  "a role that may only read": {
    statements: [...tables, withNull],
    grants: ["GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"],
    finding: "error may-fail-on-rows 0003",
    tells: "1 such row.",
  },
  "a role that may not even read": {
    statements: [...tables, withNull],
    grants: [],
    finding: "warning may-fail-on-rows 0003",
    tells: "permission denied",
  },
};

describe("what production's rows say to a warning", () => {
  test.each(Object.entries(asked))("%s", async (_, { statements, grants, finding, tells }) => {
    let address = await production(statements);
    if (grants !== undefined) {
      await using session = await testClient(address);
      const role = [
        "DROP OWNED BY reader",
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN PASSWORD 'only-reads'",
      ];
      for (const statement of role) await session.client.query(statement).catch(() => undefined);
      await session.client.query("REVOKE ALL ON SCHEMA public FROM reader");
      for (const statement of grants) await session.client.query(statement);
      address = { ...address, user: "reader", password: "only-reads" };
    }
    await using checkout = await checkoutOf(quiet(), notNull);
    const end = await checkout.check(["--verify-on-env", "PRODUCTION"], { PRODUCTION: urlOf(address) });
    expect(blames(end.report)).toEqual([finding]);
    const [settled] = end.report.findings.filter(({ suppressed }) => !suppressed);
    expect(end.code).toBe(finding.startsWith("error") ? 1 : 0);
    expect(settled?.seen).toContain(tells);
    expect(end.stdout + end.stderr).not.toContain("only-reads");
  });

  test("a database that cannot be reached settles nothing", async () => {
    await using checkout = await checkoutOf(quiet(), notNull);
    const address = { ...server.address, port: 1, password: "hunter2" };
    const end = await checkout.check(["--verify-on-env", "PRODUCTION"], { PRODUCTION: urlOf(address) });
    expect([end.code, blames(end.report)]).toEqual([0, ["warning may-fail-on-rows 0003"]]);
    expect(end.stdout + end.stderr).not.toContain("hunter2");
  });
});

describe("rows of one's own", () => {
  const files = {
    ...quiet(),
    "rows.sql":
      "INSERT INTO tenants VALUES (42, 'ours');\nINSERT INTO users (id, tenant_id, email) VALUES (4242, 42, 'ours@b.example');\n",
    "rows.py":
      'import os\nimport sqlalchemy as sa\nengine = sa.create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://"))\nwith engine.begin() as connection:\n    connection.execute(sa.text("INSERT INTO tenants VALUES (42, \'ours\')"))\n',
    "bad.sql": "INSERT INTO nowhere VALUES (1);\n",
    "bad.py": 'import sys\nsys.exit("the seed is out of order")\n',
  };
  const stopsOnOurs = revisionFiles(
    revision(
      "0003",
      "0002",
      'op.create_check_constraint("not_ours", "tenants", "slug <> \'ours\'")',
      'op.drop_constraint("not_ours", "tenants")',
    ),
  );

  test.each(["rows.sql", "python rows.py"])("%s is put in before the tables are filled", async (seed) => {
    await using checkout = await checkoutOf(files, stopsOnOurs);
    const without = await checkout.check();
    expect(toldBy(without)).toMatchObject({ code: 0, findings: [], lane: "proved" });
    const end = await checkout.check(["--seed", seed]);
    expect(toldBy(end)).toMatchObject({ code: 1, findings: ["error fails-on-rows 0003"] });
  });

  test.each([
    ["bad.sql", 'relation "nowhere" does not exist'],
    ["python bad.py", "the seed is out of order"],
    ["gone.sql", "gone.sql"],
  ])("%s fails, and the lane says why", async (seed, reason) => {
    await using checkout = await checkoutOf(files, stopsOnOurs);
    const end = await checkout.check(["--seed", seed]);
    expect(toldBy(end)).toEqual({
      code: 0,
      findings: [],
      notes: ["note deploy-lane-not-proved -"],
      lane: "not proved",
    });
    expect(end.report.deployLane).toMatchObject({
      cause: "settings",
      reason: expect.stringContaining(reason),
    });
    expect(end.report.deployLane?.reason).toContain("seed");
  });
});
