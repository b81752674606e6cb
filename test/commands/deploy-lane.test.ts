import { expect, test } from "vitest";
import { blames, judge, runCheck } from "../support/gate";
import { repositoryIn } from "../support/git";
import { alembicFiles, alembicProject, type Project, type RevisionSource } from "../support/project";

const landed: RevisionSource[] = [
  {
    id: "0001",
    down: null,
    upgrade: `op.create_table("tenants", sa.Column("id", sa.Integer, primary_key=True), sa.Column("slug", sa.Text, nullable=False))
op.execute("INSERT INTO tenants (id, slug) VALUES (1, 'default')")`,
    downgrade: 'op.drop_table("tenants")',
  },
  {
    id: "0002",
    down: "0001",
    upgrade: `op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("nickname", sa.String(80)),
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False))`,
    downgrade: 'op.drop_table("users")',
  },
];

/** The landed revisions on main, and these on top of them. */
async function changed(...revisions: RevisionSource[]): Promise<Project> {
  const project = await alembicProject({ revisions: landed });
  const repository = repositoryIn(project.path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  for (const [file, text] of Object.entries(alembicFiles({ revisions })))
    if (file.includes("/versions/")) repository.write(file, text);
  repository.commit();
  return project;
}

const args = ["--base", "main"];

test("a change that keeps what is there is proved on a database with history and rows", async () => {
  await using project = await changed({
    id: "0003",
    down: "0002",
    upgrade:
      'op.add_column("users", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))',
    downgrade: 'op.drop_column("users", "active")',
  });
  const { code, report } = await judge({ cwd: project.path, args });
  const { steps, start, ...lane } = report.deployLane ?? {};
  expect({ code, findings: blames(report), lane }).toEqual({
    code: 0,
    findings: [],
    lane: {
      status: "proved",
      kept: expect.any(Boolean),
      rows: "hostile",
      tables: { filled: 1, all: 1, unfilled: [] },
    },
  });
  expect(start?.heads).toEqual(["0002"]);
  expect(steps?.map(({ revision, direction, status }) => `${revision} ${direction} ${status}`)).toEqual([
    "0003 upgrade proved",
    "0003 downgrade proved",
  ]);
});

test("the revision among several that loses rows is found step by step", async () => {
  await using project = await changed(
    {
      id: "0003",
      down: "0002",
      upgrade: 'op.add_column("users", sa.Column("active", sa.Boolean))',
      downgrade: 'op.drop_column("users", "active")',
    },
    { id: "0004", down: "0003", upgrade: "", downgrade: 'op.execute("DELETE FROM tenants")' },
    {
      id: "0005",
      down: "0004",
      upgrade: 'op.add_column("users", sa.Column("city", sa.Text))',
      downgrade: 'op.drop_column("users", "city")',
    },
  );
  const { code, report } = await judge({ cwd: project.path, args });
  expect({ code, findings: blames(report).filter((blame) => !blame.startsWith("note")) }).toEqual({
    code: 1,
    findings: [
      "error downgrade-loses-data 0004 table public.tenants",
      "error downgrade-loses-data 0004 table public.users",
    ],
  });
});

test("an edit by which both texts lead to the same schema says so, stays an error, and a reason can allow it", async () => {
  const edited: RevisionSource = {
    ...landed[0]!,
    upgrade: `op.execute("CREATE TABLE tenants (id serial PRIMARY KEY, slug text NOT NULL)")
op.execute("INSERT INTO tenants (id, slug) VALUES (1, 'main')")`,
  };
  await using project = await changed(edited);
  const { code, report } = await judge({ cwd: project.path, args });
  expect({ code, findings: blames(report) }).toEqual({ code: 1, findings: ["error revision-edited 0001"] });
  expect(report.findings[0]?.seen.split("\n").slice(1)).toEqual([
    "Both texts were run: a database that has it and an empty one end with the same schema. What either wrote into rows was not compared.",
  ]);
  const repository = repositoryIn(project.path);
  repository.write(
    "migration-gate.yml",
    'accept: [{ rule: revision-edited, revision: "0001", because: both lead to the same schema }]\n',
  );
  const accepted = await judge({ cwd: project.path, args });
  expect({ code: accepted.code, findings: blames(accepted.report) }).toEqual({ code: 0, findings: [] });
  const other = { ...edited, upgrade: edited.upgrade.replace("slug text", "slug varchar(9)") };
  repository.write(
    "migrations/versions/0001.py",
    alembicFiles({ revisions: [other] })["migrations/versions/0001.py"],
  );
  const differs = await judge({ cwd: project.path, args });
  expect(
    differs.report.findings
      .find(({ rule }) => rule === "revision-edited")
      ?.seen.split("\n")
      .slice(1),
  ).toEqual([
    "A database with the base's history has another column public.tenants.slug than an empty database gets.",
  ]);
});

test("what the lane could not tell is said first, and can be required", async () => {
  await using project = await changed({ id: "0003", down: "0002", upgrade: "", downgrade: "" });
  const broken = ["--seed", "missing.sql", ...args];
  const { code, stdout } = await runCheck({ cwd: project.path, args: broken });
  const [told] = stdout.split("\n").filter((line) => line.startsWith("Deploy lane"));
  expect({ code, told }).toEqual({
    code: 0,
    told: expect.stringMatching(/^Deploy lane: not proved \(settings\): .*missing\.sql.* is not known\.$/),
  });
  expect(stdout.indexOf("Deploy lane: not proved")).toBeLessThan(stdout.indexOf("under judgement"));
  const required = await judge({ cwd: project.path, args: [...broken, "--require", "deploy-lane"] });
  expect({ code: required.code, findings: blames(required.report) }).toEqual({
    code: 1,
    findings: ["error deploy-lane-not-proved -"],
  });
});

test("it can be turned off", async () => {
  await using project = await changed({ id: "0003", down: "0002", upgrade: "", downgrade: "" });
  const { report } = await judge({ cwd: project.path, args: [...args, "--deploy-lane", "off"] });
  for (const [reason, more] of [
    ["turned off", [...args, "--deploy-lane", "off"]],
    ["no base", []],
  ] as const) {
    const required = await judge({ cwd: project.path, args: [...more, "--require", "deploy-lane"] });
    expect([required.code, blames(required.report), required.report.findings[0]?.seen]).toEqual([
      1,
      ["error deploy-lane-not-proved -"],
      expect.stringContaining(reason),
    ]);
  }
  expect([report.deployLane, Object.keys(report.timings).includes("deploy lane")]).toEqual([
    undefined,
    false,
  ]);
});

test("a tool that does not arrive is told as without the lane", async () => {
  await using project = await changed({ id: "0003", down: "0002", upgrade: "", downgrade: "" });
  repositoryIn(project.path).write("migrations/env.py", "import not_there");
  const { code, stderr } = await runCheck({ cwd: project.path, args });
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: .*not_there/) });
});

