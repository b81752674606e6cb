import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { status } from "../../src/commands/status";
import { urlOf } from "../../src/databases/postgres/connection";
import { UserError } from "../../src/errors";
import type { DeployPlan, DeployReport } from "../../src/model/deployment";
import { readSettings } from "../../src/project/read-settings";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type BindRevision, type BindSource, bindsFiles, nothing, tableOf } from "../support/binds-project";
import { type TestServer, testClient, testServer } from "../support/database";
import { startGate } from "../support/gate";
import { type Project, type ProjectFiles, withPython, writeProject } from "../support/project";
import { ask, deploy, hasSaid, noted, records, refusal, reportOf, startDeploy, tables } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const users = ["--bind-url-env", "users=USERS_DATABASE_URL"];
const second = (ofUsers: BindSource, before = tableOf("people")): readonly BindRevision[] => [
  { id: "a1", down: null, binds: { "": tableOf("orders"), users: before } },
  { id: "b2", down: "a1", binds: { "": tableOf("invoices"), users: ofUsers } },
];

/** A project, its two databases, and the variables of both. */
class Place implements AsyncDisposable {
  private constructor(
    readonly project: Project,
    readonly main: ShadowDatabase,
    readonly users: ShadowDatabase,
  ) {}

  static async open(
    ofUsers: BindSource = tableOf("logins"),
    { before, files }: { before?: BindSource; files?: ProjectFiles } = {},
  ): Promise<Place> {
    const project = await writeProject(bindsFiles(second(ofUsers, before), files));
    return new Place(project, await server.database("main"), await server.database("users"));
  }

  get env() {
    return { DATABASE_URL: urlOf(this.main.address), USERS_DATABASE_URL: urlOf(this.users.address) };
  }

  start(args: readonly string[], command: "apply" | "rollback" = "apply") {
    const options = { args: [...users, ...args], env: this.env };
    return startDeploy(command, this.project, this.main.address, options);
  }

  deploy(args: readonly string[] = []) {
    return deploy("apply", this.project, this.main.address, { args: [...users, ...args], env: this.env });
  }

  async status(bind: string) {
    const words = ["--working-directory", this.project.path, ...users, "--bind", bind];
    const { state, heads, database } = await status({
      settings: readSettings(words, {}),
      environment: { ...withPython(), ...this.env },
    });
    return [database.name, state, heads.database];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]();
    await this.main[Symbol.asyncDispose]();
    await this.users[Symbol.asyncDispose]();
  }
}

const accept = [
  "--accept-loss",
  "default: table public.invoices",
  "--accept-loss",
  "users: table public.logins",
];

/** An environment that commits each database before it goes on to the next one. */
const oneByOne = (...names: readonly string[]): ProjectFiles => environmentFor(names);

/** A driver that takes neither a name nor options from outside. */
const deafDriver = environmentFor(
  ["users", ""],
  '{"application_name": "shop", "options": "-c lock_timeout=0"}',
);

function environmentFor(names: readonly string[], connectArgs = "{}"): ProjectFiles {
  return {
    "migrations/env.py": `import os
from alembic import context
from sqlalchemy import create_engine

for name in ${JSON.stringify(names)}:
    variable = name.upper() + "_DATABASE_URL" if name else "DATABASE_URL"
    engine = create_engine(os.environ[variable].replace("postgresql:", "postgresql+psycopg:"), connect_args=${connectArgs})
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations(engine_name=name)
`,
  };
}

