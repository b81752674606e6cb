import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { catalogSession } from "../../src/databases/postgres/catalog/session";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { type DriftReport, driftOf } from "../../src/deploy/drift";
import type { Catalog } from "../../src/model/catalog";
import { type OwnServer, ownServer } from "../recorder/own-server";
import { type TestServer, testServer } from "../support/database";

let shadow: TestServer;
let production: OwnServer;
let proved: Catalog;

/** What the applied revisions made. */
const schema = `
create extension citext;
create schema "Sales app";
create type "Sales app".state as enum ('new', 'paid');
create table "Sales app".customers (id bigint generated always as identity primary key, name citext not null, extra int, note text default 'x');
create table "Sales app"."or""ders" (id serial primary key, customer bigint not null references "Sales app".customers,
  state "Sales app".state not null default 'new', total numeric(10, 2) check (total >= 0), at timestamptz default now());
create index "by state" on "Sales app"."or""ders" (state) where total > 0;
create view "Sales app".paid as select o.id, c.name from "Sales app"."or""ders" o join "Sales app".customers c on c.id = o.customer where o.state = 'paid';
create view "Sales app".names as select id, upper(name) as name from "Sales app".customers where name <> '';
create function "Sales app".f(int) returns int language sql as 'select $1';
create table logs (at timestamptz, line text) partition by range (at);
create table logs_1 partition of logs for values from ('2026-01-01') to ('2026-02-01');
`;

async function catalogOf(address: Address, ...statements: readonly string[]): Promise<Catalog> {
  const client = await connect(address);
  try {
    for (const statement of statements) await client.query(statement);
    return await readCatalog(catalogSession(client));
  } finally {
    await client.end();
  }
}

let databases = 0;

/** A database of production's server with the proved schema, and then these statements. */
async function found(...statements: readonly string[]): Promise<Catalog> {
  const name = `prod${++databases}`;
  const admin = await connect(production.address);
  await admin.query(`create database ${name}`);
  await admin.end();
  return catalogOf({ ...production.address, database: name }, schema, ...statements);
}

beforeAll(async () => {
  shadow = await testServer();
  production = await ownServer({ wal_level: "logical" });
  const database = await shadow.database();
  proved = await catalogOf(database.address, schema);
});
afterAll(async () => {
  await shadow[Symbol.asyncDispose]();
  await production[Symbol.asyncDispose]();
});

const texts = ({ met, beside }: DriftReport) => ({
  met: met.map(({ text }) => text),
  beside: beside.map(({ text }) => text),
});

test("what may differ between a shadow and production is no drift", async () => {
  const now = await found(
    "create role app login; create role reader",
    'alter schema "Sales app" owner to app; alter table "Sales app".customers owner to app; alter function "Sales app".f(int) owner to app',
    'grant select on all tables in schema "Sales app" to reader; grant select (note) on "Sales app".customers to reader',
    "alter default privileges grant select on tables to reader; alter role app set search_path = x",
    'alter table "Sales app".customers set (autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_enabled = off)',
    'alter table "Sales app".customers alter note set statistics 500',
    'cluster "Sales app".customers using customers_pkey',
    "comment on extension citext is 'ours'",
    "create publication p for all tables",
    "comment on schema public is null; comment on schema public is 'standard public schema'",
  );
  expect(texts(driftOf(proved, now))).toEqual({ met: [], beside: [] });
});

test("an extension of who runs the server is beside, unless a revision creates it", async () => {
  const now = await found("create extension pg_stat_statements");
  const text = "extension pg_stat_statements is there and was not proved";
  expect(texts(driftOf(proved, now, new Set(['table "Sales app".customers'])))).toEqual({
    met: [],
    beside: [text],
  });
  expect(texts(driftOf(proved, now, new Set(["extension pg_stat_statements"])))).toEqual({
    met: [text],
    beside: [],
  });
});

const customers = 'table "Sales app".customers';
const orders = '"Sales app"."or""ders"';

