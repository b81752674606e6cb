import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, connect, urlOf } from "../../src/databases/postgres/connection";
import type { ShadowDatabase } from "../../src/shadow/server";
import { startShadow } from "../../src/shadow/start";
import { type TestServer, testServer } from "../support/database";
import { gateBundle, gateEnvironment, type RunningGate, startGate } from "../support/gate";
import { killAll } from "../support/kill";
import { until } from "../support/until";
import { contentOf, query, takeBackup, type WorkFolder, workFolder } from "./backups";

let server: TestServer;
let database: ShadowDatabase;
beforeAll(async () => {
  server = await testServer();
  database = await server.database("large");
  await fillWithNoise(database.address, 400_000);
});
afterAll(() => server[Symbol.asyncDispose]());

/** About 100 bytes a row that hardly compress. */
async function fillWithNoise(address: Address, rows: number): Promise<void> {
  await query(
    address,
    `create table noise as select g as id, md5(random()::text) || md5(random()::text) || md5(random()::text) as payload from generate_series(1, ${rows}) g`,
  );
}

/** Processes of this gate's children: they carry its marker and one more variable of ours only where the gate gives it on. */
function programsOf(folder: WorkFolder): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const isOurs = readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder.path);
      return isOurs && /pg_dump|pg_restore|psql|slow-sink/.test(command) ? [command] : [];
    } catch {
      return [];
    }
  });
}

function start(
  folder: WorkFolder,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<RunningGate> {
  return startGate(words, {
    cwd: folder.path,
    // TMPDIR is the one variable that pg_dump sees, too.
    env: {
      TMPDIR: folder.path,
      DATABASE_URL: urlOf(database.address),
      MIGRATION_GATE_BACKUP_DIRECTORY: join(folder.path, "backups"),
      ...env,
    },
  });
}

/** Bytes of the unfinished dump. */
function written(folder: WorkFolder): number {
  const [partial] = folder.backups().filter((name) => name.endsWith(".partial"));
  if (partial === undefined) return 0;
  const file = join(folder.path, "backups", partial, partial.replace(/\.partial$/, ""));
  return existsSync(file) ? statSync(file).size : 0;
}

/** A sink that stops reading in the middle of the dump, and says so by a file. */
const slowSink = [
  "--backup-to",
  "command",
  "--backup-sink",
  `sh -c 'head -c 200000 > kept; touch reached; sleep 300; cat > /dev/null' slow-sink`,
];

const moments: readonly [
  name: string,
  words: readonly string[],
  isReached: (folder: WorkFolder) => boolean,
][] = [
  ["while a file grows", [], (folder) => written(folder) > 300_000],
  ["while a command reads", slowSink, (folder) => existsSync(join(folder.path, "reached"))],
];

describe.each(moments)("%s", (_, words, isReached) => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s ends all of it and leaves nothing", async (signal) => {
    await using folder = await workFolder();
    const { child, ended } = await start(folder, ["backup", ...words]);
    await until(() => isReached(folder), "the middle of the dump");
    const at = performance.now();
    child.kill(signal);
    const end = await ended;
    expect(performance.now() - at).toBeLessThan(20_000);
    expect([end.stdout, end.stderr]).toEqual([
      "",
      `migration-gate was ended by ${signal}: what it had started is stopped and removed.\n`,
    ]);
    expect(folder.backups()).toEqual([]);
    expect(programsOf(folder)).toEqual([]);
  });

  test("after SIGKILL the next run names what was left, and removes it", async () => {
    await using folder = await workFolder();
    const { child, ended } = await start(folder, ["backup", ...words]);
    await until(() => isReached(folder), "the middle of the dump");
    child.kill("SIGKILL");
    await ended;
    const [left = ""] = folder.backups();
    expect(folder.backups()).toEqual([expect.stringMatching(/\.dump\.partial$/)]);
    // Nothing in it is a manifest: nobody can take it for a backup.
    expect(
      readdirSync(join(folder.path, "backups", left)).filter((name) => name.includes("manifest")),
    ).toEqual([]);
    await until(() => programsOf(folder).every((command) => command.includes("slow-sink")), "pg_dump's end");
    const next = await start(folder, ["backup"]);
    const end = await next.ended;
    expect(end.code, end.stderr).toBe(0);
    expect(end.stderr).toBe(
      `Removed ${join(folder.path, "backups", left)}, the unfinished backup of a run that was killed.\n`,
    );
    expect(folder.backups().map((name) => name.replace(/.*\.dump/, ""))).toEqual(["", ".manifest.json"]);
    execFileSync("sh", [
      "-c",
      'for p in $(pgrep -f slow-sink); do grep -q "$0" /proc/$p/environ && kill $p; done; true',
      folder.path,
    ]);
  });
});

