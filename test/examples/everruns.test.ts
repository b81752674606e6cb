import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import type { Catalog } from "../../src/model/catalog";
import { type TestServer, testClient, testServer } from "../support/database";
import { copyOfExample } from "../support/project";
import { runIn, schemaOf } from "./alembic-run";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("each migration goes up and its way back leaves what was there before; the admin image runs them", async () => {
  await using project = await copyOfExample("everruns");
  await using database = await server.database();
  const sqlx = async (...words: [string, ...string[]]) => {
    const ended = await runIn(project.path, words, database.address);
    expect(ended.code, ended.stderr + ended.stdout).toBe(0);
    return ended.stdout;
  };
  const files = readdirSync(join(project.path, "migrations")).filter((file) => /^\d.*\.sql$/.test(file));
  const versions = files.filter((file) => !file.endsWith(".down.sql")).map((file) => file.slice(0, 3));
  expect(versions).toHaveLength(12);
  const before: Catalog[] = [];
  for (const version of versions) {
    before.push(await schemaOf(database.address));
    await sqlx("sqlx", "migrate", "run", "--target-version", String(Number(version)));
  }
  const head = await schemaOf(database.address);
  await using person = await testClient(database.address);
  for (const version of [...versions].reverse()) {
    const down = files.find((file) => file.startsWith(version) && file.endsWith(".down.sql"));
    if (down !== undefined) await sqlx("sqlx", "migrate", "revert");
    else {
      // 009 is data, and says that it has no way back.
      const reverse = version === "009" ? "" : join(project.path, `migrations/rollback/${version}.sql`);
      if (reverse !== "") await person.client.query(readFileSync(reverse, "utf8"));
      await person.client.query(`DELETE FROM _sqlx_migrations WHERE version = ${Number(version)}`);
    }
    const left = compareCatalogs(before.pop() ?? new Map(), await schemaOf(database.address));
    // sqlx made its table with the first one.
    if (before.length > 0) expect(left, version).toEqual([]);
  }
  await sqlx("bin/everruns-admin", "migrate");
  expect(compareCatalogs(head, await schemaOf(database.address))).toEqual([]);
  expect((await sqlx("bin/everruns-admin", "migrate-info")).split("\n")[0]).toBe("1/installed base schema");
});
