import type { CatalogCase } from "./catalog-cases-tables";

/** What belongs to a table or stands alone: triggers, views, types, functions, and the rare kinds. */
export const objectCases: readonly CatalogCase[] = [
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
