import { afterAll, beforeAll, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { formatError, type UserError } from "../../src/errors";
import { createdAt } from "../../src/shadow/databases";
import { thisOwner } from "../../src/shadow/owner";
import { startShadow } from "../../src/shadow/start";
import { type TestServer, testClient, testServer } from "../support/database";
import { bundleGate, startGate } from "./gate-process";
import { temporaryDirectory } from "./temporary";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function sql<Row extends object>(text: string): Promise<Row[]> {
  await using connection = await testClient(server.address);
  const results = await connection.client.query<Row>(text);
  return results.rows;
}

const shadowDatabases = async () =>
  (
    await sql<{ name: string }>(
      "SELECT datname AS name FROM pg_database WHERE datname LIKE 'migration_gate%'",
    )
  ).map(({ name }) => name);

test("a given server gets databases with their owner's name and loses them again", async () => {
  await sql("CREATE ROLE creator LOGIN CREATEDB PASSWORD 'p@ss:w/rd'");
  const shadowUrl = urlOf({ ...server.address, user: "creator", password: "p@ss:w/rd" });
  {
    await using shadow = await startShadow({ shadowUrl, production: 99 });
    expect([shadow.kind, shadow.version, shadow.processes()]).toEqual(["given", server.shadow.version, []]);
    const first = await shadow.createDatabase("fresh");
    await using second = await shadow.createDatabase("deploy", first.name);
    expect(await shadowDatabases()).toEqual([first.name, second.name]);
    const [row] = await sql<{ comment: string }>(
      `SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = '${second.name}'`,
    );
    expect(JSON.parse(row!.comment)).toEqual({ ...thisOwner(), created: expect.any(String) });
    expect(Date.now() - createdAt(second.name)!.getTime()).toBeLessThan(60_000);
  }
  expect(await shadowDatabases()).toEqual([]);
});

test("a user who may not create databases is told how to get the right", async () => {
  await sql("CREATE ROLE reader LOGIN PASSWORD 'secret-word'");
  const shadowUrl = urlOf({ ...server.address, user: "reader", password: "secret-word" });
  const error: unknown = await startShadow({ shadowUrl }).catch((reason: unknown) => reason);
  expect(formatError(error as UserError)).toBe(
    [
      'error: User "reader" may not create databases on the shadow server.',
      `where shadow-url: 127.0.0.1:${server.address.port}, user "reader"`,
      'do    ALTER ROLE "reader" CREATEDB;',
    ].join("\n"),
  );
});

test("databases that a killed run left are dropped, and no others", async () => {
  const owner = thisOwner();
  const at = (hours: number) =>
    Math.floor(Date.now() / 1000 - hours * 3600)
      .toString(16)
      .padStart(8, "0");
  const elsewhere = { ...owner, machine: "elsewhere" };
  const cases = [
    { name: `migration_gate_${at(0)}00000001_dead`, comment: { ...owner, startTime: "1" }, stays: false },
    { name: `migration_gate_${at(48)}00000002_alive`, comment: owner, stays: true },
    { name: `migration_gate_${at(1)}00000003_elsewhere`, comment: elsewhere, stays: true },
    { name: `migration_gate_${at(25)}00000004_elsewhere_old`, comment: elsewhere, stays: false },
    { name: `migration_gate_${at(25)}00000005_elsewhere_used`, comment: elsewhere, stays: true },
    { name: `migration_gate_${at(25)}00000006_no_comment`, comment: undefined, stays: false },
    { name: `migration_gate_${at(0)}00000007_no_comment_new`, comment: undefined, stays: true },
    { name: "migration_gate_production", comment: undefined, stays: true },
  ];
  for (const { name, comment } of cases) {
    await sql(`CREATE DATABASE ${name}`);
    if (comment !== undefined) await sql(`COMMENT ON DATABASE ${name} IS '${JSON.stringify(comment)}'`);
  }
  await using _session = await testClient({ ...server.address, database: cases[4]!.name });
  await using _shadow = await startShadow({ shadowUrl: urlOf(server.address) });
  const left = await shadowDatabases();
  expect(cases.map(({ name }) => [name, left.includes(name)])).toEqual(
    cases.map(({ name, stays }) => [name, stays]),
  );
  for (const name of left) await sql(`DROP DATABASE ${name} WITH (FORCE)`);
});

test("roles that revisions made are dropped at the end; others stay and are named", async () => {
  await sql("CREATE ROLE before");
  const told: string[] = [];
  {
    await using shadow = await startShadow({
      shadowUrl: urlOf(server.address),
      onProgress: (text) => told.push(text),
    });
    const database = await shadow.createDatabase("roles");
    await using connection = await testClient(database.address);
    await connection.client.query(`
      CREATE ROLE app_owner; CREATE ROLE app_reader; CREATE ROLE elsewhere_too; CREATE ROLE unused;
      CREATE TABLE t (n int); ALTER TABLE t OWNER TO app_owner;
      GRANT SELECT ON t TO app_reader, elsewhere_too, before`);
    await sql("CREATE TABLE other (n int); GRANT SELECT ON other TO elsewhere_too");
  }
  const roles = await sql<{ role: string }>(
    "SELECT rolname AS role FROM pg_roles WHERE rolname IN ('before', 'app_owner', 'app_reader', 'elsewhere_too', 'unused')",
  );
  expect(roles.map(({ role }) => role).sort()).toEqual(["before", "elsewhere_too", "unused"]);
  expect(told.sort()).toEqual([
    'The new role "elsewhere_too" stays on the shadow server: role "elsewhere_too" cannot be dropped because some objects depend on it. If a revision made it: DROP ROLE "elsewhere_too";',
    'The new role "unused" stays on the shadow server: nothing in the shadow databases used it, so that it may be somebody else\'s. If a revision made it: DROP ROLE "unused";',
  ]);
});

test("a gate that is told to stop drops its databases on a given server", async () => {
  await using temporary = await temporaryDirectory();
  const options = { shadowUrl: urlOf(server.address) };
  using gate = startGate(await bundleGate(temporary.path), { options });
  const { database } = await gate.report;
  expect(await shadowDatabases()).toEqual([database]);
  gate.child.kill("SIGTERM");
  expect(await gate.ended).toEqual({ code: null, signal: "SIGTERM" });
  expect(await shadowDatabases()).toEqual([]);
});
