import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer } from "../server";
import { contents, fill, ownedDatabase, shortages } from "./support";

let server: TestServer;
let databases = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function database(sql: string): Promise<pg.Client> {
  const client = await ownedDatabase(server, `fill ${++databases}`);
  await client.query(sql);
  return client;
}

async function column<T = string>(client: pg.Client, sql: string): Promise<T[]> {
  const { rows } = await client.query<[T]>({ text: sql, rowMode: "array" });
  return rows.map(([value]) => value);
}

const people = `create table people (id serial primary key, mail text not null unique, age int, nick varchar(20), bio text, born date, score numeric(6,2),
  tags text[], doc jsonb, boss int references people, active boolean not null default true, rank int not null)`;

describe("tiers", () => {
  test("hostile: NULL and a value wherever NULL is allowed, a duplicate, a full length, the ends of a range", async () => {
    const client = await database(people);
    await fill(client);
    for (const name of ["age", "nick", "bio", "born", "score", "tags", "doc", "boss"]) {
      const [nulls, values] = [
        await column(client, `select 1 from people where ${name} is null`),
        await column(client, `select 1 from people where ${name} is not null`),
      ];
      expect([name, nulls.length > 0, values.length > 0]).toEqual([name, true, true]);
    }
    expect(await column(client, "select 1 from people group by nick having count(nick) > 1")).not.toEqual([]);
    expect(await column(client, "select max(length(nick)) from people")).toEqual([20]);
    expect(await column(client, "select max(age) from people")).toEqual([2147483647]);
    expect(await column(client, "select max(score)::text from people")).toEqual(["9999.99"]);
    expect(await column(client, "select 1 from people where bio = ''")).toHaveLength(1);
    await client.end();
  });

  test("hostile: a time that is the clock's by default never lies ahead; another one does", async () => {
    const client = await database(
      "create table a (id int primary key, born date, a timestamptz default now(), b timestamp default current_timestamp, c date default current_date, d timestamp default (now() at time zone 'utc'))",
    );
    await fill(client, { rows: 20 });
    const late = (name: string) => column(client, `select distinct 1 from a where ${name} > '2030-01-01'`);
    for (const name of ["a", "b", "c", "d"]) expect([name, await late(name)]).toEqual([name, []]);
    expect(await late("born")).toEqual([1]);
    await client.end();
  });

  test("plain: no NULL but for the first of a tree, and no value twice", async () => {
    const client = await database(people);
    await fill(client, { tier: "plain" });
    for (const name of ["age", "nick", "bio", "born", "score", "tags", "doc", "rank"])
      expect([name, await column(client, `select count(distinct ${name})::int from people`)]).toEqual([
        name,
        [10],
      ]);
    expect(await column(client, "select count(*)::int from people where boss is null")).toEqual([1]);
    expect(await column(client, "select mail from people order by id limit 1")).toEqual([
      "alpha0@example.org",
    ]);
    await client.end();
  });

  test("no number that a migration would insert stands where rows are told apart", async () => {
    const client = await database(
      "create table a (id int primary key, b smallint unique, c bigint unique, d numeric unique, e int not null, f int not null, unique (e, f))",
    );
    for (const tier of ["plain", "hostile"] as const) {
      await fill(client, { tier, topUp: true });
      const all = await column<number>(client, "select unnest(array[id, b, c, d, e, f])::float8 from a");
      expect(Math.min(...all.filter((value) => value !== null))).toBeGreaterThan(5_000);
    }
    await client.end();
  });
});

describe("circles", () => {
  test.each([
    ["hostile", 1],
    ["plain", 0],
  ] as const)(
    "a key that had to wait for its parents points at them afterwards, %s: %i stays NULL",
    async (tier, nulls) => {
      const client = await database(
        `create table author (id serial primary key, best int); create table book (id serial primary key, author int not null references author);
       alter table author add foreign key (best) references book`,
      );
      await fill(client, { tier });
      expect(await column(client, "select count(*) filter (where best is null)::int from author")).toEqual([
        nulls,
      ]);
      expect(await column(client, "select count(distinct best)::int from author")).toEqual([10 - nulls]);
      await client.end();
    },
  );
});

test("a key of a tenant that had to wait points at a row of that tenant", async () => {
  const client = await database(
    `create table tenant (id int primary key); create table project (tenant int not null references tenant, id int not null, lead int, primary key (tenant, id));
     create table member (tenant int not null references tenant, id int not null, project int not null, primary key (tenant, id), foreign key (tenant, project) references project);
     alter table project add foreign key (tenant, lead) references member`,
  );
  expect(shortages(await fill(client, { tier: "plain" }))).toEqual({});
  expect(await column(client, "select count(*)::int > 4 from project where lead is not null")).toEqual([
    true,
  ]);
  await client.end();
});

