import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { type CatalogSession, catalogSession } from "../../src/databases/postgres/catalog/session";
import { CatalogTracker } from "../../src/databases/postgres/catalog/tracker";
import { baseSchema, cases, silentCases } from "./catalog-cases";
import { startServer, type TestServer } from "./server";

let server: TestServer;
let client: pg.Client;
let session: CatalogSession;
const tracker = new CatalogTracker();
const database = "agreement";

beforeAll(async () => {
  server = await startServer();
  client = await server.database(database);
  await client.query("create role mg_reader");
  await client.query(baseSchema);
  session = catalogSession(await server.connect(database));
  await tracker.read(session);
  if ((await server.dump(database)) === undefined)
    console.warn(`no pg_dump in ${server.bin}: not compared with it`);
});
afterAll(async () => server[Symbol.asyncDispose]());

async function run(sql: string): Promise<void> {
  await client.query(sql);
}

async function expectTracked(): Promise<void> {
  expect(compareCatalogs(await readCatalog(session), tracker.current)).toEqual([]);
}

describe("the catalog sees what pg_dump --schema-only sees, and nothing after the undo", () => {
  test.each(cases)("$name", async ({ up, down, from = 0 }) => {
    if (server.major < from) return;
    const before = new Map(tracker.current);
    const dumpBefore = await server.dump(database);
    await run(up);
    const { changes } = await tracker.read(session);
    expect(changes).toEqual(compareCatalogs(before, tracker.current));
    expect(changes).not.toEqual([]);
    await expectTracked();
    const dump = await server.dump(database);
    if (dump !== undefined) expect(dump).not.toBe(dumpBefore);
    await run(down);
    await tracker.read(session);
    expect(compareCatalogs(before, tracker.current)).toEqual([]);
    await expectTracked();
  });
});

describe("the catalog is silent where pg_dump --schema-only is", () => {
  test.each(silentCases)("$name", async ({ sql }) => {
    const dumpBefore = await server.dump(database);
    await run(sql);
    expect((await tracker.read(session)).changes).toEqual([]);
    await expectTracked();
    expect(await server.dump(database)).toBe(dumpBefore);
  });
});

test("a role is seen, which pg_dump of one database does not print", async () => {
  await run("create role mg_new login connection limit 2 password 'secret'");
  const { changes } = await tracker.read(session);
  expect(changes).toEqual([
    { key: "role mg_new", before: undefined, after: '{"login": true, "connectionLimit": 2}' },
  ]);
  await run("drop role mg_new");
  expect((await tracker.read(session)).changes.map(({ key }) => key)).toEqual(["role mg_new"]);
});

test("a materialized view without rows is seen, which pg_dump --schema-only prints like one with rows", async () => {
  await run("refresh materialized view mv with no data");
  const { changes } = await tracker.read(session);
  expect(changes.map(({ key, after }) => [key, JSON.parse(after ?? "{}").notPopulated])).toEqual([
    ["materialized view public.mv", true],
  ]);
  await run("refresh materialized view mv");
  expect((await tracker.read(session)).changes.map(({ key }) => key)).toEqual([
    "materialized view public.mv",
  ]);
});

test("the order of columns is an entry of its own", async () => {
  await run("alter table t drop p; alter table t add p posint");
  expect((await tracker.read(session)).changes.map(({ key }) => key)).toEqual(["column order public.t"]);
});

test("values of user mappings and connections are not shown", async () => {
  await run("create user mapping for mg_reader server far options (password 'secret-1')");
  await run(
    "create subscription n connection 'host=nowhere password=secret-2' publication pub with (connect = false)",
  );
  const { changes } = await tracker.read(session);
  expect(changes.map(({ key }) => key)).toEqual(["subscription n", "user mapping mg_reader@far"]);
  expect(JSON.stringify(changes)).not.toContain("secret");
});

test("a role without rights reads the same schema", async () => {
  const reader = await server.connect(database);
  await reader.query("set role mg_reader");
  const own = await readCatalog(catalogSession(reader));
  const differing = compareCatalogs(await readCatalog(session), own).map(({ key }) => key);
  expect(differing).toEqual(["subscription n", "user mapping mg_reader@far"]);
});

test("an ignored table is left out with its columns, indexes and sequence", async () => {
  const ignoring = new CatalogTracker();
  await run("create table versions (id serial primary key, version text unique check (version <> ''))");
  await ignoring.read(session);
  const before = new Map(ignoring.current);
  ignoring.ignoreTable(undefined, "versions");
  expect(compareCatalogs(before, ignoring.current).map(({ key }) => key)).toEqual([
    "column order public.versions",
    "column public.versions.id",
    "column public.versions.version",
    "constraint public.versions.versions_pkey",
    "constraint public.versions.versions_version_check",
    "constraint public.versions.versions_version_key",
    "sequence public.versions_id_seq",
    "table public.versions",
  ]);
  await run("alter table versions add column at timestamptz");
  expect((await ignoring.read(session)).changes).toEqual([]);
  await run("drop table versions; create table app.versions (version text); create table versions ()");
  expect((await ignoring.read(session)).changes).toEqual([]);
});

test("rewinding deltas leads back to what was before, and the next read is a full one", async () => {
  await tracker.read(session);
  const before = new Map(tracker.current);
  await client.query("begin");
  await client.query("create table n (a int)");
  await client.query("commit");
  const first = await tracker.read(session);
  await run("alter table n add b int; drop view v");
  const second = await tracker.read(session);
  tracker.rewind([second.changes, first.changes]);
  expect(new Map(tracker.current)).toEqual(before);
  expect((await tracker.read(session)).mode).toBe("full");
});