test("one that still grows is left alone by another", async () => {
  await using folder = await workFolder();
  const { child, ended } = await start(folder, ["backup", ...slowSink]);
  await until(() => existsSync(join(folder.path, "reached")), "the middle of the dump");
  const [growing] = folder.backups();
  await takeBackup(folder, database.address);
  expect(folder.backups()).toContain(growing);
  expect(folder.backups()).toHaveLength(3);
  child.kill("SIGTERM");
  await ended;
  expect(folder.backups()).toHaveLength(2);
});

test("no room for the backup", async () => {
  await using folder = await workFolder();
  const gate = await gateBundle();
  // 1024-byte blocks in bash, 512-byte ones in dash: both far less than the dump.
  const limited = ["-c", 'ulimit -f 4000; exec "$0" "$@"', process.execPath, gate, "backup"];
  const env = gateEnvironment({
    DATABASE_URL: urlOf(database.address),
    MIGRATION_GATE_BACKUP_DIRECTORY: join(folder.path, "backups"),
  });
  const failure = (() => {
    try {
      execFileSync("sh", limited, { cwd: folder.path, env, stdio: "pipe", encoding: "utf8" });
      return undefined;
    } catch (error) {
      return error as { status: number; stderr: string };
    }
  })();
  expect(failure?.status, failure?.stderr).toBe(2);
  expect(failure?.stderr).toContain("There is no room for the backup.");
  expect(folder.backups()).toEqual([]);
});

/** The slow sink, but that it goes on when the folder has a file `go`. */
const waitingSink = slowSink.map((word) =>
  word.replace("sleep 300", "for i in $(seq 600); do test -e go && break; sleep 0.1; done"),
);

describe("the server", () => {
  test("ends the session in the middle of the dump", async () => {
    await using folder = await workFolder();
    const { ended } = await start(folder, ["backup", ...waitingSink]);
    await until(() => existsSync(join(folder.path, "reached")), "the middle of the dump");
    await query(
      server.address,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pg_dump' or backend_type = 'client backend' and application_name = 'migration-gate backup'",
    );
    writeFileSync(join(folder.path, "go"), "");
    const end = await ended;
    expect(end.code).toBe(2);
    expect(end.stderr).toMatch(/pg_dump [\d.]+ failed: there is no backup/);
    expect(folder.backups()).toEqual([]);
  });

  test("is killed in the middle of the dump", async () => {
    const shadow = await startShadow({});
    await using folder = await workFolder();
    try {
      const doomed = await shadow.createDatabase("doomed");
      await fillWithNoise(doomed.address, 200_000);
      const words = ["backup", ...waitingSink];
      const { ended } = await start(folder, words, { DATABASE_URL: urlOf(doomed.address) });
      await until(() => existsSync(join(folder.path, "reached")), "the middle of the dump");
      killAll(shadow.processes());
      writeFileSync(join(folder.path, "go"), "");
      const end = await ended;
      expect(end.code).toBe(2);
      expect(end.stderr).toMatch(/pg_dump [\d.]+ failed: there is no backup/);
      expect(folder.backups()).toEqual([]);
    } finally {
      await Promise.resolve(shadow[Symbol.asyncDispose]()).catch(() => undefined);
    }
  });
});

