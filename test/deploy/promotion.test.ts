import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testServer } from "../support/database";
import { flaskFiles, table as flaskTable } from "../support/flask-project";
import { gateEnvironment } from "../support/gate";
import { writeProject } from "../support/project";
import { deploy, deployedProject, refusal, table, tables } from "./deployed";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("staging, then production", () => {
  test("what staging does not have is not applied; what it has is", async () => {
    await using project = await deployedProject([table("one"), table("two")]);
    await using staging = await server.database("staging");
    await using production = await server.database("production");
    const env = { STAGING_URL: urlOf(staging.address) };
    const args = ["--earlier-env", "STAGING_URL"];
    await deploy("apply", project, staging.address, { args: ["--to", "one"] });
    const refused = await refusal("apply", project, production.address, { args, env });
    expect(refused).toMatchObject({
      what: "1 of 2 pending revisions were not applied to the environment before this one.",
      seen: "It is at one. Missing there: two.",
    });
    expect(refused.where).toContain("STAGING_URL: ");
    expect(await tables(production.address)).toEqual([]);
    const part = await deploy("apply", project, production.address, { args: [...args, "--to", "one"], env });
    expect([part.code, part.report.heads.after]).toEqual([0, ["one"]]);
    await deploy("apply", project, staging.address);
    const all = await deploy("apply", project, production.address, { args, env });
    expect([all.code, all.report.heads.after]).toEqual([0, ["two"]]);
  });

  test("Flask-Migrate: staging's own `flask db upgrade` counts, and no revision is skipped", async () => {
    await using project = await writeProject(
      flaskFiles({ revisions: [flaskTable("a", null), flaskTable("b", "a")] }),
    );
    await using staging = await server.database("staging");
    await using production = await server.database("production");
    const env = { STAGING_URL: urlOf(staging.address) };
    const args = ["--earlier-env", "STAGING_URL"];
    const none = await refusal("apply", project, production.address, { args, env });
    expect(none.seen).toBe("It is at nothing. Missing there: a, b.");
    execFileSync("flask", ["db", "upgrade", "a"], {
      cwd: project.path,
      env: gateEnvironment({ DATABASE_URL: urlOf(staging.address) }),
      stdio: "pipe",
    });
    const refused = await refusal("apply", project, production.address, { args, env });
    expect(refused.seen).toBe("It is at a. Missing there: b.");
    expect(await tables(production.address)).toEqual([]);
    const part = await deploy("apply", project, production.address, { args: [...args, "--to", "a"], env });
    expect([part.code, part.report.heads.after], part.stderr).toEqual([0, ["a"]]);
  });

  test("by staging's record, which must say that it went well", async () => {
    await using project = await deployedProject([table("one"), table("two")]);
    await using staging = await server.database("staging");
    await using production = await server.database("production");
    const { report } = await deploy("apply", project, staging.address, { args: ["--to", "one"] });
    const args = ["--earlier-record", report.record ?? ""];
    expect((await refusal("apply", project, production.address, { args })).seen).toContain("two");
    const failed = join(project.path, "failed.json");
    writeFileSync(failed, JSON.stringify({ ...report, state: "partly applied" }));
    const strange = await refusal("apply", project, production.address, {
      args: ["--earlier-record", failed],
    });
    expect(strange.seen).toBe('Its state is "partly applied".');
    const none = await refusal("apply", project, production.address, {
      args: ["--earlier-env", "STAGING_URL"],
    });
    expect(none.what).toBe("The environment before this one is not named: STAGING_URL is not set.");
    const done = await deploy("apply", project, production.address, { args: [...args, "--to", "one"] });
    expect([done.code, done.report.heads.after]).toEqual([0, ["one"]]);
  });
});
