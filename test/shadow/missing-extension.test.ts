import { DatabaseError } from "pg";
import { expect, test } from "vitest";
import { missingExtension } from "../../src/shadow/missing-extension";
import { testClient, testServer } from "../support/database";

test.each([
  ["CREATE EXTENSION postgis", "postgis"],
  ['CREATE EXTENSION IF NOT EXISTS "no-such-thing" CASCADE', "no-such-thing"],
  ["CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/vector', 'f'", "vector"],
  ["CREATE EXTENSION pg_stat_statements; SELECT * FROM pg_stat_statements", "pg_stat_statements"],
  ["SELECT nothing", undefined],
  ["CREATE EXTENSION pg_trgm VERSION '0.0'", undefined],
])("%s", async (sql, name) => {
  for (const production of [undefined, 14]) {
    await using server = await testServer(production === undefined ? {} : { production });
    await using connection = await testClient(server.address);
    const error: unknown = await connection.client.query(sql).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(missingExtension(error as DatabaseError), (error as DatabaseError).message).toBe(name);
  }
});

test.each([
  [
    'could not load library "/usr/lib/postgresql/15/lib/plpython3.so": libpython3.so: cannot open',
    "plpython3",
  ],
  [
    'could not open extension control file "/usr/share/postgresql/14/extension/postgis.control": No such file',
    "postgis",
  ],
  ["pg_cron can only be loaded via shared_preload_libraries", "pg_cron"],
  ['extension "timescaledb" must be preloaded', "timescaledb"],
  ['could not access file "base/16384": No such file', undefined],
])("%s", (message, name) => {
  expect(missingExtension({ message })).toBe(name);
});
