import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { ask } from "../deploy/deployed";
import {
  alembicBindsFiles,
  type BindRevision,
  type BindSource,
  bindsFiles,
  nothing,
  tableOf,
} from "../support/binds-project";
import { type TestServer, testServer } from "../support/database";
import { blames, judge, lintOff, openSteps, runCheck } from "../support/gate";
import { repositoryIn } from "../support/git";
import { writeProject } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const users = ["--bind-url-env", "users=USERS_DATABASE_URL"];
const one: BindRevision = {
  id: "a1",
  down: null,
  binds: { "": tableOf("orders"), users: tableOf("people") },
};
const second = (own: BindSource, ofUsers: BindSource): BindRevision => ({
  id: "b2",
  down: "a1",
  binds: { "": own, users: ofUsers },
});

interface Judged {
  readonly revisions: readonly BindRevision[];
  readonly bind: string;
}

async function judged({ revisions, bind }: Judged) {
  await using project = await writeProject({ ...bindsFiles(revisions), ...lintOff });
  const words = ["--bind", bind, ...users, "--shadow-url", urlOf(server.address)];
  const { code, report } = await judge({ cwd: project.path, args: words });
  return { code, report, findings: blames(report), open: openSteps(report) };
}

describe.concurrent("check judges one of two databases", () => {
  test("what a downgrade leaves or refuses is named in its database, and is nothing to the other", async () => {
    const refuses = 'raise NotImplementedError("the marks would be lost")';
    const third = {
      id: "c3",
      down: "b2",
      binds: { "": tableOf("offers"), users: tableOf("marks", refuses) },
    };
    const revisions = [one, second(tableOf("invoices"), tableOf("logins", "pass")), third];
    expect(await judged({ revisions, bind: "default" })).toMatchObject({ code: 0, findings: [], open: [] });
    const { report, ...seen } = await judged({ revisions, bind: "users" });
    expect(seen).toEqual({
      code: 1,
      findings: ["error downgrade-leaves-residue b2 table public.logins"],
      open: [
        "b2 downgrade: failed, it does not restore the schema",
        "c3 downgrade: skipped, irreversible: the marks would be lost",
      ],
    });
    const [finding] = report.findings;
    expect([report.bind, finding?.where]).toEqual(["users", "revision b2, downgrade, database users"]);
    const text = bindsFiles(revisions)["migrations/versions/b2.py"]?.split("\n");
    expect(text?.[(finding?.line ?? 0) - 1]).toMatch(/^def downgrade_users|op\.create_table\("logins"/);
  });

  test("nothing runs in the other one, also where branches are merged", async () => {
    const fails = { up: 'op.execute("SELECT 1/0")', down: 'op.execute("SELECT 1/0")' };
    const revision = (id: string, down: BindRevision["down"]): BindRevision => ({
      id,
      down,
      binds: { "": tableOf(`t_${id}`), users: fails },
    });
    // Ids that begin as the tool's own words do.
    const revisions = [
      revision("base1", null),
      revision("b2", "base1"),
      revision("c3", "base1"),
      revision("head4", ["b2", "c3"]),
    ];
    expect(await judged({ revisions, bind: "default" })).toMatchObject({ code: 0, findings: [], open: [] });
  });

  test("on rows that its own base has", async () => {
    const column = {
      up: 'op.add_column("people", sa.Column("age", sa.Integer, nullable=False))',
      down: 'op.drop_column("people", "age")',
    };
    await using project = await writeProject({ ...bindsFiles([one]), ...lintOff });
    const repository = repositoryIn(project.path);
    const base = repository.commit();
    const change = Object.entries(bindsFiles([one, second(tableOf("invoices"), column)]));
    for (const [file, text] of change) repository.write(file, text);
    repository.commit();
    const words = [...users, "--base", base, "--shadow-url", urlOf(server.address)];
    const own = await judge({ cwd: project.path, args: words });
    expect([own.code, blames(own.report), own.report.deployLane?.status]).toEqual([0, [], "proved"]);
    const theirs = await judge({ cwd: project.path, args: [...words, "--bind", "users"] });
    expect([theirs.code, blames(theirs.report)]).toEqual([1, ["error fails-on-rows b2"]]);
  });

  test("a database that the base does not have yet", async () => {
    await using project = await writeProject({
      ...bindsFiles([{ id: "a1", down: null, binds: { "": tableOf("orders") } }]),
      ...lintOff,
    });
    const repository = repositoryIn(project.path);
    const base = repository.commit();
    const change = bindsFiles([
      { ...one, binds: { ...one.binds, users: nothing } },
      second(nothing, tableOf("people")),
    ]);
    for (const [file, text] of Object.entries(change)) repository.write(file, text);
    repository.commit();
    const words = [...users, "--bind", "users", "--base", base, "--shadow-url", urlOf(server.address)];
    const { report } = await judge({ cwd: project.path, args: words });
    expect(report.deployLane).toMatchObject({
      status: "skipped",
      reason: 'the base has no database "users": nothing is deployed there yet',
    });
    expect(openSteps(report)).toEqual([]);
  });
});

describe.concurrent("no database is touched that was not given", () => {
  test("a variable that nobody named: nothing is run, and the line to write is told", async () => {
    await using project = await writeProject(bindsFiles([one]));
    const { code, report } = await judge({ cwd: project.path });
    expect([code, blames(report)]).toEqual([1, ["error not-proved -"]]);
    expect(report.findings[0]).toMatchObject({
      seen: 'Nothing was run: nothing says which variable has the address of "users".',
      do: "Set bind-url-env to the variables that the project reads, one line a database: users=USERS_DATABASE_URL",
    });
  });

  test.each(["auto", "off"])("an address that the app has of its own, isolation %s", async (isolation) => {
    await using real = await server.database();
    const { "app.py": app = "", ...files } = bindsFiles([one]);
    await using project = await writeProject({
      ...files,
      "app.py": app.replace('uri("USERS_DATABASE_URL")', `"${urlOf(real.address, "postgresql+psycopg")}"`),
    });
    const args = [...users, "--isolation", isolation, "--shadow-url", urlOf(server.address)];
    const end = await runCheck({ cwd: project.path, args });
    expect(end.code).toBe(2);
    expect(end.stderr).toContain(
      '"flask db current" did not connect to the shadow of the database "users", so nothing was upgraded or downgraded.',
    );
    expect(end.stderr).toContain("Set bind-url-env to the variable that the app");
    expect(await ask(real.address, "select relname from pg_class where relname = 'alembic_version'")).toEqual(
      [],
    );
  });

  test("a version table of another name is asked for", async () => {
    const { "app.py": app = "", ...files } = bindsFiles([one]);
    const named = {
      ...files,
      "app.py": app.replace("Migrate(app, db)", 'Migrate(app, db, version_table="own versions")'),
    };
    await using project = await writeProject({ ...named, ...lintOff });
    const args = [...users, "--shadow-url", urlOf(server.address)];
    const end = await runCheck({ cwd: project.path, args });
    expect([end.code, end.stderr]).toEqual([2, expect.stringContaining("Set version-table: own versions")]);
    const told = await judge({ cwd: project.path, args: [...args, "--version-table", "own versions"] });
    expect([told.code, openSteps(told.report)]).toEqual([0, []]);
  });
});

test("no shadow of theirs is left on a given server", async () => {
  expect(await ask(server.address, "select datname from pg_database where datname like '%_bind_%'")).toEqual(
    [],
  );
});

describe.concurrent("Alembic's template for several databases", () => {
  const revisions: readonly BindRevision[] = [
    { id: "a1", down: null, binds: { main: tableOf("orders"), audit: tableOf("events", "pass") } },
  ];
  const both = ["--bind-url-env", "main=MAIN_DATABASE_URL", "--bind-url-env", "audit=AUDIT_DATABASE_URL"];

  test("asks which, and judges that one", async () => {
    await using project = await writeProject({ ...alembicBindsFiles(revisions), ...lintOff });
    const open = await judge({ cwd: project.path, args: both });
    expect([open.code, blames(open.report)]).toEqual([1, ["error not-proved -"]]);
    expect(open.report.findings[0]?.do).toContain("bind: [main, audit]");
    const args = [...both, "--shadow-url", urlOf(server.address), "--bind"];
    const main = await judge({ cwd: project.path, args: [...args, "main"] });
    expect([main.code, openSteps(main.report)]).toEqual([0, []]);
    const audit = await judge({ cwd: project.path, args: [...args, "audit"] });
    expect([audit.code, blames(audit.report)]).toEqual([
      1,
      ["error downgrade-leaves-residue a1 table public.events"],
    ]);
  });
});
