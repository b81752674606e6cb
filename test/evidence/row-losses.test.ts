import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRows } from "../../src/databases/postgres/row-snapshot";
import { lostByRoundTrip, lostByUpgrade, lostOfTopUp } from "../../src/evidence/lane-losses";
import { rowLosses } from "../../src/evidence/row-losses";
import type { RowLoss, RowSnapshot, TableRows } from "../../src/model/rows";
import { startServer, type TestServer } from "../databases/server";

let server: TestServer;
let client: pg.Client;
beforeAll(async () => {
  server = await startServer();
  client = await server.database("losses");
});
afterAll(() => server[Symbol.asyncDispose]());

const base = `drop schema public cascade; create schema public;
create table team (id serial primary key, name varchar(100) not null, motto text);
create table usr (id serial primary key, team_id int references team on delete cascade, email text, nick varchar(100),
  score numeric(12, 4), big bigint not null, note text, active boolean not null default true, kind text not null default 'a',
  ts timestamptz not null);
create table audit (usr_ref int, msg text not null);
create table log (msg text, last_modified timestamp);
insert into log values ('a', '2024-01-01'), ('b', null);
create table api (id uuid primary key, secret_key text, label text, made date default '2023-01-01', updated_at timestamptz default '2023-01-01 00:00+00');
insert into team (name, motto) values ('Red', 'on'), ('Blue', null);
insert into usr (team_id, email, nick, score, big, note, active, ts) values
  (1, 'a@x', 'al', 1.25, 10, 'n1', true, '2024-05-01 10:00+00'), (1, 'b@x', null, 2.5, 20, 'n2', false, '2024-05-02 00:00+00'),
  (2, 'c@x', '', 1.3, 5000000000, null, true, '2024-05-01 18:00+00');
insert into audit values (1, 'in'), (1, 'in'), (2, 'out');
insert into api values ('00000000-0000-0000-0000-00000000000a', 'hunter2', 'first'), ('00000000-0000-0000-0000-00000000000b', 'hunter3', 'second');`;

function short({ table, column, kind, lost, before, examples, onlyNulls }: RowLoss): string {
  const place = table.replace("public.", "") + (column === undefined ? "" : `.${column}`);
  const nulls = onlyNulls ? " only NULLs" : "";
  return `${place}: ${kind}, ${lost} of ${before}${nulls}${examples.length === 0 ? "" : ` (${examples.join("; ")})`}`;
}