describe.concurrent("several databases", () => {
  test("each has its status; apply of one migrates all, and verifies each by its own version table", async () => {
    await using place = await Place.open();
    const { main, users: theirs } = place;
    expect(await place.status("users")).toEqual([theirs.name, "first install", []]);
    const { code, report, stderr } = await place.deploy();
    expect([code, report.state, report.bind, report.heads.after], stderr).toEqual([
      0,
      "at target",
      "default",
      ["b2"],
    ]);
    expect(report.others).toMatchObject([
      { bind: "users", state: "at target", heads: { before: [], goal: ["b2"], after: ["b2"] } },
    ]);
    expect(records(place.project)).toMatchObject([{ others: [{ bind: "users", state: "at target" }] }]);
    expect([await tables(main.address), await tables(theirs.address)]).toEqual([
      ["alembic_version", "invoices", "orders"],
      ["alembic_version", "logins", "people"],
    ]);
    expect(await place.status("default")).toEqual([main.name, "up to date", ["b2"]]);
    expect(await place.status("users")).toEqual([theirs.name, "up to date", ["b2"]]);
    expect((await place.deploy(["--bind", "users"])).report).toMatchObject({
      outcome: "nothing to do",
      bind: "users",
      database: { name: theirs.name },
    });
  });

  test("only one is behind: apply of the other refuses, apply of that one mends it, with a backup of it", async () => {
    await using place = await Place.open();
    const { main, users: theirs } = place;
    await place.deploy(["--to", "a1"]);
    await ask(main.address, "create table invoices (id int primary key)");
    await ask(main.address, "update alembic_version set version_num = 'b2'");
    const options = { args: users, env: place.env };
    expect(await refusal("apply", place.project, main.address, options)).toMatchObject({
      what: 'Nothing is pending in the database that was asked for, and in another one b2 is: "users".',
      do: "Apply them there: migration-gate apply --bind users",
    });
    const { code, report, stderr } = await place.deploy(["--bind", "users"]);
    expect([code, report.state, report.database.name, report.heads.after], stderr).toEqual([
      0,
      "at target",
      theirs.name,
      ["b2"],
    ]);
    expect(report.others).toMatchObject([{ bind: "default", state: "at target" }]);
    expect(report.others?.[0]?.backup ?? undefined).toBeUndefined();
  });

  test("a revision that fails in one leaves both as they were", async () => {
    await using place = await Place.open({ up: 'op.execute("SELECT 1/0")', down: "" });
    const { code, report } = await place.deploy();
    expect([code, report.state, report.others?.[0]?.state]).toEqual([2, "unchanged", "unchanged"]);
    expect(report.problems[0]?.what).toMatch(/^Revision b2 failed: /);
    expect([await tables(place.main.address), await tables(place.users.address)]).toEqual([[], []]);
  });

  test("one that is committed while the other is not: that is told, and apply of that one goes on from there", async () => {
    // A deferred constraint stops the COMMIT of the second database, when the first one's is done.
    const deferred = [
      'op.execute("CREATE TABLE logins (id int PRIMARY KEY, next int REFERENCES logins DEFERRABLE INITIALLY DEFERRED)")',
      'op.execute("INSERT INTO logins SELECT 1, 2 WHERE EXISTS (SELECT FROM people)")',
    ].join("\n");
    await using place = await Place.open({ up: deferred, down: 'op.drop_table("logins")' });
    await place.deploy(["--to", "a1"]);
    await ask(place.users.address, "insert into people values (1)");
    const { code, report } = await place.deploy();
    expect([code, report.state, report.outcome]).toEqual([1, "partly applied", "failed"]);
    expect(report.problems[0]).toMatchObject({
      what: "Another database of the project is not where it was to be.",
      seen: '"users" is at a1',
      do: "Mend what stopped it. Then: migration-gate apply --bind users",
    });
    expect(report.next).toEqual(["migration-gate status"]);
    expect([await place.status("default"), await place.status("users")]).toEqual([
      [place.main.name, "up to date", ["b2"]],
      [place.users.name, "pending", ["a1"]],
    ]);
    await ask(place.users.address, "delete from people");
    const again = await place.deploy(["--bind", "users"]);
    expect([again.code, again.report.state], again.stderr).toEqual([0, "at target"]);
  });

  test("both are backed up where both are written", async () => {
    await using place = await Place.open();
    const env = { ...place.env, MIGRATION_GATE_BACKUP_DIRECTORY: `${place.project.path}/kept` };
    const { ended } = await startDeploy("apply", place.project, place.main.address, {
      args: [...users, "--backup", "dump"],
      env,
    });
    const end = await ended;
    const report = reportOf<DeployReport>(end);
    expect([end.code, report.backup?.kind, report.others?.[0]?.backup?.kind], end.stderr).toEqual([
      0,
      "dump",
      "dump",
    ]);
    const dumps = readdirSync(`${place.project.path}/kept`).filter((name) => name.endsWith(".dump"));
    expect(dumps.map((name) => name.replace(/-\d{8}T.*/, "")).sort()).toEqual(
      [place.main.name, place.users.name].sort(),
    );
  });

  test("rollback takes the revision back in all, when what each loses is accepted", async () => {
    await using place = await Place.open();
    const { project, main, users: theirs, env } = place;
    await place.deploy();
    const options = { args: users, env };
    expect(await refusal("rollback", project, main.address, options)).toMatchObject({
      seen: "default: table public.invoices\nusers: table public.logins",
      do: expect.stringContaining("--accept-loss 'users: table public.logins'"),
    });
    const { code, report, stderr } = await deploy("rollback", project, main.address, {
      args: [...users, ...accept],
      env,
    });
    expect(
      [code, report.heads.after, report.others?.[0]?.heads.after, report.others?.[0]?.state],
      stderr,
    ).toEqual([0, ["a1"], ["a1"], "at target"]);
    expect([await tables(main.address), await tables(theirs.address)]).toEqual([
      ["alembic_version", "orders"],
      ["alembic_version", "people"],
    ]);
    await ask(theirs.address, "update alembic_version set version_num = 'b2'");
    expect((await refusal("rollback", project, main.address, options)).what).toBe(
      'The newest revision is a1 here, and another one in the database "users".',
    );
  });

  test("a rollback that one database has done is not tried again for the other, where it would go one further back", async () => {
    await using place = await Place.open(tableOf("logins"), { files: oneByOne("", "users") });
    await place.deploy();
    await using holder = await testClient(place.users.address);
    await holder.client.query("begin; lock table logins in access share mode");
    const limits = ["--lock-timeout", "1", "--lock-tries", "2"];
    const { ended } = await place.start(["--bind", "users", ...accept, ...limits], "rollback");
    const end = await ended;
    const report = reportOf<DeployReport>(end);
    expect(await ask(place.main.address, "select version_num from alembic_version")).toEqual(["a1"]);
    expect([end.code, report.state, report.tries, report.others?.[0]?.heads.after], end.stderr).toEqual([
      1,
      "partly applied",
      1,
      ["a1"],
    ]);
    expect(report.problems[0]?.do).toContain("Bring all of them to the same revision again");
  });

  test("the other one was migrated and the own one was not: only its backup is one to go back to", async () => {
    await using place = await Place.open(tableOf("logins"), { files: oneByOne("users", "") });
    await place.deploy(["--to", "a1"]);
    await ask(place.main.address, "create table invoices (id int)");
    const env = { ...place.env, MIGRATION_GATE_BACKUP_DIRECTORY: `${place.project.path}/kept` };
    const { code, report, stderr } = await deploy("apply", place.project, place.main.address, {
      args: [...users, "--backup", "dump"],
      env,
    });
    expect([code, report.state, report.others?.[0]?.state], stderr).toEqual([
      1,
      "partly applied",
      "at target",
    ]);
    expect(report.problems[0]?.do).toBe(
      "Mend what stopped it. Then run the same job again: each database goes on from where it is.",
    );
    expect(report.next).toEqual([
      "migration-gate status",
      `to go back: ${report.others?.[0]?.backup?.restore}`,
    ]);
  });

  test("an index that a build left in another database: told, with what drops it", async () => {
    const before = { up: 'op.execute("CREATE TABLE people (id int)")', down: 'op.drop_table("people")' };
    const index = "CREATE UNIQUE INDEX CONCURRENTLY people_id ON people (id)";
    const up = `with op.get_context().autocommit_block():\n    op.execute("${index}")`;
    const files = oneByOne("", "users");
    await using place = await Place.open({ up, down: 'op.drop_index("people_id")' }, { before, files });
    await place.deploy(["--to", "a1"]);
    await ask(place.users.address, "insert into people values (1), (1)");
    const { code, report, stderr } = await place.deploy();
    expect(
      [code, report.state, report.heads.after, report.others?.[0]?.state, report.others?.[0]?.heads.after],
      stderr,
    ).toEqual([1, "partly applied", ["b2"], "partly applied", ["a1"]]);
    expect(report.others?.[0]?.invalidIndexes).toEqual(["public.people_id"]);
    expect(report.problems[0]).toMatchObject({
      what: "Another database of the project is not where it was to be.",
      seen: '"users" is at a1, with an invalid index: public.people_id',
    });
    expect(report.problems.at(-1)).toMatchObject({
      what: "An invalid index was left by a build that did not end: public.people_id.",
      where: 'database "users"',
      do: expect.stringContaining("DROP INDEX CONCURRENTLY public.people_id;"),
    });
  });

  test("an index whose build was cancelled in another database is dropped there, and built at the next try", async () => {
    const before = { up: 'op.execute("CREATE TABLE people (id int)")', down: 'op.drop_table("people")' };
    // Cancelled while it waits for whoever had the table before it.
    const index = "CREATE INDEX CONCURRENTLY people_id ON people (id)";
    const up = `with op.get_context().autocommit_block():\n    op.execute("SET lock_timeout = '1s'")\n    op.execute("${index}")`;
    const files = oneByOne("users", "");
    await using place = await Place.open({ up, down: 'op.drop_index("people_id")' }, { before, files });
    await place.deploy(["--to", "a1"]);
    await using holder = await testClient(place.users.address);
    await holder.client.query("begin; insert into people values (1)");
    const gate = await place.start(["--drop-invalid-indexes", "--lock-tries", "4", "--lock-timeout", "60"]);
    await hasSaid(gate, "Dropping the invalid");
    await holder.client.query("commit");
    const end = await gate.ended;
    const report = reportOf<DeployReport>(end);
    expect([end.code, report.state, report.others?.[0]?.invalidIndexes], end.stderr).toEqual([
      0,
      "at target",
      [],
    ]);
    expect(end.stderr).toContain(
      'database "users": Dropping the invalid index public.people_id that the cancelled build left.',
    );
    expect(report.tries).toBeGreaterThan(1);
  });

  test("the lock of another database is lost between two tries: none goes on", async () => {
    await using place = await Place.open({
      up: 'op.add_column("people", sa.Column("more", sa.Integer))',
      down: 'op.drop_column("people", "more")',
    });
    await place.deploy(["--to", "a1"]);
    await using holder = await testClient(place.users.address);
    await holder.client.query("begin; lock table people in access share mode");
    const gate = await place.start(["--lock-timeout", "1", "--lock-tries", "4"]);
    let said = "";
    gate.child.stderr?.on("data", (text: string) => {
      said += text;
    });
    while (!said.includes("No lock in time")) await once(gate.child.stderr!, "data");
    await ask(
      place.users.address,
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
    const end = await gate.ended;
    const report = reportOf<DeployReport>(end);
    expect([report.state, report.problems[0]?.what], end.stderr).toEqual([
      "unchanged",
      "The lock that keeps two runs apart was lost.",
    ]);
  });

  test("what somebody else applied to another database during the backups is noticed before the start", async () => {
    await using place = await Place.open();
    const { project, env } = place;
    await place.deploy(["--to", "a1"]);
    const sink = join(project.path, "sink");
    const program = `import psycopg; psycopg.connect("${env.USERS_DATABASE_URL}", autocommit=True).execute("update alembic_version set version_num = 'b2'")`;
    writeFileSync(
      sink,
      `#!/bin/sh\ncat > /dev/null\nexec python -c '${program.replaceAll("'", `'"'"'`)}'\n`,
      {
        mode: 0o755,
      },
    );
    const words = ["apply", "--yes", "--format", "json", ...users];
    const { ended } = await startGate(
      [...words, "--backup-to", "command", "--backup-sink", `${sink} {name}`],
      { cwd: project.path, env },
    );
    const end = await ended;
    expect(JSON.parse(end.stdout), end.stderr).toMatchObject({
      error: {
        what: expect.stringMatching(/^Somebody else changed the database/),
        seen: "The version table held a1; now it holds b2.",
      },
    });
    expect(await tables(place.main.address)).not.toContain("invoices");
  });

  test("what only another database has pending, and commits by itself, is neither run twice nor told to be unchanged", async () => {
    const committed =
      'with op.get_context().autocommit_block():\n    op.execute("CREATE TABLE people (id int)")';
    const stopped = 'import sys\nprint("deadlock detected", file=sys.stderr)\nop.execute("SELECT 1/0")';
    await using place = await Place.open(
      { up: stopped, down: "" },
      { before: { up: committed, down: 'op.drop_table("people")' }, files: oneByOne("users", "") },
    );
    const { main, users: theirs } = place;
    await ask(main.address, "create table alembic_version (version_num varchar(32) primary key)");
    await ask(main.address, "insert into alembic_version values ('a1')");
    const { code, report, stderr } = await place.deploy(["--lock-tries", "2"]);
    expect([code, report.state, report.tries, report.others?.[0]?.heads.after], stderr).toEqual([
      1,
      "unknown",
      1,
      [],
    ]);
    expect(await tables(theirs.address)).toContain("people");
  });

  test.each<[string, ProjectFiles]>([
    ["that takes a name", {}],
    ["that takes none", deafDriver],
  ])(
    "a tool that is over its time has no session left in another database either, by a driver %s",
    async (_, files) => {
      await using place = await Place.open({ up: 'op.execute("SELECT pg_sleep(60)")', down: "" }, { files });
      const { report, stderr } = await place.deploy(["--apply-timeout", "15"]);
      expect([report.state, report.others?.[0]?.state], stderr).toEqual(["unchanged", "unchanged"]);
      const left =
        "select pid from pg_stat_activity where datname = current_database() and query ~ 'pg_sleep\\(6'";
      expect(await ask(place.users.address, left)).toEqual([]);
    },
  );

  test("a gate that is killed leaves a note of the sessions in each: the next run ends what is at work in another one", async () => {
    const sleeps = 'import os\nif os.environ.get("WAIT"):\n    op.execute("SELECT pg_sleep(61)")';
    await using place = await Place.open({ up: sleeps, down: "" }, { files: deafDriver });
    const { project, main, env } = place;
    const gate = await startDeploy("apply", project, main.address, {
      args: users,
      env: { ...env, WAIT: "1" },
    });
    const asleep =
      "select pid::text from pg_stat_activity where datname = current_database() and query = 'SELECT pg_sleep(61)'";
    for (let pids: unknown[] = []; pids.length === 0; ) pids = await ask(place.users.address, asleep);
    await noted(project);
    gate.child.kill("SIGKILL");
    await gate.ended;
    const { code, report, stderr } = await place.deploy();
    expect(stderr).toMatch(/^A gate that is gone left a session at work \(pid \d+, shop\); it is ended\.$/m);
    expect([code, report.state, report.others?.[0]?.state], stderr).toEqual([0, "at target", "at target"]);
    expect(
      readdirSync(join(project.path, "migration-gate-records")).filter((name) => /^running-/.test(name)),
    ).toEqual([]);
  });

  test("a signal ends the tool's sessions in each, and the report says where each is", async () => {
    await using place = await Place.open(
      { up: 'op.execute("SELECT pg_sleep(62)")', down: "" },
      { files: deafDriver },
    );
    const gate = await place.start([]);
    const asleep =
      "select pid::text from pg_stat_activity where datname = current_database() and query = 'SELECT pg_sleep(62)'";
    for (let pids: unknown[] = []; pids.length === 0; ) pids = await ask(place.users.address, asleep);
    gate.child.kill("SIGTERM");
    await gate.ended;
    expect(await ask(place.users.address, asleep)).toEqual([]);
    expect(records(place.project)).toMatchObject([
      { state: "unchanged", others: [{ bind: "users", state: "unchanged" }] },
    ]);
    expect(
      readdirSync(join(place.project.path, "migration-gate-records")).filter((name) =>
        /^running-/.test(name),
      ),
    ).toEqual([]);
  });

  test("a lock that is missing in another database ends the try there, whatever the driver reads", async () => {
    await using place = await Place.open(
      { up: 'op.execute("ALTER TABLE people ADD COLUMN name text")', down: "" },
      { files: deafDriver },
    );
    await place.deploy(["--to", "a1"]);
    await using person = await testClient(place.users.address);
    await person.client.query("begin; lock table people in share mode");
    const { report, stderr } = await place.deploy(["--lock-timeout", "1", "--lock-tries", "1"]);
    expect([report.state, report.waits.map(({ statement }) => statement)], stderr).toEqual([
      "unchanged",
      ["ALTER TABLE people ADD COLUMN name text"],
    ]);
    expect(stderr).toMatch(/^database "users": waits .* for public\.people, which pid \d+/m);
    expect(stderr).toMatch(/^database "users": cancelled after .*, by lock-timeout: ALTER TABLE people/m);
  });

  test("a way back that is not proved in one database is not tried in any", async () => {
    await using place = await Place.open(tableOf("logins", "pass"));
    await place.deploy();
    const options = { args: users, env: place.env };
    const { what } = await refusal("rollback", place.project, place.main.address, options);
    expect(what).toMatch(/^The downgrade of revision b2 was not proved in the database "users": /);
    expect(await tables(place.main.address)).toContain("invoices");
  });

  test("a plan has the statements of one, and says what is pending in the other", async () => {
    await using place = await Place.open();
    const args = [...users, "--bind", "users", "--dry-run"];
    const { ended } = await startDeploy("apply", place.project, place.main.address, { args, env: place.env });
    const plan = reportOf<DeployPlan>(await ended);
    expect(plan).toMatchObject({ bind: "users", others: [{ bind: "default", pending: ["a1", "b2"] }] });
    const statements = plan.revisions.flatMap(({ statements: all }) => all.map(({ sql }) => sql.trim()));
    expect(statements.map((sql) => /TABLE (\w+)/.exec(sql)?.[1])).toEqual(["people", "logins"]);
    expect(await tables(place.users.address)).toEqual([]);
  });

  test("two gates at once, each for another database, wait for each other in one order", async () => {
    await using place = await Place.open();
    const wait = ["--apply-wait", "200"];
    const ends = await Promise.all([place.deploy(wait), place.deploy([...wait, "--bind", "users"])]);
    expect(ends.map(({ code, report }) => [code, report.outcome]).sort()).toEqual([
      [0, "done"],
      [0, "nothing to do"],
    ]);
  });

  test("what is refused before anything is touched", async () => {
    await using place = await Place.open(nothing);
    const { project, main, env } = place;
    const refused = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
      refusal("apply", project, main.address, { args, env: { ...env, ...more } });
    expect(await refused(users, { USERS_DATABASE_URL: undefined })).toMatchObject({
      what: 'The tool migrates the database "users" too, and USERS_DATABASE_URL is not set.',
      do: "Put its address into USERS_DATABASE_URL.",
    });
    expect((await refused([])).do).toBe(
      "Set bind-url-env to the variables that the project reads, one line a database: users=USERS_DATABASE_URL",
    );
    const another = new URL(env.DATABASE_URL);
    another.hostname = "localhost";
    another.searchParams.set("application_name", "users");
    for (const { href, host } of [new URL(env.DATABASE_URL), another]) {
      expect(await refused(users, { USERS_DATABASE_URL: href })).toMatchObject({
        what: 'The database "users" is at the same place as another one of this project.',
        seen: `The addresses are 127.0.0.1:${main.address.port}/${main.name}, ${host}/${main.name}.`,
      });
    }
    // Of this database only: its neighbours on this server are at work, and a session that was closed may still be ending.
    const locks = `select count(*)::text from pg_locks l join pg_database d on d.oid = l.database
      where locktype = 'advisory' and datname = current_database()`;
    let held = await ask(main.address, locks);
    for (const end = Date.now() + 10_000; held[0] !== "0" && Date.now() < end; await sleep(50))
      held = await ask(main.address, locks);
    expect(held).toEqual(["0"]);
    await ask(place.users.address, "create table alembic_version (version_num varchar(32) primary key)");
    await ask(place.users.address, "insert into alembic_version values ('f00')");
    expect(await refused(users)).toMatchObject({
      what: "The database has a revision that this source does not have: f00.",
      where: expect.stringContaining('database "users", '),
    });
    expect(await tables(main.address)).toEqual([]);
  });

  test("status of a database whose variable nobody named", async () => {
    await using place = await Place.open();
    const settings = readSettings(["--working-directory", place.project.path, "--bind", "users"], {});
    const error = await status({ settings, environment: place.env }).catch((reason: unknown) => reason);
    expect(error instanceof UserError ? error.parts.do : error).toBe(
      "Add to bind-url-env: users=<the variable that the project reads>",
    );
  });
});
