import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTableFacts } from "../../src/databases/postgres/table-facts";
import { type Filling, fill } from "../../src/lanes/lane-rows";
import { refusedValues, unusedRowSettings } from "../../src/lanes/row-steering";
import type { RowLevel } from "../../src/model/deploy-lane";
import type { RowSettings, TableRowSettings } from "../../src/model/row-settings";
import { startServer, type TestServer } from "../databases/server";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let databases = 0;

/** A database with tables whose columns let everything in. */
async function database(): Promise<Client> {
  const client = await server.database(`steered_${databases++}`);
  await client.query(`
    create schema audit;
    create table countries (code text);
    create table users (id serial primary key, nickname text, role text, "Full Name" text, note text);
    create table "Users" (nickname text);
    create table audit.users (nickname text);
    create table log (line text)`);
  return client;
}

function settings(
  tables: readonly Partial<TableRowSettings>[],
  standard: RowSettings["default"] = {},
): RowSettings {
  return {
    default: standard,
    tables: tables.map((table, index) => ({ table: "", line: index + 1, ...table })),
  };
}

/** After a fill: by table the number of rows, and of `users` the values of its columns. */
async function filled(level: RowLevel, given: RowSettings | undefined, rest: Partial<Filling> = {}) {
  const client = await database();
  await fill(client, level, { skip: [], topUp: false, settings: given, ...rest });
  const counts: Record<string, number> = {};
  for (const { key } of await readTableFacts(client)) {
    const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from ${key}`);
    counts[key] = rows[0]?.count ?? 0;
  }
  const { rows: users } = await client.query<Record<string, string | null>>(
    "select * from users order by id",
  );
  await client.end();
  return { counts, users, nicknames: users.map(({ nickname }) => nickname ?? null) };
}

const all = {
  "audit.users": 10,
  'public."Users"': 10,
  "public.countries": 10,
  "public.log": 10,
  "public.users": 10,
};

describe("rows", () => {
  test("are what nobody says anything of: ten, with NULL and duplicates", async () => {
    const { counts, nicknames } = await filled("hostile", undefined);
    expect(counts).toEqual(all);
    expect(nicknames).toContain(null);
    expect(new Set(nicknames).size).toBeLessThan(nicknames.length);
  });

  test("are as many as a table, or all tables, shall have; none in reference tables", async () => {
    const given = settings(
      [
        { table: "public.users", rows: 20 },
        { table: "countries", skip: true },
        { table: '"Users"', rows: 2 },
      ],
      { rows: 3 },
    );
    expect((await filled("hostile", given)).counts).toEqual({
      "audit.users": 3,
      'public."Users"': 2,
      "public.countries": 0,
      "public.log": 3,
      "public.users": 20,
    });
  });

  test("have the values, the distinct ones and none of the NULL that a table says", async () => {
    const given = settings([
      {
        table: "public.users",
        unique: ["nickname"],
        notNull: ["nickname", "role"],
        values: { role: ["admin", "member"], '"Full Name"': ["A B"] },
      },
    ]);
    const { users, nicknames } = await filled("hostile", given);
    expect(new Set(nicknames).size).toBe(10);
    expect(nicknames).not.toContain(null);
    expect(new Set(users.map(({ role }) => role))).toEqual(new Set(["admin", "member"]));
    expect(new Set(users.map((user) => user["Full Name"]))).toEqual(new Set(["A B", null]));
    expect(users.map(({ note }) => note)).toContain(null);
  });

  test("are plain where a table, or all, shall have these; a wilder table stays as the level has it", async () => {
    const plain = await filled("hostile", settings([{ table: "public.users", tier: "plain" }]));
    expect(plain.nicknames).not.toContain(null);
    const others = await filled(
      "hostile",
      settings([{ table: "public.users", tier: "hostile" }], { tier: "plain" }),
    );
    expect(others.nicknames).toContain(null);
    const tame = await filled("plain", settings([{ table: "public.users", tier: "hostile" }]));
    expect(tame.nicknames).not.toContain(null);
  });

  test("are one where a single one is asked for, whatever the settings want", async () => {
    const { counts } = await filled("single", settings([{ table: "public.users", rows: 20 }], { rows: 5 }));
    expect(Object.values(counts)).toEqual([1, 1, 1, 1, 1]);
  });

  test("have what the change names, where they are plain", async () => {
    const hints = new Map([["public.users.role", ["a", "b"]]]);
    const plain = await filled("plain", undefined, { hints });
    expect(new Set(plain.users.map(({ role }) => role))).toEqual(new Set(["a", "b"]));
    const hostile = await filled("hostile", undefined, { hints });
    expect(hostile.users.map(({ role }) => role)).not.toContain("b");
  });
});

test("what steers nothing is told, with the nearest name", async () => {
  const client = await database();
  const tables = await readTableFacts(client);
  await client.end();
  const given = settings([
    {
      table: "public.users",
      unique: ["nicknam"],
      notNull: ["Full Name"],
      values: { nickname: ["a"], rôle: ["b"] },
    },
    { table: "users", rows: 3 },
    { table: "contries", skip: true },
    { table: "audit.user", rows: 3 },
    { table: "nowhere" },
    { table: "log", notNull: ['"line"'] },
  ]);
  // The change's head has the same tables again.
  expect(unusedRowSettings(given, [...tables, ...tables])).toEqual([
    { table: "public.users", column: "rôle", line: 1, among: ["public.users"], nearest: "role" },
    { table: "public.users", column: "nicknam", line: 1, among: ["public.users"], nearest: "nickname" },
    {
      table: "users",
      column: undefined,
      line: 2,
      among: ["audit.users", "public.users"],
      nearest: undefined,
    },
    { table: "contries", column: undefined, line: 3, among: [], nearest: "countries" },
    { table: "audit.user", column: undefined, line: 4, among: [], nearest: "audit.users" },
    { table: "nowhere", column: undefined, line: 5, among: [], nearest: undefined },
  ]);
  expect(unusedRowSettings(undefined, tables)).toEqual([]);
});

test("values that a column does not take are told, and the others stay", async () => {
  const client = await database();
  await client.query(
    "create type state as enum ('open', 'closed'); alter table log add column state state, add column size int check (size < 10)",
  );
  const tables = await readTableFacts(client);
  const given = settings([
    { table: "log", values: { state: ["open", "opne"], size: ["3", "30", "x"], line: ["a"] } },
    { table: "users", values: { role: ["a"] } },
  ]);
  const made = await fill(client, "hostile", { skip: [], topUp: false, settings: given });
  const { rows } = await client.query<{ states: string[]; sizes: number[] }>(
    "select array_agg(distinct state) filter (where state is not null)::text[] as states, array_agg(distinct size) filter (where size is not null) as sizes from log",
  );
  await client.end();
  expect(rows).toEqual([{ states: ["open"], sizes: [3] }]);
  expect(refusedValues(given, tables, made)).toEqual([
    { table: "log", column: "state", line: 1, among: ["public.log"], refused: ["opne"], nearest: undefined },
    {
      table: "log",
      column: "size",
      line: 1,
      among: ["public.log"],
      refused: ["30", "x"],
      nearest: undefined,
    },
  ]);
});
