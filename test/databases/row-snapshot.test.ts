import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRows } from "../../src/databases/postgres/row-snapshot";
import { startServer, type TestServer } from "./server";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;
const database = (): Promise<pg.Client> => server.database(`rows${count++}`);

/** Table, columns, rows, in short. */
async function read(client: pg.Client, options?: Parameters<typeof readRows>[1]): Promise<unknown> {
  const tables = [...(await readRows(client, options)).values()];
  return Object.fromEntries(
    tables.map(({ table, columns, rows, unread }) => [
      table,
      unread ?? [columns.map(({ name }) => name).join(), ...rows],
    ]),
  );
}

describe("readRows", () => {
  test("prints values one way, whatever the session is set to, and leaves the session as it was", async () => {
    const client = await database();
    await client.query(`set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set intervalstyle = 'iso_8601';
      set bytea_output = 'escape'; set extra_float_digits = -3;
      create table t (id int primary key, ts timestamptz, d date, i interval, b bytea, f float8, n numeric(8, 4), j jsonb, a text[], c char(5), o regclass);
      insert into t values (1, '2024-05-01 12:00+02', '2024-05-01', '1 day 2 hours', '\\x00ff', 0.1::float8 + 0.2, 1.5, '{"a": [1]}', '{a,"b c",null}', 'ab', 't')`);
    expect(await read(client)).toEqual({
      "public.t": [
        "id,ts,d,i,b,f,n,j,a,c,o",
        [
          "1",
          "2024-05-01 10:00:00+00",
          "2024-05-01",
          "1 day 02:00:00",
          "\\x00ff",
          "0.30000000000000004",
          "1.5000",
          '{"a": [1]}',
          '{a,"b c",NULL}',
          "ab",
          "public.t",
        ],
      ],
    });
    const { rows } = await client.query(
      "select current_setting('timezone') z, current_setting('datestyle') d",
    );
    expect(rows).toEqual([{ z: "Asia/Tokyo", d: "German, DMY" }]);
  });

  test("reads tables that keep rows of their own, and no other relation", async () => {
    const client = await database();
    await client.query(
      `create schema "Odd ""schema";
      create table "Odd ""schema"."a table'; drop" ("weird "" col" text, "select" int);
      insert into "Odd ""schema"."a table'; drop" values ('x''y', 1);
      create table measure (day date, v int) partition by range (day);
      create table measure_24 partition of measure for values from ('2024-01-01') to ('2025-01-01');
      create table measure_rest partition of measure default;
      insert into measure values ('2024-02-02', 1), ('2030-01-01', 2);
      create table parent (a int); create table child (b int) inherits (parent);
      insert into parent values (1); insert into child values (2, 3);
      create table of_an_extension (a int); alter extension plpgsql add table of_an_extension;
      create view v as select * from parent; create materialized view m as select * from parent;
      create temporary table t (a int);
      create unlogged table u (a int, doubled int generated always as (a * 2) stored); insert into u values (4);
      create table nothing (); insert into nothing default values;
      create table gone (a int, b int); insert into gone values (1, 2); alter table gone drop column a;
      create table alembic_version (version_num text); create table other.x ();`.replace(
        "create table other.x ();",
        "",
      ),
    );
    expect(await read(client, { skip: new Set(["public.alembic_version"]) })).toEqual({
      '"Odd ""schema"."a table\'; drop"': ['weird " col,select', ["x'y", "1"]],
      "public.child": ["a,b", ["2", "3"]],
      "public.gone": ["b", ["2"]],
      "public.measure": ["day,v", ["2024-02-02", "1"], ["2030-01-01", "2"]],
      "public.nothing": ["", []],
      "public.parent": ["a", ["1"]],
      "public.u": ["a", ["4"]],
    });
  });

  test("leaves a table out by its name in the catalog", async () => {
    const client = await database();
    await client.query('create schema s; create table t (); create table s."T" ()');
    expect(Object.keys((await read(client, { skip: new Set(['s."T"']) })) as object)).toEqual(["public.t"]);
  });

  test("knows the primary key without the columns that it includes", async () => {
    const client = await database();
    await client.query(
      "create table t (c int, b int, a int, primary key (b, a) include (c)); create table u (a int unique)",
    );
    const tables = await readRows(client);
    expect([...tables.values()].map(({ key }) => key)).toEqual([["b", "a"], []]);
    expect(tables.get("public.t")?.columns[0]).toEqual({ name: "c", type: "integer" });
  });

  test("reads what row security hides from its owner, and says what it cannot read", async () => {
    const client = await database();
    await client.query(`create role plain${count} login; grant create on schema public to plain${count};
      create table closed (a int); insert into closed values (1);
      create table secured (a int); alter table secured enable row level security; grant select on secured to plain${count};
      set role plain${count};
      create table forced (a int); insert into forced values (1), (2);
      alter table forced enable row level security; alter table forced force row level security`);
    expect(await read(client)).toEqual({
      "public.closed": { reason: "the role may not read it", rows: undefined },
      "public.forced": ["a", ["1"], ["2"]],
      "public.secured": { reason: "its row security hides rows from the role", rows: undefined },
    });
    const { rows } = await client.query(
      "select relforcerowsecurity f from pg_class where relname = 'forced'",
    );
    expect(rows).toEqual([{ f: true }]);
  });

  test("counts the largest tables where all together are too large", async () => {
    const client = await database();
    await client.query(`create table small (a int); insert into small values (1);
      create table large (a text); insert into large select 'row ' || g from generate_series(1, 5000) g`);
    expect(await read(client, { mostBytes: 64 * 1024 })).toEqual({
      "public.large": {
        reason: "it is among the largest tables, which together are too large to be kept",
        rows: 5000,
      },
      "public.small": ["a", ["1"]],
    });
  });

  test("reads a database without tables", async () => {
    expect(await read(await database())).toEqual({});
  });
});