interface Case {
  readonly up: string;
  readonly topUp?: string;
  readonly down: string;
  /** What the upgrade lost; left out: nothing. */
  readonly upgrade?: readonly string[];
  readonly roundTrip?: readonly string[];
  readonly ofTopUp?: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  "a dropped column that is made again empty": {
    up: "alter table usr drop column note",
    down: "alter table usr add column note text",
    upgrade: ["usr.note: column gone, 2 of 2 (n1; n2)"],
    roundTrip: ["usr.note: values changed, 2 of 2 (n1 → NULL; n2 → NULL)"],
  },
  "a dropped column of a secret": {
    up: "alter table api drop column secret_key",
    down: "alter table api add column secret_key text",
    upgrade: ["api.secret_key: column gone, 2 of 2"],
    roundTrip: ["api.secret_key: values changed, 2 of 2"],
  },
  "a secret under another name": {
    up: "alter table api rename label to password; update api set password = upper(password) where password = 'first'",
    down: "update api set password = 'gone'; alter table api rename password to label",
    upgrade: ["api.label: column gone, 2 of 2 (first; second)"],
    roundTrip: ["api.label: values changed, 2 of 2 (first → gone; second → gone)"],
  },
  "a dropped column without values": {
    up: "update team set motto = null; alter table team drop column motto; alter table team add column motto text; alter table team drop column motto",
    down: "alter table team add column motto text",
    upgrade: ["team.motto: column gone, 1 of 1 (on)"],
    roundTrip: ["team.motto: values changed, 1 of 1 (on → NULL)"],
  },
  "rows that a downgrade deletes, and what goes with them": {
    up: "select 1",
    down: "delete from team where id = 1",
    roundTrip: ["team: rows gone, 1 of 2 (id = 1)", "usr: rows gone, 2 of 3 (id = 1; id = 2)"],
  },
  "a narrower number and back": {
    up: "alter table usr alter score type numeric(12, 1)",
    down: "alter table usr alter score type numeric(12, 4)",
    upgrade: ["usr.score: values changed, 1 of 3 (1.2500 → 1.3)"],
    roundTrip: ["usr.score: values changed, 1 of 3 (1.2500 → 1.3000)"],
  },
  "a wider number and back": {
    up: "alter table usr alter score type numeric(16, 8)",
    down: "alter table usr alter score type numeric(12, 4)",
  },
  "a time that becomes a day and a time again": {
    up: "alter table usr alter ts type date",
    down: "alter table usr alter ts type timestamptz",
    upgrade: [
      "usr.ts: values changed, 2 of 3 (2024-05-01 10:00:00+00 → 2024-05-01; 2024-05-01 18:00:00+00 → 2024-05-01)",
    ],
    roundTrip: [
      "usr.ts: values changed, 2 of 3 (2024-05-01 10:00:00+00 → 2024-05-01 00:00:00+00; 2024-05-01 18:00:00+00 → 2024-05-01 00:00:00+00)",
    ],
  },
  "a time with a zone that loses it and gets it back": {
    up: "alter table usr alter ts type timestamp using ts at time zone 'UTC'",
    down: "alter table usr alter ts type timestamptz using ts at time zone 'UTC'",
  },
  "a new column with a default": {
    up: "alter table usr add column z int not null default 7",
    down: "alter table usr drop column z",
  },
  "NULL that becomes a default": {
    up: "update usr set nick = '' where nick is null; alter table usr alter nick set not null",
    down: "alter table usr alter nick drop not null",
    upgrade: ["usr.nick: values changed, 1 of 2 only NULLs (NULL → )"],
    roundTrip: ["usr.nick: values changed, 1 of 2 only NULLs (NULL → )"],
  },
  "a renamed column": {
    up: "alter table usr rename note to remark; alter table usr rename email to mail",
    down: "alter table usr rename remark to note; alter table usr rename mail to email",
  },
  "a renamed key": {
    up: "alter table usr rename id to usr_id",
    down: "alter table usr rename usr_id to id",
  },
  "a renamed table, one in another schema": {
    up: "alter table usr rename to person; create schema s; alter table audit set schema s; alter table api rename to access",
    down: "alter table person rename to usr; alter table s.audit set schema public; alter table access rename to api",
  },
  "a renamed table that lost a column": {
    up: "alter table usr rename to person; alter table person drop column score",
    down: "alter table person rename to usr; alter table usr add score numeric(12, 4)",
    upgrade: ["usr.score: column gone, 3 of 3 (1.2500; 2.5000; 1.3000)"],
    roundTrip: ["usr.score: values changed, 3 of 3 (1.2500 → NULL; 2.5000 → NULL; 1.3000 → NULL)"],
  },
  "a column split off and merged again": {
    up: "alter table usr add n2 text; update usr set n2 = note; alter table usr drop note",
    down: "alter table usr add note text; update usr set note = n2; alter table usr drop n2",
  },
  "a table copied there and back": {
    up: "create table team2 as table team; alter table usr drop constraint usr_team_id_fkey; drop table team",
    down: "create table team as table team2; alter table team add primary key (id); alter table usr add foreign key (team_id) references team; drop table team2",
  },
  "int to bigint and back": {
    up: "alter table audit alter usr_ref type bigint",
    down: "alter table audit alter usr_ref type int",
  },
  "a table that is dropped and made again": {
    up: "drop table audit",
    down: "create table audit (usr_ref int, msg text not null)",
    upgrade: ["audit: table gone, 3 of 3"],
    roundTrip: [
      "audit: rows gone, 3 of 3 (usr_ref = 1, msg = in; usr_ref = 1, msg = in; usr_ref = 2, msg = out)",
    ],
  },
  "values swapped between two rows": {
    up: "select 1",
    down: "update usr set note = case id when 1 then 'n2' else 'n1' end where id in (1, 2)",
    roundTrip: ["usr.note: values moved, 2 of 2 (n1 → n2; n2 → n1)"],
  },
  "values swapped in a table without a key": {
    up: "select 1",
    down: "delete from audit; insert into audit values (1, 'in'), (1, 'out'), (2, 'in')",
    roundTrip: ["audit: values moved, 2 of 3 (usr_ref = 1, msg = in; usr_ref = 2, msg = out)"],
  },
  "values changed in a table without a key": {
    up: "select 1",
    down: "update audit set msg = upper(msg) where usr_ref = 1",
    roundTrip: ["audit.msg: values changed, 2 of 3 (in)"],
  },
  "a duplicate that is deleted": {
    up: "delete from audit where ctid = (select min(ctid) from audit where usr_ref = 1)",
    down: "select 1",
    upgrade: ["audit: rows gone, 1 of 3 (usr_ref = 1, msg = in)"],
    roundTrip: ["audit: rows gone, 1 of 3 (usr_ref = 1, msg = in)"],
  },
  "values that are long": {
    up: "update team set motto = repeat('é', 100)",
    down: "update team set motto = repeat('é', 99) where id = 1; update team set motto = null where id = 2",
    upgrade: [`team.motto: values changed, 1 of 1 (on → ${"é".repeat(11)}… (100 characters))`],
    roundTrip: [`team.motto: values changed, 1 of 1 (on → ${"é".repeat(12)}… (99 characters))`],
  },
  "a table that is emptied": {
    up: "select 1",
    down: "truncate api",
    roundTrip: [
      "api: rows gone, 2 of 2 (id = 00000000-0000-0000-0000-00000000000a; id = 00000000-0000-0000-0000-00000000000b)",
    ],
  },
  "a boolean as a number and back": {
    up: "alter table usr alter active drop default; alter table usr alter active type int using active::int",
    down: "alter table usr alter active type boolean using active::boolean; alter table usr alter active set default true",
  },
  "text as an enum and back": {
    up: "create type kk as enum ('a', 'b'); alter table usr alter kind drop default; alter table usr alter kind type kk using kind::kk",
    down: "alter table usr alter kind type text; alter table usr alter kind set default 'a'; drop type kk",
  },
  "text as a number, where zeros at its start go": {
    up: "update usr set note = '007' where id = 1; update usr set note = '8' where id = 2; alter table usr alter note type int using note::int",
    down: "alter table usr alter note type text",
    upgrade: ["usr.note: values changed, 2 of 2 (n1 → 7; n2 → 8)"],
    roundTrip: ["usr.note: values changed, 2 of 2 (n1 → 7; n2 → 8)"],
  },
  "a uuid as text and back": {
    up: "alter table api alter id type text",
    down: "alter table api alter id type uuid using id::uuid",
  },
  "a key that is made anew": {
    up: "alter table api drop column id; alter table api add column id serial primary key",
    down: "select 1",
    upgrade: [
      "api.id: values changed, 2 of 2 (00000000-0000-0000-0000-00000000000a; 00000000-0000-0000-0000-00000000000b)",
    ],
    roundTrip: [
      "api.id: values changed, 2 of 2 (00000000-0000-0000-0000-00000000000a; 00000000-0000-0000-0000-00000000000b)",
    ],
  },
  "rows that the upgrade puts in and the downgrade takes out": {
    up: "insert into team (name) values ('Green')",
    down: "delete from team where name = 'Green'",
  },
  "rows of the top-up that the downgrade deletes": {
    up: "insert into team (name) values ('Green')",
    topUp:
      "insert into team (id, name) values (90, 'Top'); insert into usr (team_id, big, ts) values (90, 1, now()), (90, 2, now())",
    down: "delete from team where name in ('Green', 'Top')",
    ofTopUp: ["team: rows gone, 1 of 3", "usr: rows gone, 2 of 5"],
  },
  "old rows that the downgrade deletes beside those of the top-up": {
    up: "select 1",
    topUp: "insert into team (id, name) values (90, 'Top')",
    down: "delete from team where id <> 2",
    roundTrip: ["team: rows gone, 1 of 2 (id = 1)", "usr: rows gone, 2 of 3 (id = 1; id = 2)"],
  },
  "rows of the top-up that stay": {
    up: "alter table usr drop column note; alter table usr add n2 int",
    topUp:
      "insert into team (id, name) values (90, 'Top'); insert into audit values (5, 'more'), (6, 'yet more')",
    down: "alter table usr add note text; alter table usr drop n2",
    upgrade: ["usr.note: column gone, 2 of 2 (n1; n2)"],
    roundTrip: ["usr.note: values changed, 2 of 2 (n1 → NULL; n2 → NULL)"],
  },
  "values that the top-up itself changed": {
    up: "alter table team add size int",
    topUp: "update team set motto = 'changed by a trigger' where id = 1",
    down: "alter table team drop size",
  },
  "the time of the last change, which each write moves, and another time": {
    up: "update api set updated_at = now(), made = '2024-01-01'",
    down: "update api set made = '2023-01-01'",
    upgrade: ["api.made: values changed, 2 of 2 (2023-01-01 → 2024-01-01)"],
  },
  "the time of the last change in a table without a key": {
    up: "update log set last_modified = now()",
    down: "update log set msg = 'c', last_modified = now() where msg = 'a'",
    roundTrip: ["log.msg: values changed, 1 of 2 (a)"],
  },
  "the time of the last change, moved back": {
    up: "select 1",
    down: "update api set updated_at = '2022-01-01' where label = 'first'",
    roundTrip: ["api.updated_at: values changed, 1 of 2 (2023-01-01 00:00:00+00 → 2022-01-01 00:00:00+00)"],
  },
  "constraints alone": {
    up: "create unique index on usr (email); alter table usr add check (length(kind) < 3) not valid, alter email set not null",
    down: "alter table usr drop constraint usr_kind_check, alter email drop not null",
  },
};

