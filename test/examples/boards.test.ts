import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestServer, testClient, testServer } from "../support/database";
import { copyOfExample } from "../support/project";
import { roundTrip, runIn } from "./alembic-run";

const defectsFolder = resolve(import.meta.dirname, "../../examples/boards/defects");
const defects = readdirSync(defectsFolder)
  .filter((file) => file.endsWith(".patch"))
  .map((file) => file.slice(0, -".patch".length));

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each(["0", "1"])("with BOARDS_TRANSACTION_PER_MIGRATION=%s", (transactionPerMigration) => {
  test("up, down and up again leave nothing, and the models agree", async () => {
    await using project = await copyOfExample("boards");
    await using database = await server.database("boards");
    const env = { BOARDS_TRANSACTION_PER_MIGRATION: transactionPerMigration };
    const trip = await roundTrip(project.path, database.address, env);
    expect(trip).toMatchObject({ ends: [0, 0, 0], residue: [], drift: [] });
    expect(trip.objects).toBeGreaterThan(100);
    const check = await runIn(project.path, ["alembic", "check"], database.address, env);
    expect(check).toMatchObject({ code: 0, stdout: "No new upgrade operations detected.\n" });
  });
});

test("rows get their priority, and a default tenant in use outlives a downgrade", async () => {
  await using project = await copyOfExample("boards", { folder: "boards of ünï ' and spaces" });
  await using database = await server.database("boards");
  const alembic = async (...args: string[]) => {
    const ended = await runIn(project.path, ["alembic", ...args], database.address);
    expect(ended.code, ended.stderr).toBe(0);
  };
  await alembic("upgrade", "member_roles");
  await using connected = await testClient(database.address);
  const { client } = connected;
  await client.query(`
    INSERT INTO boards.boards (tenant_id, title) SELECT id, 'one' FROM boards.tenants;
    INSERT INTO boards.cards (board_id, title, due_at, status)
    SELECT id, n::text, CASE WHEN n % 2 = 0 THEN now() + interval '1 day' END, 'archived'
    FROM boards.boards, generate_series(1, 6001) n`);
  await alembic("upgrade", "head");
  const priorities = "SELECT priority, count(*)::integer FROM boards.cards GROUP BY 1 ORDER BY 1";
  expect((await client.query({ text: priorities, rowMode: "array" })).rows).toEqual([
    [0, 3001],
    [1, 3000],
  ]);
  await alembic("downgrade", "card_order");
  const left =
    "SELECT slug, (SELECT count(*)::integer FROM boards.cards WHERE status = 'done') FROM boards.tenants";
  expect((await client.query({ text: left, rowMode: "array" })).rows).toEqual([["default", 6001]]);
  await alembic("upgrade", "head");
});

test("boards-migrate is the command of the image", async () => {
  await using project = await copyOfExample("boards");
  await using database = await server.database("boards");
  const migrate = (...args: string[]) =>
    runIn("/", [join(project.path, "bin/boards-migrate"), ...args], database.address);
  expect((await migrate("upgrade")).code).toBe(0);
  expect((await migrate("current")).stdout).toBe("20260602_093000_longer_titles (head)\n");
  expect((await migrate("history")).stdout.trim().split("\n")).toHaveLength(22);
  expect((await migrate("downgrade", "base")).code).toBe(0);
  expect((await migrate("current")).stdout).toBe("");
  const failed = await migrate("upgrade", "nowhere");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("boards-migrate: Can't locate revision identified by 'nowhere'\n");
});

describe("every defect", () => {
  test.each(defects)("%s applies alone", async (defect) => {
    await using project = await copyOfExample("boards", { defects: [defect] });
    expect(readdirSync(project.path)).toContain("alembic.ini");
  });

  test("is in the table", () => {
    const table = readFileSync(join(defectsFolder, "README.md"), "utf8");
    const named = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    expect(named).toEqual(defects.toSorted());
  });

  test("is not in a copy without it", async () => {
    await using project = await copyOfExample("boards");
    expect(readdirSync(project.path)).not.toContain("defects");
  });
});
