import { isUserSchema } from "./fragments";
import { isChanged, type RareDigest, rareDigests } from "./rare-digest";

/**
 * A catalog row that may have changed: `id` is unique in its table, `root` is the letter and oid of the row that it
 * belongs to (its own when it is a root), `name` is what other objects' texts may show, `xmin` and `cmin` name the
 * version of the row.
 */
export type ChangedRow = readonly [id: string, root: string, name: string | null, xmin: string, cmin: string];

/** The answer of the probe. */
export interface Probe {
  /** pg_current_snapshot(): xmin:xmax:xip, the marks of what is visible. */
  readonly snapshot: string;
  /** The transaction's own id (64 bits) once it wrote something. */
  readonly xid: string | null;
  /** True when something that the last read saw is not visible (rolled back, or this is an older snapshot). */
  readonly stale: boolean;
  /** By table: the ids of all rows, in the table's order, as text of an array (null: not listed), and what changed. */
  readonly rows: Readonly<
    Record<string, readonly [ids: string | null, changed: readonly ChangedRow[] | null]>
  >;
  readonly rare: RareDigest;
}

interface Source {
  readonly from: string;
  readonly id: string;
  readonly root: string;
  readonly name?: string;
  readonly where?: string;
  /** Which rows are listed; undefined: none, a deleted row always goes with a changed one of another table. */
  readonly list?: string;
}

const root = (letter: string, oid: string) => `'${letter}' || ${oid}`;

/**
 * The tables that are looked at row by row, under the letter of their ids. System rows are left out where an index
 * helps (oid >= 16384, FirstNormalObjectId); extension members are not, they have no entries later on.
 * Only `public` (2200) is a user's schema with a system oid.
 */
const sources: Readonly<Record<string, Source>> = {
  r: {
    from: "pg_class x",
    id: "oid",
    root: `case when relkind in ('i', 'I') then (select ${root("r", "i.indrelid")} from pg_index i where i.indexrelid = x.oid) else ${root("r", "x.oid")} end`,
    name: "relnamespace || '.' || relname",
    where:
      "oid >= 16384 and relkind in ('r', 'p', 'v', 'm', 'f', 'c', 'S', 'i', 'I') and relpersistence <> 't' and relnamespace <> 'pg_toast'::regnamespace",
    list: "true",
  },
  t: {
    from: "pg_type x",
    id: "oid",
    root: `case when typtype = 'c' then ${root("r", "typrelid")} else ${root("t", "oid")} end`,
    // A base type's row is part of its name: columns show where their storage differs from it.
    name: "typnamespace || '.' || typname || case when typtype = 'b' then ' ' || xmin || ' ' || cmin else '' end",
    where:
      "oid >= 16384 and (typtype in ('e', 'd', 'r', 'c') or typtype = 'b' and typcategory <> 'A' or not typisdefined)",
    list: "typtype <> 'c'",
  },
  f: {
    from: "pg_proc x",
    id: "oid",
    root: root("f", "oid"),
    name: "pronamespace || '.' || proname",
    where: "oid >= 16384",
    list: "true",
  },
  n: {
    from: "pg_namespace x",
    id: "oid",
    root: root("n", "oid"),
    name: "nspname",
    where: isUserSchema("x"),
    list: "true",
  },
  s: { from: "pg_statistic_ext x", id: "oid", root: root("s", "oid"), list: "true" },
  k: {
    from: "pg_constraint x",
    id: "oid",
    root: `case when conrelid <> 0 then ${root("r", "conrelid")} else ${root("t", "contypid")} end`,
    name: "case when contype <> 'n' then conname end",
    where: "oid >= 16384",
    list: "true",
  },
  g: {
    from: "pg_trigger x",
    id: "oid",
    root: root("r", "tgrelid"),
    where: "not tgisinternal",
    list: "true",
  },
  p: { from: "pg_policy x", id: "oid", root: root("r", "polrelid"), list: "true" },
  w: {
    from: "pg_rewrite x",
    id: "oid",
    root: root("r", "ev_class"),
    where: "oid >= 16384",
    list: "true",
  },
  h: {
    from: "pg_inherits x",
    id: "inhrelid || '.' || inhparent",
    root: root("r", "inhrelid"),
    list: "true",
  },
  d: {
    from: "pg_description x",
    id: "classoid || '.' || objoid || '.' || objsubid",
    root: `case classoid when 'pg_class'::regclass then 'r' when 'pg_type'::regclass then 't' when 'pg_proc'::regclass then 'f'
      when 'pg_namespace'::regclass then 'n' when 'pg_statistic_ext'::regclass then 's' when 'pg_constraint'::regclass then 'k'
      when 'pg_trigger'::regclass then 'g' when 'pg_policy'::regclass then 'p' when 'pg_rewrite'::regclass then 'w' else 'rare' end || objoid`,
    where: "(objoid >= 16384 or objoid = 2200)",
    list: "true",
  },
  a: {
    from: "pg_attribute x",
    id: "attrelid || '.' || attnum",
    root: root("r", "attrelid"),
    name: "case when not attisdropped then attname end",
    where: "attrelid >= 16384 and attnum > 0",
  },
  v: { from: "pg_attrdef x", id: "oid", root: root("r", "adrelid") },
  i: { from: "pg_index x", id: "indexrelid", root: root("r", "indrelid"), where: "indexrelid >= 16384" },
  q: { from: "pg_sequence x", id: "seqrelid", root: root("r", "seqrelid") },
  x: { from: "pg_foreign_table x", id: "ftrelid", root: root("r", "ftrelid") },
  e: { from: "pg_enum x", id: "oid", root: root("t", "enumtypid"), name: "enumlabel", where: "oid >= 16384" },
};

function scan({ from, id, root: rowRoot, name = "null", where = "true", list }: Source): string {
  // The command id of a row that was deleted and came back is a combined one, no measure of time.
  const command = "case when x.xmax = '0'::xid then x.cmin::text else 'combined ' || x.cmin end";
  const row = `json_build_array((${id})::text, ${rowRoot}, ${name}, x.xmin::text, ${command})`;
  const all = list === undefined ? "null" : `(array_agg(${id}) filter (where ${list}))::text`;
  return `(select json_build_array(${all}, json_agg(${row}) filter (where ${isChanged("x")})) from ${from} where ${where})`;
}

/**
 * What changed since a read, in one row. $1 xid: rows of older transactions are known; $2 xid and $3 cid: so are rows
 * that transaction $2 wrote up to command $3; $4 pg_snapshot and $5 xid8[]: what was visible then. With $1 = 2, the
 * frozen xid, every row counts as changed.
 */
export function probeStatement(version: number): string {
  const scans = Object.entries(sources).map(([letter, source]) => `'${letter}', ${scan(source)}`);
  return `select convert_to(json_build_object(
'snapshot', pg_current_snapshot()::text,
'xid', pg_current_xact_id_if_assigned()::text,
'stale', pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax($4::pg_snapshot)
  or exists (select from pg_snapshot_xip(pg_current_snapshot()) x where pg_visible_in_snapshot(x, $4::pg_snapshot))
  or exists (select from unnest($5::xid8[]) x where case pg_xact_status(x) when 'committed' then false
    when 'in progress' then pg_current_xact_id_if_assigned()::xid is distinct from $2::xid else true end),
'rows', json_build_object(${scans.join(",\n")}),
'rare', ${rareDigests(version)})::text, 'UTF8')`;
}