describe("what is there already", () => {
  test("counts, and is passed over by values that are unique", async () => {
    const client = await database(
      "create table a (id serial primary key, name text unique); insert into a (name) values ('x'), ('y'), ('z')",
    );
    expect(await fill(client)).toMatchObject([{ table: "public.a", wanted: 7, rows: 7 }]);
    expect(await fill(client)).toMatchObject([{ table: "public.a", wanted: 0, rows: 0, reason: undefined }]);
    expect(await fill(client, { topUp: true })).toMatchObject([{ table: "public.a", wanted: 10, rows: 10 }]);
    await client.end();
  });

  test("what a trigger of another table put in counts as a row", async () => {
    const client = await database(
      `create table post (id serial primary key); create table totals (post int primary key references post, votes int not null default 0);
       create function total() returns trigger language plpgsql as $$ begin insert into totals values (new.id, 0); return new; end $$;
       create trigger total after insert on post for each row execute function total()`,
    );
    for (const topUp of [false, true])
      expect(await fill(client, { topUp })).toMatchObject([
        { table: "public.post", wanted: 10, rows: 10 },
        { table: "public.totals", wanted: 10, rows: 10, reason: undefined },
      ]);
    expect(await column(client, "select count(*)::int from totals")).toEqual([20]);
    await client.end();
  });

  test("a row that a migration inserts after the first fill gets children at the top-up", async () => {
    const client = await database(
      "create table tenant (id int primary key, name text not null); create table note (id serial primary key, tenant int not null references tenant, other int unique references tenant)",
    );
    await fill(client);
    await client.query("insert into tenant values (9000000, 'default')");
    await fill(client, { topUp: true });
    expect(await column(client, "select count(*)::int from note where tenant = 9000000")).not.toEqual([0]);
    await expect(client.query("delete from tenant where id = 9000000")).rejects.toMatchObject({
      code: "23503",
    });
    await client.end();
  });

  test("no row that was there is changed", async () => {
    const client = await database(
      `create table author (id serial primary key, best int); create table book (id serial primary key, author int not null references author, at timestamptz not null default now());
       alter table author add foreign key (best) references book; insert into author (id) values (1), (2); insert into book (id, author) values (1, 1)`,
    );
    const before = await contents(client);
    await fill(client, { topUp: true });
    const after = await contents(client);
    for (const [table, rows] of Object.entries(before))
      expect(after[table]).toEqual(expect.arrayContaining(rows));
    await client.end();
  });

  test("sequences stand where they stood, and what they give next is free", async () => {
    const client = await database(
      `create table a (id serial primary key, n int generated by default as identity); create table log (id bigserial primary key);
       create function log() returns trigger language plpgsql as $$ begin insert into log default values; return new; end $$;
       create trigger log after insert on a for each row execute function log();
       insert into a default values; insert into a default values`,
    );
    expect(shortages(await fill(client, { topUp: true }))).toEqual({});
    expect(await column(client, "insert into a default values returning id")).toEqual([3]);
    expect(await column(client, "select max(id)::int from log where id < 100")).toEqual([3]);
    await client.query("insert into a (id, n) select i, i from generate_series(4, 1000) i");
    await client.end();
  });
});

