/** A table, or some that belong together, that is hard to fill. */
export interface HardCase {
  /** What is hard. */
  readonly name: string;
  readonly sql: string;
  /** Tables that get fewer rows than wanted, as in catalog keys: how many of 10, and what the reason must say. */
  readonly fewer?: Readonly<Record<string, readonly [rows: number, reason: RegExp]>>;
  /** The oldest PostgreSQL that has it. */
  readonly since?: number;
  readonly extension?: string;
}

const longName = "very_long_table_name_of_sixty_three_bytes_that_is_cut_nowhere_x";

/** Everything that an owner without superuser can create. */
export const hardCases: readonly HardCase[] = [
  {
    name: "names with quotes, spaces, upper case, reserved words, 63 bytes and other letters",
    sql: `create schema "My Schema";
      create table "My Schema"."Ta""ble 'x' ünï" ("select" int primary key, "a b" text check ("a b" <> 'x'), "Ü""'" varchar(5) not null, "v" text, "p0" int check ("p0" > 2));
      create table "My Schema".${longName} (id int primary key, "order" int references "My Schema"."Ta""ble 'x' ünï", "migration gate 0" text check (length("migration gate 0") > 3));
      create table "group" ("user" text, "table" int unique, "check" text check ("check" in ('it''s', 'back\\slash')))`,
  },
  {
    name: "every base type",
    sql: `create table base_types (a smallint, b int, c bigint, d numeric, e numeric(3,2), f numeric(12,4), g real, h double precision, i money, j boolean,
      k text, l varchar(3), m varchar, n char(4), o "char", p name, q date, r time, s timetz, t timestamp, u timestamptz, v interval, w uuid, x json, y jsonb,
      z bytea, aa inet, ab cidr, ac macaddr, ad macaddr8, ae point, af line, ag lseg, ah box, ai path, aj polygon, ak circle, al tsvector, am tsquery,
      an xml, ao bit(3), ap varbit(5), aq int4range, ar tstzrange, at_ oid, au pg_lsn, av jsonpath, aw numeric(5,0), ax numeric(2,2));
      create table base_types_unique (a smallint unique, b int unique, d numeric unique, e numeric(3,2) unique, g real unique, k text unique, l varchar(3) unique,
      n char(2) unique, q date unique, r time unique, t timestamp unique, v interval unique, w uuid unique, y jsonb unique, z bytea unique, aa inet unique, ao bit(6) unique, aq int4range unique)`,
  },
  {
    name: "enums, domains, composites, arrays and ranges of these",
    sql: `create type mood as enum ('sad', 'ok', 'very happy');
      create domain email_address as text check (value ~ '^[a-z0-9._]+@[a-z]+\\.(com|org)$');
      create domain small as int check (value > 0 and value < 50);
      create domain tiny as small not null check (value < 10);
      create type address as (street text, zip int, feeling mood);
      create type span as range (subtype = float8);
      create table kinds (id int primary key, m mood not null, ms mood[] not null, mail email_address unique, s small, t tiny, ts tiny[], a address, aa address[], sp span,
        texts varchar(5)[], grid int[][], days daterange not null)`,
  },
  { name: "multiranges", since: 14, sql: "create table multi (a int4multirange not null, b datemultirange)" },
  {
    name: "tenants: composite keys, and a CHECK between two of them",
    sql: `create table tenant (id uuid primary key default gen_random_uuid(), slug text not null unique check (slug ~ '^[a-z][a-z0-9-]{2,20}$'), created timestamptz default now());
      create table person (tenant_id uuid not null references tenant, id int generated always as identity, mail text not null,
        mail_low text generated always as (lower(mail)) stored, m text not null default 'ok', primary key (tenant_id, id), unique (mail_low));
      create unique index on person (tenant_id, lower(mail));
      create unique index one_boss on person (tenant_id) where m = 'boss';
      create table manager (tenant_id uuid not null, person_id int not null, boss_id int, foreign key (tenant_id, person_id) references person,
        foreign key (tenant_id, boss_id) references person, primary key (tenant_id, person_id), check (boss_id is distinct from person_id));
      create table full_key (id int primary key, tenant_id uuid, person_id int, foreign key (tenant_id, person_id) references person match full)`,
  },
  {
    name: "a table that refers to itself",
    sql: `create table tree (id int primary key, parent int not null references tree);
      create table tree_nullable (id serial primary key, parent int references tree_nullable check (parent <> id));
      create table tree_tenant (org int not null, id int not null, parent int, primary key (org, id), foreign key (org, parent) references tree_tenant)`,
  },
  {
    name: "circles of NOT NULL keys",
    sql: `create table ring_a (id serial primary key, b int not null); create table ring_b (id serial primary key, a int not null references ring_a);
      alter table ring_a add foreign key (b) references ring_b;
      create table late_a (id int primary key, b int not null unique); create table late_b (id int primary key, a int not null references late_a deferrable);
      alter table late_a add foreign key (b) references late_b deferrable initially deferred;
      create table same_a (id int primary key); create table same_b (id int primary key references same_a); create table same_c (id int primary key references same_b, x text not null);
      alter table same_a add foreign key (id) references same_c`,
  },
  {
    name: "circles with a key that may be NULL",
    sql: `create table author (id serial primary key, best int); create table book (id serial primary key, author int not null references author);
      alter table author add foreign key (best) references book;
      create table egg (id int primary key, hen int); create table hen (id int primary key, egg int references egg); alter table egg add foreign key (hen) references hen`,
  },
  {
    name: "exclusion over two columns",
    extension: "btree_gist",
    sql: `create table booking (id bigserial primary key, room int not null, during tstzrange not null, exclude using gist (room with =, during with &&),
      check (not isempty(during)), check (upper(during) - lower(during) < interval '2 days'))`,
  },
  {
    name: "exclusion over an expression",
    sql: `create table shift (id int primary key, starts timestamptz not null, ends timestamptz not null, check (ends > starts),
      exclude using gist (tstzrange(starts, ends) with &&));
      create table season (name text, exclude using hash (name with =))`,
  },
  {
    name: "partitions by range, list, hash, and of partitions",
    sql: `create table event (id bigint not null, at timestamptz not null, kind text not null, primary key (id, at)) partition by range (at);
      create table event_23 partition of event for values from ('2019-01-01') to ('2020-01-01');
      create table by_list (k text not null, n int) partition by list (k); create table by_list_a partition of by_list for values in ('aa', 'bb');
      create table by_hash (id int primary key) partition by hash (id); create table by_hash_0 partition of by_hash for values with (modulus 2, remainder 0);
      create table nested (a int not null, b text not null) partition by range (a); create table nested_1 partition of nested for values from (100) to (200) partition by list (b);
      create table nested_1x partition of nested_1 for values in ('x', 'y');
      create table by_expression (id int, name text) partition by list (upper(name)); create table by_expression_a partition of by_expression for values in ('ALPHA', 'GOLD');
      create table to_partitioned (id int primary key, e bigint, at timestamptz, foreign key (e, at) references event)`,
  },
  {
    name: "a partitioned table without a partition",
    sql: "create table no_partition (a int) partition by range (a)",
    fewer: { "public.no_partition": [0, /has no partition/] },
  },
  {
    name: "CHECKs over several columns",
    sql: `create table checks (a int, b int, c int check (c % 7 = 3), s text check (length(s) = 11 and s ~ '^[A-Z]{2}\\d+$'), j jsonb check (jsonb_typeof(j -> 'items') = 'array'),
      t1 timestamptz not null, t2 timestamptz not null, kind text not null, ref_a uuid, ref_b uuid, lo numeric(6,2) not null, hi numeric(6,2) not null, check (num_nonnulls(a, b) = 1), check (t2 > t1),
      check ((kind = 'a' and ref_a is not null and ref_b is null) or (kind = 'b' and ref_b is not null and ref_a is null)), check (lo < hi and hi <= 250));
      create table tied (id int primary key, owner int references tree, other int references tree, check (num_nonnulls(owner, other) = 1), check (owner <> other))`,
  },
  {
    name: "CHECKs on texts",
    sql: `create table texts (ssn text unique check (ssn similar to '[0-9]{3}-[0-9]{2}-[0-9]{4}'), pc text check (pc ~* '^[a-z]\\d[a-z] ?\\d[a-z]\\d$'), url text not null check (url ~ '^https?://[^/]+'),
      col text check (col in ('r', 'g', 'b')), path text check (path like '/%'), code text not null unique check (code ~ '^(?=.*[0-9])[A-Z0-9]{4,6}$'), short text check (char_length(short) between 2 and 4),
      hash bytea not null check (octet_length(hash) = 32), doc text check (doc::json is not null), num text check (num::int > 3), up text check (up = upper(up)), trimmed text check (trimmed = btrim(trimmed) and trimmed <> ''),
      version text check (version ~ '^\\d+\\.\\d+\\.\\d+$'), tag text check (tag ^@ 'tag:' or tag is null))`,
  },
  {
    name: "CHECKs on arrays and documents",
    sql: `create table arrays (tags text[] not null check (cardinality(tags) between 1 and 3), roles text[] check (roles <@ array['admin', 'member']), pair int[] check (array_length(pair, 1) = 2),
      meta jsonb not null check (meta ? 'name' and meta ? 'size'), kind jsonb check (meta is null or kind ->> 'type' in ('x', 'y')))`,
  },
  {
    name: "CHECKs on small numbers",
    sql: `create table numbers (id smallserial primary key check (id between 1 and 100), pct int check (pct >= 0 and pct <= 100), year int not null check (year between 1990 and 2030),
      rate numeric(3,2) check (rate between 0 and 1), even int check (even % 2 = 0), power int check (power in (1, 2, 4, 8)), lat float8 check (lat >= -90 and lat <= 90))`,
  },
  {
    name: "a CHECK on a generated column",
    sql: `create table computed (a int not null, b int not null, total int generated always as (a + b) stored check (total = 12), word text, low text generated always as (lower(word)) stored unique)`,
  },
  {
    name: "virtual columns, keys over periods, constraints that are not enforced",
    since: 18,
    extension: "btree_gist",
    sql: `create table virtual (a int not null, b int not null, total int generated always as (a * 2 + b) virtual check (total = 12), word text not null);
      create table period (id int not null, during daterange not null, primary key (id, during without overlaps));
      create table of_period (id int primary key, p int not null, valid daterange not null, foreign key (p, period valid) references period (id, period during));
      create table loose_check (a int check (a > 1000000) not enforced, b int not null)`,
  },
  {
    name: "a CHECK that nothing meets",
    sql: `create table never (a int, constraint never_at_all check (false));
      create table checksum (iban text not null check (length(iban) = 22 and substr(iban, 1, 2) = 'DE'), sha text not null constraint its_sha check (sha = md5(iban)))`,
    fewer: { "public.never": [0, /never_at_all/], "public.checksum": [0, /its_sha/] },
  },
  {
    name: "a CHECK by a function that relies on search_path",
    sql: `create table allowed (word text primary key); create function is_short(t text) returns boolean language plpgsql stable as $$ begin return shorter(t); end $$;
      create function shorter(t text) returns boolean language sql immutable as $$ select length(t) < 4 $$; create table by_function (id int primary key, word text not null check (is_short(word)))`,
  },
  {
    name: "one row only",
    sql: "create table single (id boolean primary key default true check (id), v int)",
    fewer: { "public.single": [1, /single_pkey/] },
  },
  {
    name: "unique with few values",
    sql: `create type size as enum ('s', 'm', 'l'); create table few (s size unique, t int); create table pairs (s size not null, b boolean not null, primary key (s, b));
      create table code_list (code char(1) primary key, name varchar(1)); create table isolated (l varchar(2) primary key)`,
    fewer: { "public.pairs": [6, /pairs_pkey/] },
  },
  {
    name: "a join table",
    sql: `create table left_side (id serial primary key); create table right_side (id uuid primary key); create table both_sides (l int references left_side, r uuid references right_side, primary key (l, r));
      create table one_to_one (id int primary key references left_side, r uuid not null unique references right_side)`,
  },
  {
    name: "a trigger that wants a certain value",
    sql: `create table picky (id int primary key, status text not null, n int); create function picky() returns trigger language plpgsql as $$
      begin if new.status <> 'special-open' then raise exception 'status must be special-open'; end if; return new; end $$;
      create trigger picky before insert on picky for each row execute function picky()`,
  },
  {
    name: "triggers that refuse, drop or never end",
    sql: `create table refused (id int primary key, t text); create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not here'; end $$;
      create trigger refuse before insert on refused for each row execute function refuse(); alter table refused enable always trigger refuse;
      create table dropped (id int); create function drop_row() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger drop_row before insert on dropped for each row execute function drop_row();
      create table endless (id int); create function spin() returns trigger language plpgsql as $$ begin loop perform 1; end loop; end $$;
      create trigger spin before insert on endless for each row execute function spin();
      create table recursive (id int); create function recurse() returns trigger language plpgsql as $$ begin insert into recursive values (new.id); return new; end $$;
      create trigger recurse before insert on recursive for each row execute function recurse();
      create table ruled (id int); create rule nothing as on insert to ruled do instead nothing`,
    fewer: {
      "public.refused": [0, /not here/],
      "public.dropped": [0, /drops the row/],
      "public.endless": [0, /statement timeout/],
      "public.recursive": [0, /stack depth|statement timeout/],
      "public.ruled": [0, /drops the row/],
    },
  },
  {
    name: "a trigger that writes elsewhere, by names that only search_path finds",
    sql: `create table audit (id serial primary key, what text not null, at timestamptz not null default now()); create table audited (id serial primary key, name text, changed timestamptz);
      create function audit() returns trigger language plpgsql as $$ begin insert into audit (what) values ('insert'); new.changed := now(); return new; end $$;
      create trigger audit before insert on audited for each row execute function audit()`,
  },
  {
    name: "row security, forced, with a policy that lets nobody in",
    sql: `create table secret (id int primary key, owner text not null); alter table secret enable row level security; alter table secret force row level security;
      create policy nobody on secret using (false); create table of_secret (id int primary key, secret int not null references secret)`,
  },
  {
    name: "inheritance, unlogged, typed and empty tables",
    sql: `create table parent (id int primary key, name text); create table child (extra int check (extra > 5)) inherits (parent); create table of_parent (id int references parent);
      create unlogged table unlogged (id int); create type row_type as (a int, b text); create table typed of row_type; create table no_columns ()`,
  },
];