test("a SQL file of rows that the base does not have yet is the change's own", async () => {
  await using project = await changed({
    id: "0003",
    down: "0002",
    upgrade: "op.execute(\"ALTER TABLE users ADD CHECK (nickname <> 'odd')\")",
    downgrade: 'op.execute("ALTER TABLE users DROP CONSTRAINT users_nickname_check")',
  });
  repositoryIn(project.path).write(
    "rows.sql",
    "INSERT INTO users (id, nickname, tenant_id) VALUES (1, 'odd', 1)",
  );
  const { report } = await judge({ cwd: project.path, args: [...args, "--seed", "rows.sql"] });
  const seen = report.findings.find(({ rule }) => rule.startsWith("fails-on"))?.seen;
  expect(seen).toContain("users_nickname_check");
  expect(seen).toContain("\nRow: id = 1, nickname = odd, tenant_id = 1\n");
});

test("the row that did it is shown where the server tells none, without what is secret", async () => {
  await using project = await alembicProject({
    revisions: [
      ...landed,
      {
        id: "0003",
        down: "0002",
        upgrade:
          'op.execute("ALTER TABLE users ADD COLUMN level int, ADD COLUMN api_token text, ADD note text")',
        downgrade: 'op.execute("ALTER TABLE users DROP COLUMN level, DROP COLUMN api_token, DROP note")',
      },
    ],
  });
  const repository = repositoryIn(project.path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  const change: RevisionSource = {
    id: "0004",
    down: "0003",
    upgrade: 'op.alter_column("users", "level", nullable=False)',
    downgrade: 'op.alter_column("users", "level", nullable=True)',
  };
  for (const [file, text] of Object.entries(alembicFiles({ revisions: [change] })))
    if (file.includes("/versions/")) repository.write(file, text);
  repository.commit();
  repositoryIn(project.path).write(
    "rows.sql",
    "INSERT INTO users (id, nickname, tenant_id, api_token) VALUES (7, E'two\\nlines', 1, 'nobody-sees-this')",
  );
  const { report } = await judge({ cwd: project.path, args: [...args, "--seed", "rows.sql"] });
  const [finding] = report.findings.filter(({ rule }) => rule.includes("fail"));
  expect([finding?.revision, finding?.seen?.split("\n").find((line) => line.startsWith("Row: "))]).toEqual([
    "0004",
    "Row: id = 7, level = NULL, nickname = two lines, tenant_id = 1, note = NULL",
  ]);
  expect(JSON.stringify(report)).not.toContain("nobody-sees-this");
});

test("many rows of the project's own that pass make it a note", async () => {
  await using project = await changed({
    id: "0003",
    down: "0002",
    upgrade: `with op.get_context().autocommit_block():
    op.create_index("users_nickname", "users", ["nickname"], unique=True, postgresql_concurrently=True)`,
    downgrade: `with op.get_context().autocommit_block():
    op.drop_index("users_nickname", postgresql_concurrently=True)`,
  });
  const found = async (...more: string[]) => {
    const { report } = await judge({ cwd: project.path, args: [...args, ...more] });
    return report.findings.filter(({ rule }) => rule === "may-fail-on-rows").map(({ severity }) => severity);
  };
  repositoryIn(project.path).write(
    "rows.sql",
    "INSERT INTO users (id, nickname, tenant_id) SELECT n, 'user ' || n, 1 FROM generate_series(1, 200) n",
  );
  expect([await found(), await found("--seed", "rows.sql")]).toEqual([["warning"], ["note"]]);
});

test("a kept base is not taken for another environment's", async () => {
  await using project = await changed({ id: "0003", down: "0002", upgrade: "", downgrade: "" });
  const run = async (tenant: string) => {
    const { report } = await judge({ cwd: project.path, args, env: { TENANT: tenant } });
    return report.deployLane?.kept;
  };
  const tenant = `t${process.pid}${Date.now()}`;
  expect([await run(tenant), await run(tenant), await run(`${tenant}b`)]).toEqual([false, true, false]);
});