describe("steering", () => {
  test("skip, rows, tier, values, unique and not null of one table", async () => {
    const client = await database(
      `create table left_out (id int); create table skipped (id int); create table steered (id int primary key, state text, code text, "Note" text);
       create table other (id int)`,
    );
    const tables = await fill(client, {
      skip: new Set(["public.left_out"]),
      steering: new Map([
        ["public.skipped", { skip: true }],
        [
          "public.steered",
          {
            rows: 5,
            values: { state: ["draft", "sent"] },
            unique: ["code"],
            notNull: ["Note", "code", "state"],
          },
        ],
        ["public.other", { rows: 3, tier: "plain" }],
      ]),
    });
    expect(tables.map(({ table, rows }) => [table, rows])).toEqual([
      ["public.other", 3],
      ["public.steered", 5],
    ]);
    expect(await column(client, "select distinct state from steered order by 1")).toEqual(["draft", "sent"]);
    expect(
      await column(client, 'select count(distinct code)::int + count("Note")::int from steered'),
    ).toEqual([10]);
    expect(await column(client, "select id from other order by 1")).toEqual([3, 4, 5]);
    await client.end();
  });

  test("values of a foreign key choose among its parents", async () => {
    const client = await database(
      "create table tenant (id int primary key); insert into tenant values (1), (2), (3); create table note (id serial primary key, tenant int not null references tenant)",
    );
    await fill(client, { steering: new Map([["public.note", { values: { tenant: ["2", "9"] } }]]) });
    expect(await column(client, "select distinct tenant from note")).toEqual([2]);
    await client.end();
  });

  test("a unique column with few values gets those that no revision inserts, as long as there are any", async () => {
    const client = await database(
      `create type size as enum ('s', 'm', 'l'); create table sizes (size size primary key); create table roles (role text primary key check (role in ('admin', 'user', 'guest')));
       create table flags (flag boolean primary key)`,
    );
    const hints = new Map([
      ["public.sizes.size", ["s", "m"]],
      ["public.roles.role", ["admin", "user"]],
      ["public.flags.flag", ["true", "false"]],
    ]);
    await fill(client, { tier: "plain", hints });
    expect(await column(client, "select size from sizes")).toEqual(["l"]);
    expect(await column(client, "select role from roles")).toEqual(["guest"]);
    expect(await column(client, "select count(*)::int from flags")).toEqual([2]);
    await client.end();
  });

  test("hints come first in the plain tier, and never where a value is unique", async () => {
    const client = await database(
      `create table "A b" (id int primary key, "State" text not null, slug text unique, kind text)`,
    );
    const hints = new Map([
      ['public."A b"."State"', ["open", "done"]],
      ['public."A b".slug', ["alpha-0", "alpha-3"]],
      ['public."A b".id', ["7310002"]],
    ]);
    await fill(client, { tier: "plain", hints });
    expect(await column(client, 'select distinct "State" from "A b" order by 1')).toEqual(["done", "open"]);
    expect(
      await column(client, `select 1 from "A b" where slug in ('alpha-0', 'alpha-3') or id = 7310002`),
    ).toEqual([]);
    expect(await column(client, 'select count(*)::int from "A b"')).toEqual([10]);
    await client.end();
  });
});

describe("the session", () => {
  test.each(["pg_catalog", "", '"nowhere"', "public"])(
    "search_path %j does not matter, and settings stay",
    async (path) => {
      const client = await database(
        `create domain word as text check (length(value) > 2); create type mood as enum ('sad', 'ok'); create table a (id serial primary key, w word, m mood not null);
       create table b (id int primary key, a int not null references a, check (a > 0))`,
      );
      await client.query(`select set_config('search_path', $1, false)`, [path]);
      // PL/pgSQL brings settings of its own once it is loaded.
      await client.query("do $$ begin end $$");
      const settings =
        "select json_agg(s order by name)::text from (select name, setting from pg_catalog.pg_settings) s";
      const before = await column(client, settings);
      expect(shortages(await fill(client))).toEqual({});
      expect(await column(client, settings)).toEqual(before);
      expect(await column(client, "select 1 from pg_catalog.pg_prepared_statements")).toEqual([]);
      await client.end();
    },
  );

  test("forced row security is forced again", async () => {
    const client = await database(
      "create table a (id int); alter table a enable row level security; alter table a force row level security; create policy p on a using (false)",
    );
    expect(await fill(client)).toMatchObject([{ rows: 10 }]);
    expect(await column(client, "select relforcerowsecurity from pg_class where relname = 'a'")).toEqual([
      true,
    ]);
    expect(await contents(client)).toEqual({ "public.a": [] });
    await client.end();
  });

  test("a role that may not write names the table, and the others are filled", async () => {
    const client = await database("create table a (id int)");
    const admin = await server.connect(`fill ${databases}`);
    await admin.query("create table theirs (id int primary key)");
    expect(await fill(client)).toEqual([
      { table: "public.a", wanted: 10, rows: 10, reason: undefined, suspended: false },
      {
        table: "public.theirs",
        wanted: 10,
        rows: 0,
        reason: "The role that fills the tables may not read it and insert into it.",
        suspended: false,
      },
    ]);
    await client.end();
  });

  test("tables of the system, of extensions, temporary and foreign ones are left alone", async () => {
    const client = await database(
      "create temporary table t (id int); create view v as select 1; create materialized view m as select 1; create table a (id int)",
    );
    expect((await fill(client)).map(({ table }) => table)).toEqual(["public.a"]);
    await client.end();
  });

  test.each(["LATIN1", "SQL_ASCII"])("a database in %s", async (encoding) => {
    const admin = await server.connect("postgres");
    await admin.query(
      `create database "in ${encoding}" template template0 encoding ${encoding} lc_collate 'C' lc_ctype 'C'`,
    );
    const client = await server.connect(`in ${encoding}`);
    await client.query(
      "create table a (id serial primary key, name text, short varchar(9) check (short <> 'x'), doc json)",
    );
    expect(await fill(client)).toMatchObject([{ rows: 10 }]);
  });

  test("an empty database", async () => {
    const client = await database("select 1");
    expect(await fill(client)).toEqual([]);
    await client.end();
  });
});
