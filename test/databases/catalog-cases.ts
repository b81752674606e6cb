/** A change of the schema that pg_dump prints, and its undo; `from` is the first major version that has it. */
export interface CatalogCase {
  readonly name: string;
  readonly up: string;
  readonly down: string;
  readonly from?: number;
}

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

export const cases: readonly CatalogCase[] = [
  // Tables
  { name: "a table", up: "create table n (a int)", down: "drop table n" },
  { name: "a table's name", up: "alter table child rename to kid", down: "alter table kid rename to child" },
  {
    name: "a table's schema",
    up: "alter table child set schema app",
    down: "alter table app.child set schema public",
  },
  {
    name: "an owner",
    up: "alter table child owner to mg_reader",
    down: "alter table child owner to postgres",
  },
  { name: "a privilege", up: "grant insert on t to mg_reader", down: "revoke insert on t from mg_reader" },
  {
    name: "all privileges revoked from the owner",
    up: "revoke all on child from postgres",
    down: "grant all on child to postgres",
  },
  { name: "an unlogged table", up: "alter table child set unlogged", down: "alter table child set logged" },
  {
    name: "row security",
    up: "alter table child enable row level security",
    down: "alter table child disable row level security",
  },
  {
    name: "forced row security",
    up: "alter table t force row level security",
    down: "alter table t no force row level security",
  },
  {
    name: "replica identity full",
    up: "alter table child replica identity full",
    down: "alter table child replica identity default",
  },
  {
    name: "replica identity by an index",
    up: "alter table t replica identity using index t_ref",
    down: "alter table t replica identity default",
  },
  {
    name: "a storage parameter",
    up: "alter table child set (fillfactor = 70)",
    down: "alter table child reset (fillfactor)",
  },
  {
    name: "a storage parameter of the toast table",
    up: "alter table t set (toast.autovacuum_enabled = off)",
    down: "alter table t reset (toast.autovacuum_enabled)",
  },
  {
    name: "the index that a table is clustered on",
    up: "alter table t cluster on t_pkey",
    down: "alter table t set without cluster",
  },
  {
    name: "a partition attached",
    up: "alter table parent attach partition part2 for values from (10) to (20)",
    down: "alter table parent detach partition part2; drop index part2_b_idx",
  },
  {
    name: "a partition detached",
    up: "alter table parent detach partition part1",
    down: "alter table parent attach partition part1 for values from (0) to (10)",
  },
  {
    name: "a partition bound",
    up: "alter table parent detach partition part1; alter table parent attach partition part1 for values from (0) to (11)",
    down: "alter table parent detach partition part1; alter table parent attach partition part1 for values from (0) to (10)",
  },
  {
    name: "an inherited table",
    up: "alter table child inherit base",
    down: "alter table child no inherit base",
  },
  { name: "a typed table", up: "create table n of pair (primary key (l))", down: "drop table n" },
  { name: "a table no longer typed", up: "alter table typed not of", down: "alter table typed of pair" },
  {
    name: "options of a foreign table",
    up: "alter foreign table ft options (set t '2')",
    down: "alter foreign table ft options (set t '1')",
  },
  {
    name: "a comment with a quote and a line break",
    up: "comment on table t is e'it''s\\n\"two\"'",
    down: "comment on table t is null",
  },
  {
    name: "a hard table name",
    up: 'alter table "T ""q"".é" rename to "T.é"',
    down: 'alter table "T.é" rename to "T ""q"".é"',
  },
  {
    name: "a name of 63 bytes",
    up: `create table "${"é".repeat(31)}x" (a int)`,
    down: `drop table "${"é".repeat(31)}x"`,
  },
  // Columns
  { name: "a column", up: "alter table t add z int", down: "alter table t drop z" },
  {
    name: "a hard column name",
    up: 'alter table "T ""q"".é" rename "C ""c"".ü" to "C.ü"',
    down: 'alter table "T ""q"".é" rename "C.ü" to "C ""c"".ü"',
  },
  {
    name: "a column's length",
    up: "drop view v; drop materialized view mv; alter table t alter name type varchar(120)",
    down: "alter table t alter name type varchar(100); create view v as select id, name from t where flag; create materialized view mv as select id, name from t",
  },
  {
    name: "a column's type",
    up: "alter table child alter y type bigint",
    down: "alter table child alter y type int",
  },
  {
    name: "NOT NULL",
    up: "alter table child alter y set not null",
    down: "alter table child alter y drop not null",
  },
  {
    name: "a default",
    up: "alter table t alter name set default 'y'",
    down: "alter table t alter name set default 'x'",
  },
  {
    name: "a stored generated column",
    up: "alter table child add g int generated always as (z * 2) stored",
    down: "alter table child drop g",
  },
  {
    name: "a virtual generated column",
    from: 18,
    up: "alter table child add g int generated always as (z * 2) virtual",
    down: "alter table child drop g",
  },
  {
    name: "an identity's kind",
    up: "alter table t alter id set generated by default",
    down: "alter table t alter id set generated always",
  },
  {
    name: "an identity's increment",
    up: "alter table t alter id set increment by 5",
    down: "alter table t alter id set increment by 1",
  },
  {
    name: "a column's collation",
    up: 'alter table child add c text collate "C"',
    down: "alter table child drop c",
  },
  {
    name: "a column's storage",
    up: "alter table t alter note set storage external",
    down: "alter table t alter note set storage extended",
  },
  {
    name: "a column's compression",
    up: "alter table t alter note set compression pglz",
    down: "alter table t alter note set compression default",
  },
  {
    name: "a column's statistics target",
    up: "alter table t alter name set statistics 500",
    down: "alter table t alter name set statistics -1",
  },
  {
    name: "a column's options",
    up: "alter table t alter name set (n_distinct = 5)",
    down: "alter table t alter name reset (n_distinct)",
  },
  {
    name: "a column's server options",
    up: "alter foreign table ft alter a options (set c '2')",
    down: "alter foreign table ft alter a options (set c '1')",
  },
  {
    name: "a column's privileges",
    up: "grant select (id) on t to mg_reader",
    down: "revoke select (id) on t from mg_reader",
  },
  { name: "a column's comment", up: "comment on column t.id is 'z'", down: "comment on column t.id is null" },
  {
    name: "a view column's default",
    up: "alter view v alter name set default 'z'",
    down: "alter view v alter name drop default",
  },
  {
    name: "a view column's comment",
    up: "comment on column v.id is 'z'",
    down: "comment on column v.id is null",
  },
  {
    name: "an inherited column that is local, too",
    up: "alter table child add b int; create table kin (b int) inherits (child)",
    down: "drop table kin; alter table child drop b",
  },
  // Indexes and constraints
  { name: "an index", up: "create index n on t (flag) where flag", down: "drop index n" },
  { name: "an index dropped", up: "drop index t_name", down: "create index t_name on t (name)" },
  { name: "an index's name", up: "alter index t_name rename to n", down: "alter index n rename to t_name" },
  {
    name: "an index's storage parameter",
    up: "alter index t_name set (fillfactor = 50)",
    down: "alter index t_name reset (fillfactor)",
  },
  {
    name: "the storage parameter of a primary key's index",
    up: "alter index t_pkey set (fillfactor = 50)",
    down: "alter index t_pkey reset (fillfactor)",
  },
  {
    name: "an index's statistics target",
    up: "alter index t_expression alter column 1 set statistics 99",
    down: "alter index t_expression alter column 1 set statistics -1",
  },
  {
    name: "an attached index",
    up: "create index kin on only parent (c); create index kin1 on part1 (c); alter index kin attach partition kin1",
    down: "drop index kin",
  },
  {
    name: "an index with NULLs not distinct",
    from: 15,
    up: "create unique index n on t (p) nulls not distinct",
    down: "drop index n",
  },
  {
    name: "an index's comment",
    up: "comment on index t_name is 'i'",
    down: "comment on index t_name is null",
  },
  {
    name: "a check",
    up: "alter table t add constraint ck check (id > 0)",
    down: "alter table t drop constraint ck",
  },
  {
    name: "a check that was not validated",
    up: "alter table t add constraint ck check (id > 0) not valid",
    down: "alter table t drop constraint ck",
  },
  {
    name: "a foreign key",
    up: "alter table child add foreign key (y) references t deferrable initially deferred",
    down: "alter table child drop constraint child_y_fkey",
  },
  {
    name: "a foreign key made deferrable",
    up: "alter table t alter constraint t_ref_fkey deferrable",
    down: "alter table t alter constraint t_ref_fkey not deferrable",
  },
  {
    name: "a unique constraint",
    up: "alter table t add constraint uq unique (name, flag)",
    down: "alter table t drop constraint uq",
  },
  {
    name: "an exclusion constraint",
    up: "alter table child add constraint ex exclude (z with =)",
    down: "alter table child drop constraint ex",
  },
  {
    name: "a constraint's name",
    up: "alter table t rename constraint t_pkey to pk",
    down: "alter table t rename constraint pk to t_pkey",
  },
  {
    name: "a constraint's comment",
    up: "comment on constraint t_pkey on t is 'k'",
    down: "comment on constraint t_pkey on t is null",
  },
  {
    name: "NOT NULL that was not validated",
    from: 18,
    up: "alter table child add constraint nn not null y not valid",
    down: "alter table child drop constraint nn",
  },
  {
    name: "a check that is not enforced",
    from: 18,
    up: "alter table child add constraint ne check (y > 0) not enforced",
    down: "alter table child drop constraint ne",
  },
  // Triggers, policies, rules, views
  {
    name: "a trigger",
    up: "create trigger n after insert on t for each row when (new.flag) execute function act()",
    down: "drop trigger n on t",
  },
  {
    name: "a constraint trigger",
    up: "create constraint trigger n after insert on t deferrable for each row execute function act()",
    down: "drop trigger n on t",
  },
  {
    name: "a disabled trigger",
    up: "alter table t disable trigger tr",
    down: "alter table t enable trigger tr",
  },
  {
    name: "a trigger's comment",
    up: "comment on trigger tr on t is 'g'",
    down: "comment on trigger tr on t is null",
  },
  {
    name: "a policy's expression",
    up: "alter policy po on t using (true)",
    down: "alter policy po on t using (flag)",
  },
  {
    name: "a policy's roles",
    up: "alter policy po on t to mg_reader",
    down: "alter policy po on t to public",
  },
  {
    name: "a restrictive policy",
    up: "create policy n on t as restrictive for update with check (flag)",
    down: "drop policy n on t",
  },
  { name: "a rule", up: "create rule n as on update to v do instead nothing", down: "drop rule n on v" },
  { name: "a disabled rule", up: "alter table t disable rule ru", down: "alter table t enable rule ru" },
  {
    name: "a view's query",
    up: "create or replace view v as select id, name from t where not flag",
    down: "create or replace view v as select id, name from t where flag",
  },
  {
    name: "a view's option",
    up: "alter view v set (security_barrier)",
    down: "alter view v reset (security_barrier)",
  },
  {
    name: "a view's check option",
    up: "create or replace view v with (check_option = local) as select id, name from t where flag",
    down: "create or replace view v as select id, name from t where flag",
  },
  {
    name: "a recursive view",
    up: "create recursive view n (a) as select 1 union select a from n",
    down: "drop view n",
  },
  // Sequences and statistics
  {
    name: "a sequence's increment",
    up: "alter sequence s increment 3",
    down: "alter sequence s increment 1",
  },
  {
    name: "a sequence's owner column",
    up: "alter sequence s owned by t.id",
    down: "alter sequence s owned by none",
  },
  { name: "a sequence's type", up: "alter sequence s as int", down: "alter sequence s as bigint" },
  {
    name: "extended statistics",
    up: "create statistics n (mcv) on id, ref from t",
    down: "drop statistics n",
  },
  {
    name: "the target of extended statistics",
    up: "alter statistics st set statistics 5",
    down: "alter statistics st set statistics -1",
  },
  // Types
  { name: "an enum", up: "create type n as enum ('x')", down: "drop type n" },
  {
    name: "an enum label in the middle",
    up: "create type n as enum ('x', 'z'); alter type n add value 'y' before 'z'",
    down: "drop type n",
  },
  {
    name: "an enum label's name, and a default that shows it",
    up: "alter type mood rename value 'a' to 'aa'",
    down: "alter type mood rename value 'aa' to 'a'",
  },
  {
    name: "a type's name, and the columns that show it",
    up: "alter type mood rename to temper",
    down: "alter type temper rename to mood",
  },
  {
    name: "a type's privileges",
    up: "revoke usage on type mood from public",
    down: "grant usage on type mood to public",
  },
  {
    name: "a domain",
    up: "create domain n as varchar(3) collate \"C\" default 'q' not null",
    down: "drop domain n",
  },
  {
    name: "a domain's NOT NULL",
    up: "alter domain posint set not null",
    down: "alter domain posint drop not null",
  },
  {
    name: "a domain's default",
    up: "alter domain posint set default 5",
    down: "alter domain posint drop default",
  },
  {
    name: "a domain's check",
    up: "alter domain posint add constraint n check (value < 9) not valid",
    down: "alter domain posint drop constraint n",
  },
  {
    name: "a composite type's attribute",
    up: "alter type pair add attribute z int cascade",
    down: "alter type pair drop attribute z cascade",
  },
  {
    name: "a composite type's comment",
    up: "comment on type pair is 'p'",
    down: "comment on type pair is null",
  },
  {
    name: "a composite type's privileges",
    up: "revoke usage on type pair from public",
    down: "grant usage on type pair to public",
  },
  {
    name: "a range type",
    up: "create type n as range (subtype = float8, subtype_diff = float8mi)",
    down: "drop type n",
  },
  {
    name: "a base type",
    up: "create type n; create function nin(cstring) returns n language internal immutable strict as 'textin'; create function nout(n) returns cstring language internal immutable strict as 'textout'; create type n (input = nin, output = nout)",
    down: "drop type n cascade",
  },
  { name: "a shell type", up: "create type n", down: "drop type n" },
  // Functions
  {
    name: "a function's body",
    up: "create or replace function one(a int) returns int language sql immutable as 'select 2'",
    down: "create or replace function one(a int) returns int language sql immutable as 'select 1'",
  },
  {
    name: "a function's setting",
    up: "alter function one set work_mem = '1MB'",
    down: "alter function one reset work_mem",
  },
  {
    name: "a function's name, and the trigger that shows it",
    up: "alter function act rename to react",
    down: "alter function react rename to act",
  },
  {
    name: "a function's owner",
    up: "alter function one owner to mg_reader",
    down: "alter function one owner to postgres",
  },
  {
    name: "a function's privileges",
    up: "revoke execute on function one from public",
    down: "grant execute on function one to public",
  },
  {
    name: "a function with another argument type",
    up: "create function one(a text) returns int language sql as 'select 1'",
    down: "drop function one(text)",
  },
  {
    name: "a function of SQL statements",
    up: "create function n() returns bigint begin atomic select count(*) from t; end",
    down: "drop function n",
  },
  {
    name: "a procedure",
    up: "create or replace procedure doit() language sql as 'select 2'",
    down: "create or replace procedure doit() language sql as 'select 1'",
  },
  {
    name: "an aggregate",
    up: "create or replace aggregate total (int) (sfunc = int4pl, stype = int, initcond = '1')",
    down: "create or replace aggregate total (int) (sfunc = int4pl, stype = int, initcond = '0')",
  },
  {
    name: "a function that depends on an extension",
    up: "alter function one depends on extension citext",
    down: "alter function one no depends on extension citext",
  },
  {
    name: "an index that depends on an extension",
    up: "alter index t_name depends on extension citext",
    down: "alter index t_name no depends on extension citext",
  },
  // Schemas, extensions, roles
  { name: "a schema", up: "create schema n authorization mg_reader", down: "drop schema n" },
  { name: "a schema's name", up: "alter schema app rename to n", down: "alter schema n rename to app" },
  {
    name: "a schema's privileges",
    up: "grant usage on schema app to mg_reader",
    down: "revoke usage on schema app from mg_reader",
  },
  {
    name: "the comment of public",
    up: "comment on schema public is 'ours'",
    down: "comment on schema public is 'standard public schema'",
  },
  { name: "an extension", up: "create extension hstore", down: "drop extension hstore" },
  {
    name: "an extension's schema",
    up: "alter extension citext set schema app",
    down: "alter extension citext set schema public",
  },
  {
    name: "a function that joins an extension",
    up: "alter extension citext add function one(int)",
    down: "alter extension citext drop function one(int)",
  },
  {
    name: "an event trigger",
    up: "create event trigger n on ddl_command_end when tag in ('DROP TABLE') execute function evt()",
    down: "drop event trigger n",
  },
  {
    name: "default privileges of a schema",
    up: "alter default privileges in schema app grant select on tables to mg_reader",
    down: "alter default privileges in schema app revoke select on tables from mg_reader",
  },
  {
    name: "default privileges",
    up: "alter default privileges revoke execute on functions from public",
    down: "alter default privileges grant execute on functions to public",
  },
  // Operators and what else is rare
  {
    name: "an operator",
    up: "create operator === (leftarg = int, rightarg = int, function = int4eq, hashes)",
    down: "drop operator === (int, int)",
  },
  {
    name: "an operator class",
    up: "create operator class n for type int using btree as operator 1 <, operator 3 =, function 1 btint4cmp(int, int)",
    down: "drop operator family n using btree",
  },
  {
    name: "a member of an operator family",
    up: "alter operator family fam using btree add operator 1 < (int, int)",
    down: "alter operator family fam using btree drop operator 1 (int, int)",
  },
  {
    name: "a cast",
    up: "create cast (mood as int) with function moodint(mood) as assignment",
    down: "drop cast (mood as int)",
  },
  { name: "a collation", up: "create collation n (provider = libc, locale = 'C')", down: "drop collation n" },
  {
    name: "a collation's name, and the column that shows it",
    up: "alter table child add c text collate coll; alter collation coll rename to n",
    down: "alter collation n rename to coll; alter table child drop c",
  },
  {
    name: "a conversion",
    up: "create conversion n for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
    down: "drop conversion n",
  },
  {
    name: "a text search configuration",
    up: "create text search configuration n (copy = english)",
    down: "drop text search configuration n",
  },
  {
    name: "a mapping of a text search configuration",
    up: "alter text search configuration tsc alter mapping for word with simple",
    down: "alter text search configuration tsc alter mapping for word with english_stem",
  },
  {
    name: "a text search dictionary's option",
    up: "alter text search dictionary tsd (accept = true)",
    down: "alter text search dictionary tsd (accept = false)",
  },
  {
    name: "a text search template",
    up: "create text search template n (lexize = dsimple_lexize)",
    down: "drop text search template n",
  },
  {
    name: "a text search parser",
    up: "create text search parser n (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)",
    down: "drop text search parser n",
  },
  { name: "a language", up: "create language n handler plpgsql_call_handler", down: "drop language n" },
  {
    name: "a transform",
    up: "create function fromsql(internal) returns internal language internal immutable as 'prsd_lextype'; create transform for mood language sql (from sql with function fromsql(internal))",
    down: "drop function fromsql cascade",
  },
  {
    name: "an access method",
    up: "create access method n type index handler bthandler",
    down: "drop access method n",
  },
  {
    name: "a foreign-data wrapper's option",
    up: "alter foreign data wrapper wrap options (set k '2')",
    down: "alter foreign data wrapper wrap options (set k '1')",
  },
  {
    name: "a server's option",
    up: "alter server far options (set host 'two')",
    down: "alter server far options (set host 'one')",
  },
  {
    name: "a server's privileges",
    up: "grant usage on foreign server far to mg_reader",
    down: "revoke usage on foreign server far from mg_reader",
  },
  {
    name: "a user mapping",
    up: "create user mapping for mg_reader server far options (password 'secret')",
    down: "drop user mapping for mg_reader server far",
  },
  {
    name: "a publication",
    up: "create publication n for all tables with (publish = 'insert')",
    down: "drop publication n",
  },
  {
    name: "a publication's table",
    up: "alter publication pub add table child",
    down: "alter publication pub drop table child",
  },
  {
    name: "a publication's columns and rows",
    from: 15,
    up: "alter publication pub set table t (id, flag) where (id > 3)",
    down: "alter publication pub set table t",
  },
  {
    name: "a publication's schema",
    from: 15,
    up: "alter publication pub add tables in schema app",
    down: "alter publication pub drop tables in schema app",
  },
  {
    name: "a subscription",
    up: "create subscription n connection 'host=nowhere password=secret' publication pub with (connect = false)",
    down: "alter subscription n set (slot_name = none); drop subscription n",
  },
];

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