/** False where the restore was done before it could be ended. */
async function endedInTheMiddle(signal: "SIGTERM" | "SIGKILL", words: readonly string[]): Promise<boolean> {
  await using folder = await workFolder();
  await using target = await server.database("target");
  if (words.length > 0) await query(target.address, "create table old ()");
  const { location = "" } = await takeBackup(folder, database.address);
  const before = await contentOf(target.address);
  const databases = () => query(server.address, "select datname from pg_database order by 1");
  const all = await databases();
  const watcher = await connect(server.address);
  const { child, ended } = await start(
    folder,
    ["restore", location, "--to-env", "RESTORE_URL", "--yes", ...words],
    {
      RESTORE_URL: urlOf(target.address),
    },
  );
  for (let isCopying = false; !isCopying; await sleep(2)) {
    const { rows } = await watcher.query(
      "select from pg_stat_activity where query like 'COPY public.noise%' and datname ~ 'target|_restore_' and state = 'active'",
    );
    isCopying = rows.length > 0;
    if (child.exitCode !== null) break;
  }
  child.kill(signal);
  await watcher.end();
  const { code: early, stderr } = await ended;
  if (early === 0) return false;
  expect(stderr).toMatch(signal === "SIGTERM" ? /was ended by SIGTERM/ : /^(?!error)/);
  await until(() => programsOf(folder).length === 0, "the end of pg_restore");
  const sessions = () =>
    query(server.address, "select from pg_stat_activity where datname ~ 'target|_restore_'");
  await until(async () => (await sessions()).length === 0, "the end of its sessions");
  expect(await contentOf(target.address)).toEqual(before);
  if (signal === "SIGTERM" || words.length === 0) expect(await databases()).toEqual(all);
  if (signal !== "SIGKILL" || words.length === 0) return true;
  expect((await databases()).length).toBe(all.length + 1);
  const next = await start(folder, ["restore", location, "--to-env", "RESTORE_URL", "--yes", ...words], {
    RESTORE_URL: urlOf(target.address),
  });
  const end = await next.ended;
  expect(end.code, end.stderr).toBe(0);
  expect(end.stderr).toMatch(
    /^Dropped the database ".*_restore_\d{14}_[0-9a-f]{6}", which a restore left that was killed\.\n$/,
  );
  // The one that was there, and the one that took its name.
  expect((await databases()).length).toBe(all.length + 1);
  expect((await contentOf(target.address)).rows).toEqual((await contentOf(database.address)).rows);
  return true;
}

describe("a restore", () => {
  test.each([
    ["SIGTERM", []],
    ["SIGKILL", []],
    ["SIGTERM", ["--replace"]],
    ["SIGKILL", ["--replace"]],
  ] as const)("ended by %s %j leaves the target as it was", async (signal, words) => {
    for (let tries = 1; !(await endedInTheMiddle(signal, words)); tries += 1) expect(tries).toBeLessThan(8);
  });

  test("asks nobody where there is no terminal, and leaves a record of that", async () => {
    await using folder = await workFolder();
    await using target = await server.database("target");
    await using small = await server.database("small");
    const { location = "" } = await takeBackup(folder, small.address);
    const { ended } = await start(folder, ["restore", location, "--to-env", "RESTORE_URL"], {
      RESTORE_URL: urlOf(target.address),
      MIGRATION_GATE_RECORD_DIRECTORY: join(folder.path, "records"),
      GITHUB_ACTOR: "octocat",
    });
    const end = await ended;
    expect(end.code).toBe(2);
    expect(end.stderr).toContain("Nobody can be asked whether to go on");
    expect(await folder.records()).toMatchObject([{ kind: "restore", outcome: "failed", actor: "octocat" }]);
  });
});