describe("what is lost on a real server", () => {
  test.each(Object.entries(cases))(
    "%s",
    async (_, { up, down, topUp = "", upgrade = [], roundTrip = [], ofTopUp = [] }) => {
      await client.query(`drop schema if exists s cascade; ${base}`);
      const before = await readRows(client);
      await client.query(up);
      const upgraded = await readRows(client);
      await client.query(topUp);
      const toppedUp = await readRows(client);
      await client.query(down);
      const downgraded = await readRows(client);
      const stations = { base: before, upgraded, toppedUp, downgraded };
      expect({
        upgrade: lostByUpgrade(stations).map(short),
        roundTrip: lostByRoundTrip(stations).map(short),
        ofTopUp: lostOfTopUp(stations).map(short),
      }).toEqual({ upgrade, roundTrip, ofTopUp });
    },
  );
});

/** A table of a whole number, a text and a number with decimals; the first column is its key if `keyed`. */
const anyTable: fc.Arbitrary<TableRows> = fc
  .record({
    keyed: fc.boolean(),
    rows: fc.uniqueArray(
      fc.tuple(
        fc.integer({ min: 0, max: 20 }).map(String),
        fc.option(fc.constantFrom("a", "b", "", "1.0")),
        fc.option(fc.constantFrom("1.50", "2", "0.00")),
      ),
      { minLength: 1, maxLength: 8, selector: ([id]) => id },
    ),
  })
  .map(({ keyed, rows }) => ({
    table: "public.t",
    columns: [
      { name: "id", type: "integer" },
      { name: "word", type: "text" },
      { name: "number", type: "numeric(6,2)" },
    ],
    rows,
    key: keyed ? ["id"] : [],
  }));

