import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer } from "../server";
import { hardCases } from "./hard-tables";
import { contents, fill, ownedDatabase, shortages } from "./support";

let server: TestServer;
let extensions: readonly string[] = [];

beforeAll(async () => {
  server = await startServer();
  const admin = await server.connect("postgres");
  const { rows } = await admin.query<{ name: string }>("select name from pg_available_extensions");
  extensions = rows.map(({ name }) => name);
});
afterAll(() => server?.[Symbol.asyncDispose]());

const possible = () =>
  hardCases.filter(
    ({ since = 0, extension }) =>
      server.major >= since && (extension === undefined || extensions.includes(extension)),
  );

async function prepare(name: string, cases = possible()): Promise<pg.Client> {
  const client = await ownedDatabase(server, name, [
    ...new Set(cases.flatMap(({ extension }) => extension ?? [])),
  ]);
  for (const { sql } of cases) await client.query(sql);
  return client;
}

describe.each(["hostile", "plain"] as const)("hard tables, %s, by an owner without superuser", (tier) => {
  test("are all filled, but for those that cannot be, each with its reason", async () => {
    const client = await prepare(`hard ${tier}`);
    const tables = await fill(client, { tier });
    const few = shortages(tables);
    const expected = Object.assign({}, ...possible().map(({ fewer }) => fewer ?? {}));
    expect(Object.keys(few).sort()).toEqual(Object.keys(expected).sort());
    for (const [table, [rows, reason]] of Object.entries(few)) {
      expect([table, rows]).toEqual([table, expected[table][0]]);
      expect(reason, table).toMatch(expected[table][1]);
    }
    expect(tables.filter(({ suspended }) => suspended)).toEqual([]);
    // Not as the owner, whom row security binds once more.
    expect(await brokenKeys(await server.connect(`hard ${tier}`))).toEqual([]);
    await client.end();
  });

  test("get the same rows in another database", async () => {
    const cases = possible().filter(({ name }) => !name.includes("never end"));
    const clients = [await prepare(`one ${tier}`, cases), await prepare(`other ${tier}`, cases)];
    const [one, other] = await Promise.all(
      clients.map(async (client) => {
        const tables = [await fill(client, { tier }), await fill(client, { tier, topUp: true })];
        return { tables, rows: await contents(client) };
      }),
    );
    expect(Object.values(one!.rows).flat().length).toBeGreaterThan(800);
    expect(one).toEqual(other);
    await Promise.all(clients.map((client) => client.end()));
  });
});

test("a trigger that refuses everything is off for a superuser's rows, which are marked", async () => {
  const client = await server.database("refusing");
  await client.query(`create table other (id int primary key); create table refused (id int primary key, other int not null references other);
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not here'; end $$;
    create trigger refuse before insert on refused for each row execute function refuse()`);
  expect(await fill(client)).toEqual([
    { table: "public.other", wanted: 10, rows: 10, reason: undefined, suspended: false },
    { table: "public.refused", wanted: 10, rows: 10, reason: undefined, suspended: true },
  ]);
  expect(await brokenKeys(client)).toEqual([]);
});

test("with triggers off no row goes in whose parent is missing", async () => {
  const client = await server.database("orphans");
  await client.query(`create table other (id int primary key); create table refused (id int primary key, other int not null references other);
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not here'; end $$;
    create trigger refuse before insert on refused for each row execute function refuse()`);
  expect(await fill(client, { skip: new Set(["public.other"]) })).toEqual([
    {
      table: "public.refused",
      wanted: 10,
      rows: 0,
      reason: "The server said: not here (P0001).",
      suspended: false,
    },
  ]);
});

/** Foreign keys that a row breaks: the server is asked to look at each again. */
async function brokenKeys(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; table: string; definition: string }>(
    `select quote_ident(conname) as name, conrelid::regclass::text as table, pg_get_constraintdef(oid) as definition
     from pg_constraint where contype = 'f' and conparentid = 0`,
  );
  const broken: string[] = [];
  for (const { name, table, definition } of rows) {
    await client
      .query(
        `alter table ${table} add constraint "once more" ${definition}; alter table ${table} drop constraint "once more"`,
      )
      .catch((error: Error) => broken.push(`${name}: ${error.message}`));
  }
  return broken;
}
