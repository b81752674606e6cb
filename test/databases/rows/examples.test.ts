import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runIn } from "../../examples/alembic-run";
import { type TestServer, testClient, testServer } from "../../support/database";
import { copyOfExample } from "../../support/project";
import { fill } from "./support";

const examples = [
  { name: "boards", command: ["alembic", "upgrade", "head"], skip: "public.alembic_version" },
  { name: "devopser", command: ["flask", "db", "upgrade"], skip: "public.alembic_version" },
  { name: "everruns", command: ["sqlx", "migrate", "run"], skip: "public._sqlx_migrations" },
] as const;

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server?.[Symbol.asyncDispose]());

describe.each(examples)("$name", ({ name, command, skip }) => {
  test.each(["hostile", "plain"] as const)(
    "every table is full, %s, and once more after a top-up",
    async (tier) => {
      await using project = await copyOfExample(name);
      await using database = await server.database();
      const ended = await runIn(project.path, [...command], database.address);
      expect(ended.code, ended.stderr + ended.stdout).toBe(0);
      await using connected = await testClient(database.address);
      for (const topUp of [false, true]) {
        const tables = await fill(connected.client, { tier, topUp, skip: new Set([skip]) });
        expect(tables.length).toBeGreaterThan(4);
        expect(tables.map(({ table }) => table)).not.toContain(skip);
        expect(tables.filter(({ rows, wanted, suspended }) => rows < wanted || suspended)).toEqual([]);
      }
    },
  );
});
