/** A change of the schema that pg_dump prints, and its undo; `from` is the first major version that has it. */
export interface CatalogCase {
  readonly name: string;
  readonly up: string;
  readonly down: string;
  readonly from?: number;
}

/** Tables, columns, indexes and constraints. */
export const tableCases: readonly CatalogCase[] = [
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
];