const snapshot = (...tables: readonly TableRows[]): RowSnapshot =>
  new Map(tables.map((table) => [table.table, table]));

describe("rowLosses", () => {
  test("sees no loss in rows and columns that are added, in another order, under other names", () => {
    fc.assert(
      fc.property(
        anyTable,
        anyTable,
        fc.boolean(),
        fc.infiniteStream(fc.boolean()),
        (table, more, renamed, order) => {
          const added = more.rows.map(([id = "", ...row]) => [String(Number(id ?? 0) + 100), ...row]);
          const rows = [...table.rows, ...added];
          const mixed = rows
            .map((row) => ({ row, first: order.next().value }))
            .sort((left, right) => Number(right.first) - Number(left.first))
            .map(({ row }) => [`new ${row[0]}`, ...row]);
          const names = renamed ? ["id", "title", "sum"] : table.columns.map(({ name }) => name);
          const columns = names.map((name, at) => ({ ...table.columns[at]!, name }));
          const after: TableRows = {
            ...table,
            table: renamed ? "public.other" : table.table,
            columns: [{ name: "fresh", type: "text" }, ...columns],
            rows: mixed,
          };
          expect(rowLosses(snapshot(table), snapshot(after, { ...more, table: "s.unrelated" }))).toEqual([]);
        },
      ),
    );
  });

  test("sees every row that is deleted", () => {
    fc.assert(
      fc.property(anyTable, fc.nat(), (table, at) => {
        const rows = table.rows.filter((_, index) => index !== at % table.rows.length);
        const losses = rowLosses(snapshot(table), snapshot({ ...table, rows }));
        expect(losses.map(({ kind, lost }) => [kind, lost])).toEqual([["rows gone", 1]]);
      }),
    );
  });

  test("sees every value that is changed", () => {
    fc.assert(
      fc.property(anyTable, fc.nat(), fc.constantFrom(1, 2), (table, at, column) => {
        const changed = at % table.rows.length;
        const rows = table.rows.map((row, index) =>
          index === changed ? row.map((value, place) => (place === column ? "77" : value)) : row,
        );
        const wasNull = table.rows[changed]![column] === null;
        const losses = rowLosses(snapshot(table), snapshot({ ...table, rows }));
        expect(losses).toMatchObject([
          { kind: "values changed", column: table.columns[column]!.name, lost: 1, onlyNulls: wasNull },
        ]);
      }),
    );
  });

  test("counts the rows of a table that was not read or is not to be compared", () => {
    const table = (rows: TableRows["rows"], more: Partial<TableRows> = {}): TableRows => ({
      table: "public.t",
      columns: [{ name: "a", type: "integer" }],
      rows,
      key: [],
      ...more,
    });
    const before = snapshot(table([["1"], ["2"]]));
    const fewer = [{ kind: "rows gone", before: 2, after: 1, lost: 1 }];
    const unread = snapshot(table([], { unread: { reason: "it is too large", rows: 1 } }));
    expect(rowLosses(before, unread)).toMatchObject(fewer);
    expect(rowLosses(unread, before)).toEqual([]);
    const unknown = snapshot(table([], { unread: { reason: "the role may not read it", rows: undefined } }));
    expect(rowLosses(before, unknown)).toEqual([]);
  });
});