describe("drift on what revisions touch is met, other drift is beside", () => {
  test.each<[name: string, sql: string, touched: string, other: string, text: string]>([
    [
      "a column that was added by hand",
      'alter table "Sales app".customers add column vip boolean not null default false',
      'column "Sales app".customers.vip',
      `table ${orders}`,
      'column "Sales app".customers.vip is there and was not proved',
    ],
    [
      "a column that is gone",
      'alter table "Sales app".customers drop column note',
      customers,
      `table ${orders}`,
      'column "Sales app".customers.note is missing',
    ],
    [
      "another type",
      `alter table ${orders} alter total type numeric(12, 2)`,
      `column ${orders}.at`,
      customers,
      `column ${orders}.total: type is numeric(12,2), proved numeric(10,2)`,
    ],
    [
      "NOT NULL taken away",
      'alter table "Sales app".customers alter name drop not null',
      customers,
      `table ${orders}`,
      'column "Sales app".customers.name: notNull is none, proved true',
    ],
    [
      "an index of a touched table, by its table",
      'drop index "Sales app"."by state"',
      `column ${orders}.id`,
      customers,
      'index "Sales app"."by state" is missing',
    ],
    [
      "an index by hand",
      `create index concurrently_by_hand on only ${orders} (at)`,
      `index "Sales app"."by state"`,
      customers,
      'index "Sales app".concurrently_by_hand is there and was not proved',
    ],
    [
      "a constraint that is not valid",
      `alter table ${orders} drop constraint "or""ders_total_check"; alter table ${orders} add constraint "or""ders_total_check" check (total >= 0) not valid`,
      `constraint ${orders}."or""ders_pkey"`,
      customers,
      `constraint ${orders}."or""ders_total_check": definition is CHECK ((total >= (0)::numeric)) NOT VALID, proved CHECK ((total >= (0)::numeric))`,
    ],
    [
      "an enum's value",
      `alter type "Sales app".state add value 'sent'`,
      'enum type "Sales app".state',
      customers,
      'enum type "Sales app".state: labels is ["new","paid","sent"], proved ["new","paid"]',
    ],
    [
      "a table with the name of one that a revision creates, though it is a view there",
      'create view "Sales app".bills as select 1 as a',
      'table "Sales app".bills',
      customers,
      'view "Sales app".bills is there and was not proved',
    ],
    [
      "a table with its parts is one drift",
      "create table logs_2 partition of logs for values from ('2026-02-01') to ('2026-03-01'); create index on logs_2 (at)",
      "column public.logs_2.at",
      customers,
      "table public.logs_2 is there and was not proved",
    ],
    [
      "a function's body",
      `create or replace function "Sales app".f(int) returns int language sql as 'select $1 + 1'`,
      'function "Sales app".f(integer)',
      customers,
      expect.stringMatching(
        /^function "Sales app"\.f\(integer\): definition is CREATE OR REPLACE FUNCTION .* proved CREATE/,
      ),
    ],
    [
      "a sequence of a touched table",
      `alter sequence "Sales app"."or""ders_id_seq" increment 5`,
      `column ${orders}.id`,
      customers,
      expect.stringMatching(/increment is 5, proved 1/),
    ],
    [
      "a name with a line break",
      'alter table "Sales app".customers add column "a\nb\u202e" int',
      customers,
      `table ${orders}`,
      'column "Sales app".customers."a b\\u202e" is there and was not proved',
    ],
  ])("%s", async (_name, sql, touched, other, text) => {
    const now = await found(...sql.split("; "));
    expect(texts(driftOf(proved, now, new Set([touched])))).toEqual({ met: [text], beside: [] });
    expect(texts(driftOf(proved, now, new Set([other])))).toEqual({ met: [], beside: [text] });
    expect(texts(driftOf(proved, now))).toEqual({ met: [text], beside: [] });
  });

  test("white space in a function's body is no drift, one in a string of it is", async () => {
    const written = (body: string) =>
      `create or replace function "Sales app".g() returns text language plpgsql as $$${body}$$`;
    const before = await found(written("\nbegin\n  return 'a  b';\nend\n"));
    const indented = await found(written(" begin\n\n\treturn 'a  b';\r\nend "));
    expect(texts(driftOf(before, indented))).toEqual({ met: [], beside: [] });
    const commented = await found(
      written(" begin return 'a  b'; end "),
      `comment on function "Sales app".g() is 'a name'`,
    );
    expect(texts(driftOf(before, commented))).toEqual({
      met: [],
      beside: ['function "Sales app".g(): comment is a name, proved none'],
    });
    const other = await found(written("\nbegin\n  return 'a b';\nend\n"));
    expect(driftOf(before, other).met.map(({ key }) => key)).toEqual(['function "Sales app".g()']);
  });

  test("comments, storage parameters and the order of columns stop no statement", async () => {
    const moved = await found(
      "comment on table \"Sales app\".customers is 'who pays'",
      'alter table "Sales app".customers set (fillfactor = 70)',
      'alter table "Sales app".customers drop column extra; alter table "Sales app".customers add column extra int',
      "create table t (a int, b int)",
    );
    const { met, beside } = driftOf(proved, moved, new Set([customers]));
    expect(met).toEqual([]);
    expect(beside.map(({ key, change, parts }) => [key, change, parts])).toEqual([
      ['column order "Sales app".customers', "changed", 0],
      ['table "Sales app".customers', "changed", 0],
      ["table public.t", "added", 2],
    ]);
  });
});

test("another major version prints the same schema otherwise, and that is no drift", async () => {
  await using newer = await testServer({ only: "embedded", production: 18 });
  const database = await newer.database();
  const now = await catalogOf(database.address, schema);
  const majors = { proved: shadow.shadow.major, found: newer.shadow.major };
  expect(majors.found).toBe(18);
  expect(texts(driftOf(proved, now, undefined, { majors }))).toEqual({ met: [], beside: [] });
  // PostgreSQL 16 leaves out the table's name where there is only one.
  if (majors.proved < 16)
    expect(driftOf(proved, now).met.map(({ key }) => key)).toEqual(['view "Sales app".names']);
  const changed = await catalogOf(
    database.address,
    'drop view "Sales app".paid',
    `create view "Sales app".paid as select o.id, c.name from "Sales app"."or""ders" o join "Sales app".customers c on c.id = o.customer where o.state = 'new'`,
  );
  expect(driftOf(proved, changed, undefined, { majors }).met.map(({ key }) => key)).toEqual([
    'view "Sales app".paid',
  ]);
});
