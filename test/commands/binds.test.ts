import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { type BindRevision, bindsFiles, tableOf } from "../support/binds-project";
import { type TestServer, testServer } from "../support/database";
import { blames, judge, lintOff, openSteps, runCheck } from "../support/gate";
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
/** Each database is left a table of its own. */
const two: BindRevision = {
  id: "b2",
  down: "a1",
  binds: { "": tableOf("invoices"), users: tableOf("logins", "pass") },
};

const shadow = () => ["--shadow-url", urlOf(server.address)];

describe.concurrent("check", () => {
  test.each([
    ["default", 0, [], 4],
    ["users", 1, ["error downgrade-leaves-residue b2 table public.logins"], 3],
  ])("judges the bind %s by itself", async (bind, code, findings, proved) => {
    await using project = await writeProject({ ...bindsFiles([one, two]), ...lintOff });
    const end = await judge({ cwd: project.path, args: [...users, "--bind", bind, ...shadow()] });
    expect({ code: end.code, findings: blames(end.report), open: openSteps(end.report) }).toEqual({
      code,
      findings,
      open: findings.map(() => "b2 downgrade: failed, it does not restore the schema"),
    });
    expect(end.report.steps.filter(({ status }) => status === "proved").length).toBe(proved);
  });
});
