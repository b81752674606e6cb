import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestServer, testServer } from "../support/database";
import { type GenerateOptions, generateProject } from "../support/generate-project";
import { drivers, writeProject } from "../support/project";
import { roundTrip } from "./alembic-run";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const trip = async (options: GenerateOptions) => {
  await using project = await writeProject(generateProject(options).files);
  await using database = await server.database("generated");
  return await roundTrip(project.path, database.address);
};

describe.each(drivers)("a generated history with %s", (driver) => {
  test.each([false, true])("is clean, transaction_per_migration %s", async (transactionPerMigration) => {
    const seed = drivers.indexOf(driver) + 1;
    const result = await trip({ seed, revisions: 40, driver, transactionPerMigration });
    expect(result).toMatchObject({ ends: [0, 0, 0], residue: [], drift: [] });
  });
});

test("the plain shape has about 450 objects at 200 revisions", async () => {
  const result = await trip({ seed: 1, revisions: 200, driver: "psycopg2", shape: "plain" });
  expect(result).toMatchObject({ ends: [0, 0, 0], residue: [], drift: [] });
  expect(result.objects).toBeGreaterThan(400);
});

test("the same seed gives the same project, another one another", () => {
  const make = (seed: number) => generateProject({ seed, revisions: 60, driver: "asyncpg", defects: 30 });
  expect(make(7)).toEqual(make(7));
  expect(make(7)).not.toEqual(make(8));
});

test("30 defects are in 30 revisions, and only there", () => {
  const options = { seed: 5, revisions: 80, driver: "psycopg2" } as const;
  const clean = generateProject(options);
  const broken = generateProject({ ...options, defects: 30 });
  expect(broken.planted).toHaveLength(30);
  const changed = broken.revisions.filter((id, index) => {
    const file = `migrations/versions/${index + 1}_${id}.py`;
    return clean.files[file] !== broken.files[file];
  });
  expect(changed).toEqual(broken.planted.map(({ revision }) => revision));
});

test("only the defects with the wanted effect are planted", () => {
  const options = { seed: 9, revisions: 80, driver: "psycopg2", defects: 20, effects: ["residue"] } as const;
  expect(new Set(generateProject(options).planted.map(({ effect }) => effect))).toEqual(new Set(["residue"]));
});
