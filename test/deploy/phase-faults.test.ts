import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testClient, testServer } from "../support/database";
import { type RunningGate, startGate } from "../support/gate";
import type { Project } from "../support/project";
import { until } from "../support/until";
import { ask, deploy, deployedProject, records, sql, startDeploy, table, tables } from "./deployed";

// A fault in each phase of apply that is not the tool's own: before the backup is whole, and once all is applied.

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Reads a little of the backup, says so by a file, and reads no more. */
const slowSink = `sh -c 'head -c 1000 > kept; touch reached; sleep 300; cat > /dev/null' slow-sink`;

const noise = {
  id: "noise",
  up: sql(
    "create table noise as select g as id, md5(random()::text) || md5(random()::text) as payload from generate_series(1, 60000) g",
  ),
};

/** Apply with a backup whose reader stops in its middle; the first revision is there. */
async function inBackup(project: Project, address: Address): Promise<RunningGate> {
  const first = await deploy("apply", project, address, { args: ["--to", noise.id] });
  expect(first.code, first.stderr).toBe(0);
  const words = ["apply", "--yes", "--format", "json", "--backup-to", "command", "--backup-sink", slowSink];
  const gate = await startGate(words, { cwd: project.path, env: { DATABASE_URL: urlOf(address) } });
  await until(() => existsSync(join(project.path, "reached")), "the middle of the backup");
  return gate;
}

const backupsIn = ({ path }: Project): string[] =>
  readdirSync(join(path, "migration-gate-backups")).filter((name) => name !== ".gitignore");

describe("during the backup", () => {
  test("SIGTERM: nothing was started, nothing is left, and the same job is right again", async () => {
    await using project = await deployedProject([noise, table("one")]);
    await using database = await server.database();
    const gate = await inBackup(project, database.address);
    gate.child.kill("SIGTERM");
    const end = await gate.ended;
    expect(end.signal, end.stderr).toBe("SIGTERM");
    expect(await tables(database.address)).toEqual(["alembic_version", "noise"]);
    expect(backupsIn(project)).toEqual([]);
    // The server sees the end of the gate's session a moment later.
    await expect.poll(() => advisoryLocks(database.address), { timeout: 20_000 }).toEqual([0]);
    const again = await deploy("apply", project, database.address);
    expect([again.code, again.report.heads.after]).toEqual([0, ["one"]]);
  });

  test("SIGKILL: the next run is right", async () => {
    await using project = await deployedProject([noise, table("one")]);
    await using database = await server.database();
    const gate = await inBackup(project, database.address);
    gate.child.kill("SIGKILL");
    await gate.ended;
    expect(await tables(database.address)).toEqual(["alembic_version", "noise"]);
    const again = await deploy("apply", project, database.address);
    expect([again.code, again.report.heads.after]).toEqual([0, ["one"]]);
  });
});

describe("once the tool has ended well", () => {
  test("SIGTERM while it is verified: the record says that all was applied", async () => {
    // The third one sleeps while the tool's transaction has written the version table already.
    await using project = await deployedProject([
      table("one"),
      table("two"),
      { id: "three", up: 'for _ in range(2400):\n    if os.path.exists("go"): break\n    time.sleep(0.05)' },
    ]);
    await using database = await server.database();
    await deploy("apply", project, database.address, { args: ["--to", "one"] });
    await using holder = await testClient(database.address);
    const gate = await startDeploy("apply", project, database.address);
    const locks = (granted: boolean) =>
      ask(
        database.address,
        `select count(*)::int from pg_locks where ${granted ? "" : "not"} granted and relation = to_regclass('alembic_version')
         and mode ${granted ? "= 'RowExclusiveLock'" : "<> 'AccessExclusiveLock'"}`,
      );
    await until(async () => Number((await locks(true))[0]) > 0, "the tool's transaction");
    await holder.client.query("begin");
    const locking = holder.client.query("lock table alembic_version in access exclusive mode");
    const queued =
      "select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock' and relation = to_regclass('alembic_version')";
    await until(async () => (await ask(database.address, queued)).length > 0, "the holder in the queue");
    writeFileSync(join(project.path, "go"), "");
    await locking;
    await until(async () => Number((await locks(false))[0]) > 0, "the verification");
    gate.child.kill("SIGTERM");
    await sleep(2_000);
    await holder.client.query("rollback");
    const end = await gate.ended;
    expect(end.signal, end.stderr).toBe("SIGTERM");
    expect(records(project).find(({ heads }) => heads.after?.join() !== "one")).toMatchObject({
      heads: { after: ["three"] },
      revisions: [{ status: "done" }, { status: "done" }],
      problems: [
        {
          what: "The gate was ended by a signal while it looked at what the tool had done; the tool had ended before.",
        },
      ],
    });
    const again = await deploy("apply", project, database.address);
    expect([again.code, again.report.outcome], again.stderr).toEqual([0, "nothing to do"]);
  });
});

const advisoryLocks = (address: Address): Promise<unknown[]> =>
  ask(
    address,
    "select count(*)::int from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
  );
