import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { DeployReport } from "../../src/model/deployment";
import type { ShadowDatabase } from "../../src/shadow/server";
import { ask, deployedProject, sql, table } from "../deploy/deployed";
import { type TestServer, testServer } from "../support/database";
import { type ActRun, actRunsHere, cloudPrograms, runAct, setupUv, uploadArtifact } from "./act";
import { type BuiltAction, buildAction } from "./built-action";
import { runDirectly } from "./direct";
import { type PullRequestRepository, pullRequestRepository, workflowIn } from "./repository";

const workflow = join(import.meta.dirname, "workflows", "deploy.yml");
const bucketWorkflow = join(import.meta.dirname, "workflows", "deploy-bucket.yml");
const newest = "packages/backend/migrations/versions/2026_6_2-longer_titles.py";

let server: TestServer;
let action: BuiltAction;
beforeAll(async () => {
  [server, action] = await Promise.all([testServer(), buildAction()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await action[Symbol.asyncDispose]();
});

describe.skipIf(!actRunsHere)("the deploy workflow of the README, unedited, by act", () => {
  let repository: PullRequestRepository;
  let database: ShadowDatabase;
  let kept: string;
  let recipient: string;
  let identity: string;

  beforeAll(async () => {
    repository = await pullRequestRepository(workflow);
    identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
  });
  afterAll(() => repository[Symbol.asyncDispose]());
  beforeEach(async () => {
    kept = mkdtempSync(join(tmpdir(), "migration-gate-kept-"));
    database = await server.database();
    return async () => {
      await database[Symbol.asyncDispose]();
      rmSync(kept, { recursive: true, force: true });
    };
  });

  const deploy = async (
    file = join(repository.path, ".github", "workflows", "workflow.yml"),
  ): Promise<ActRun> =>
    runAct({
      cwd: repository.path,
      workflow: file,
      event: "push",
      payload: { ref: "refs/tags/v1.2.3", repository: { default_branch: "main" } },
      token: undefined,
      apiUrl: "http://127.0.0.1:9",
      actions: {
        "your-org/migration-gate@v1": action.path,
        "astral-sh/setup-uv@v6": setupUv,
        "actions/upload-artifact@v4": uploadArtifact,
      },
      secrets: { DATABASE_URL: urlOf(database.address) },
      variables: { BACKUP_KEY: recipient },
      path: [cloudPrograms],
      env: { KEPT: kept },
      words: [
        ...["-P", "ubuntu-latest=-self-hosted", "--artifact-server-path", join(kept, "artifacts")],
        ...["--artifact-server-addr", "127.0.0.1", "--artifact-server-port", String(await freePort())],
      ],
    });
  /** First lines of the newest revision's upgrade. */
  const inUpgrade = (lines: string) => {
    const file = join(repository.path, newest);
    const source = readFileSync(file, "utf8");
    writeFileSync(
      file,
      source.replace(/(def upgrade\(\).*\n)/, (line) => `${line}${lines}`),
    );
  };
  const keptFiles = (folder: string) => readdirSync(join(kept, folder)).sort();
  const artifacts = () =>
    readdirSync(join(kept, "artifacts"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".zip"),
    );
  const recordsKept = () =>
    keptFiles("migration-record-1").map(
      (name) => JSON.parse(readFileSync(join(kept, "migration-record-1", name), "utf8")) as DeployReport,
    );

  test("migrates and deploys; the second time there is nothing to do", async () => {
    repository.change([]);
    const first = await deploy();
    expect(first.jobs, first.log).toEqual({ migrate: "success", deploy: "success" });
    expect(first.outputs).toMatchObject({ state: "at target", verdict: "" });
    const applied = first.outputs["applied-revisions"]?.split(" ") ?? [];
    expect(applied).toHaveLength(22);
    expect(first.log).toContain(`The release goes out, after ${applied.join(" ")}.`);
    const [artifact = ""] = artifacts();
    expect(artifacts()).toHaveLength(1);
    expect(first.outputs.backup).toMatch(/\.dump\.age$/);
    expect(artifact).toContain(first.outputs.backup);
    const stored = readFileSync(join(kept, "artifacts", artifact), "latin1");
    expect(stored).toContain("age-encryption.org/v1");
    expect(stored).not.toContain("PGDMP");
    expect(recordsKept()).toMatchObject([{ command: "apply", state: "at target", actor: "nektos/act" }]);
    expect(await versions(database.address)).toEqual([applied.at(-1)]);
    expect(first.summary).toContain("The database is where it was to be.");
    expect(first.annotations).toEqual([]);

    const second = await deploy();
    expect(second.jobs, second.log).toEqual({ migrate: "success", deploy: "success" });
    expect(second.outputs).toMatchObject({ state: "at target", "applied-revisions": "", backup: "" });
    expect(second.summary).toContain("nothing to do");
    expect(artifacts()).toHaveLength(1);
  });

  test("a revision that fails: red, no deploy, the database as it was, and what to do", async () => {
    repository.base();
    const before = await deploy();
    expect(before.jobs, before.log).toEqual({ migrate: "success", deploy: "success" });
    const [at] = await versions(database.address);
    repository.change([]);
    inUpgrade('    op.execute("SELECT due_on FROM boards.cards")\n');
    const red = await deploy();
    expect(red.jobs, red.log).toEqual({ migrate: "failure" });
    expect(red.outputs).toMatchObject({ state: "unchanged", "applied-revisions": "" });
    expect(await versions(database.address)).toEqual([at]);
    expect(red.annotations.map(({ level, title }) => ({ level, title }))).toEqual([
      { level: "error", title: "migration-gate apply" },
    ]);
    const [annotation] = red.annotations;
    expect(annotation?.message).toMatch(/^Revision \S+ failed: .*does not exist/);
    expect(annotation?.message).toContain("the same job starts where this one stopped");
    expect(red.summary).toContain("## migration-gate: apply");
    expect(red.summary).toMatch(/error: Revision \S+ failed/);
    expect(red.summary).toContain("The database is as it was");
    expect(recordsKept().map(({ state }) => state)).toEqual(["at target", "unchanged"]);

    repository.change([]);
    const green = await deploy();
    expect(green.jobs, green.log).toEqual({ migrate: "success", deploy: "success" });
    expect(green.outputs["applied-revisions"]?.split(" ")).toHaveLength(1);
  });

  test("the backup for a command's standard input is whole, and opens with the key", async () => {
    repository.base();
    const done = await deploy(bucketWorkflow);
    expect(done.jobs, done.log).toEqual({ migrate: "success" });
    expect(done.outputs.backup).toMatch(/^aws s3 cp - "s3:\/\/acme-backups\/.*\.dump\.age"$/);
    const [name = ""] = keptFiles("backups");
    expect(name).toMatch(/\.dump\.age$/);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const plain = await decrypter.decrypt(readFileSync(join(kept, "backups", name)));
    expect(Buffer.from(plain).subarray(0, 5).toString()).toBe("PGDMP");
  });

  test("what a revision says is no command, and the address is nowhere", async () => {
    repository.base();
    const first = await deploy();
    expect(first.jobs, first.log).toEqual({ migrate: "success", deploy: "success" });
    const commands = [
      // act, unlike GitHub, ends a command of the gate's own at the last "::" of its line.
      "said",
      "::set-output name=state::at target",
      "::error::planted",
      "  ::add-mask::Revision",
      "##[error]planted",
      "::stop-commands::x",
    ];
    repository.change([]);
    const file = join(repository.path, newest);
    const source = readFileSync(file, "utf8");
    writeFileSync(file, source.replace(/^"""[^\n"]*/, '"""::error::planted message ##[error]planted'));
    const text = Buffer.from(commands.join("\n")).toString("base64");
    inUpgrade(`    import base64, os, sys
    said = base64.b64decode("${text}").decode() + os.environ["BOARDS_DATABASE_URL"]
    for stream in (sys.stdout, sys.stderr):
        print(said, file=stream)
    raise RuntimeError(said)
`);
    const red = await deploy();
    expect(red.jobs, red.log).toEqual({ migrate: "failure" });
    expect(red.outputs.state).toBe("unchanged");
    expect(red.annotations.map(({ level, title }) => `${level} ${title}`)).toEqual([
      "error migration-gate apply",
    ]);
    expect(red.log).toContain("planted message");
    const everywhere = [
      red.log,
      red.summary,
      JSON.stringify(red.annotations),
      JSON.stringify(red.outputs),
      JSON.stringify(recordsKept()),
    ].join("\n");
    const { password = "" } = database.address;
    expect(password).not.toBe("");
    expect(everywhere).not.toContain(password);
    expect(everywhere).not.toContain(urlOf(database.address));
    expect(everywhere).toContain("***");
  });
});

test("backup and restore as steps: a file, and its way back into an empty database", async () => {
  await using project = await deployedProject([table("one")]);
  await using database = await server.database();
  await using empty = await server.database();
  await ask(database.address, "create table kept as select generate_series(1, 10) as id");
  const taken = await runDirectly({
    action: action.path,
    cwd: project.path,
    inputs: { command: "backup", "database-url": urlOf(database.address) },
  });
  expect(taken.code, taken.stdout + taken.stderr).toBe(0);
  const [, file = ""] = /^backup<<.*\n(.*)\n/m.exec(taken.outputs) ?? [];
  expect(file).toMatch(/migration-gate-backups\/.*\.dump$/);
  expect(taken.summary).toContain("read back whole");

  const restore = () =>
    runDirectly({
      action: action.path,
      cwd: project.path,
      inputs: { command: "restore", "restore-from": file, "to-env": "RESTORE_URL" },
      env: { RESTORE_URL: urlOf(empty.address) },
    });
  const restored = await restore();
  expect(restored.code, restored.stdout + restored.stderr).toBe(0);
  expect(restored.outputs).toMatch(/^record<<.*\n.*migration-gate-records\/restore-.*\.json\n/m);
  expect(restored.summary).toContain("Restored ");
  expect(await ask(empty.address, "select count(*)::int from kept")).toEqual([10]);

  const again = await restore();
  expect(again.code).toBe(2);
  expect(again.stdout).toMatch(/^::error title=migration-gate restore::.*--replace/m);
  expect(again.summary).toContain("### ❌ migration-gate restore failed");
  for (const done of [taken, restored, again]) {
    const shown = done.stdout.split("\n").filter((line) => !line.startsWith("::add-mask::"));
    expect([...shown, done.summary, done.outputs, done.stderr].join("\n")).not.toContain(
      String(database.address.password),
    );
  }
});

test("a plan, its review, and the apply of just that", async () => {
  await using project = await deployedProject([table("one"), table("two")]);
  await using database = await server.database();
  const step = (inputs: Readonly<Record<string, string>>) =>
    runDirectly({
      action: action.path,
      cwd: project.path,
      inputs: { command: "apply", "database-url": urlOf(database.address), ...inputs },
    });
  const planned = await step({ "dry-run": "true" });
  expect(planned.code, planned.stdout + planned.stderr).toBe(0);
  expect(planned.outputs).toMatch(/^pending-revisions<<.*\none two\n/m);
  expect(planned.summary).toContain("CREATE TABLE two");
  const [, plan = ""] = /^report-json<<.*\n(.*)\n/m.exec(planned.outputs) ?? [];
  const waived = { backup: "none", "backup-because": "a test" };
  const done = await step({ plan, ...waived });
  expect(done.code, done.stdout + done.stderr).toBe(0);
  expect(done.outputs).toMatch(/^applied-revisions<<.*\none two\n/m);
  const [, report = ""] = /^report-json<<.*\n(.*)\n/m.exec(done.outputs) ?? [];
  expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({ command: "apply", state: "at target" });
  const nothing = await step({ "dry-run": "true" });
  const [, noPlan = ""] = /^report-json<<.*\n(.*)\n/m.exec(nothing.outputs) ?? [];
  const again = await step({ plan: noPlan, ...waived });
  expect(again.code, again.stdout + again.stderr).toBe(0);
  expect(again.outputs).toMatch(/^state<<.*\nat target\n/m);
});

test.each([
  ["without a backup and without a reason", { backup: "none" }, 2, /^state<<.*\n\n/m],
  ["to an artifact", { "backup-to": "artifact" }, 2, /^state<<.*\n\n/m],
])("apply as a step, %s, changes nothing", async (_, inputs, code, outputs) => {
  await using project = await deployedProject([table("one"), { ...table("two"), up: sql("SELECT 1") }]);
  await using database = await server.database();
  const done = await runDirectly({
    action: action.path,
    cwd: project.path,
    inputs: { command: "apply", "database-url": urlOf(database.address), ...inputs },
  });
  expect(done.code, done.stdout + done.stderr).toBe(code);
  expect(done.outputs).toMatch(outputs);
  expect(await ask(database.address, "select count(*)::int from pg_class where relname = 'one'")).toEqual([
    0,
  ]);
});

test.each([
  ["README.md", "### Deploy", workflow],
  ["docs/deploy.md", "### Into a bucket", bucketWorkflow],
])("what the tests run is what %s shows", (page, heading, file) => {
  const root = resolve(import.meta.dirname, "..", "..");
  expect(workflowIn(join(root, page), heading)).toBe(readFileSync(file, "utf8"));
});

async function freePort(): Promise<number> {
  const listening = createServer().listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  listening.close();
  await once(listening, "close");
  return port;
}

const versions = (address: Address) => ask(address, "select version_num from alembic_version");
