import { objectCases } from "./catalog-cases-objects";
import { type CatalogCase, tableCases } from "./catalog-cases-tables";

/** What every case begins with. Names are hard on purpose in the table `"T ""q"".é"`. */
export const baseSchema = `
create schema app;
create type mood as enum ('a', 'b', 'c');
create type pair as (l int, r text);
create domain posint as int check (value > 0);
create function act() returns trigger language plpgsql as 'begin return new; end';
create function evt() returns event_trigger language plpgsql as 'begin end';
create function one(a int) returns int language sql immutable as 'select 1';
create function moodint(mood) returns int language sql immutable as 'select 1';
create table t (id bigint generated always as identity primary key, name varchar(100) not null default 'x', m mood default 'a',
  p posint, amount numeric(12,2) check (amount >= 0), ref bigint references t (id) on delete cascade, flag boolean not null, note text);
create table "T ""q"".é" ("C ""c"".ü" int, "two
lines" text);
create index t_name on t (name);
create index t_expression on t (lower(name));
create unique index t_ref on t (ref, flag);
alter table t alter ref set not null;
create trigger tr before update on t for each row execute function act();
alter table t enable row level security;
create policy po on t using (flag);
create rule ru as on delete to t do also select 1;
create view v as select id, name from t where flag;
create materialized view mv as select id, name from t;
create sequence s;
create statistics st (dependencies) on name, flag from t;
create table parent (a int, b text, c int) partition by range (a);
create index parent_b on only parent (b);
create table part1 partition of parent for values from (0) to (10);
create table part2 (a int, b text, c int);
create table part3 (b text, a int, c int);
create index part1_b on part1 (b);
create trigger ptr after insert on parent for each row execute function act();
create table base (z int);
create table child (z int, y int);
create table typed of pair;
create foreign data wrapper wrap options (k '1');
create server far foreign data wrapper wrap options (host 'one');
create foreign table ft (a int options (c '1')) server far options (t '1');
create collation coll from "C";
create publication pub for table t;
create text search configuration tsc (copy = english);
create text search dictionary tsd (template = simple, accept = false);
create aggregate total (int) (sfunc = int4pl, stype = int, initcond = '0');
create procedure doit() language sql as 'select 1';
create operator family fam using btree;
create extension citext`;

export const cases: readonly CatalogCase[] = [...tableCases, ...objectCases];

/** Statements that change nothing a dump prints. */
export const silentCases: readonly { readonly name: string; readonly sql: string }[] = [
  { name: "GRANT and then REVOKE", sql: "grant select on t to mg_reader; revoke select on t from mg_reader" },
  {
    name: "a column at the end dropped and added again",
    sql: "alter table t drop note; alter table t add note text",
  },
  {
    name: "rows",
    sql: "insert into t (id, name, flag, ref) overriding system value values (1000, 'q', true, 1000)",
  },
  { name: "ANALYZE", sql: "analyze" },
  { name: "REINDEX", sql: "reindex table t" },
  { name: "CLUSTER and VACUUM FULL of the catalog", sql: "vacuum full pg_catalog.pg_attribute" },
  {
    name: "a temporary table",
    sql: "create temp table temporary (id int primary key, a text check (a <> '') default 'x')",
  },
  { name: "a sequence's value", sql: "select nextval('s')" },
  { name: "a setting of the database", sql: "alter database agreement set work_mem = '2MB'" },
];
