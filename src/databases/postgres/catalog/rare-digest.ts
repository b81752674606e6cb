/**
 * Two groups of rare tables. `names` holds what other objects' texts may show (roles, operators, collations, …):
 * where it changes, everything is read again.
 */
export interface RareDigest {
  readonly names: RareRows;
  readonly rest: RareRows;
}

/** How many rows there are, the versions of those that may have changed, and a hash where versions are hidden. */
export type RareRows = readonly [rows: number, versions: readonly string[] | null, texts: string | null];

/**
 * SQL: may this row have changed since the last read? A superset: the exact answer needs the row's version of then.
 * Parameters as in the probe. A row that an aborted subtransaction deleted shows a combined command id, but has an xmax.
 */
export function isChanged(alias: string): string {
  return `(age(${alias}.xmin) <= age($1::xid) and not (${alias}.xmin = $2::xid and ${alias}.xmax = '0'::xid and ${alias}.cmin::text::int <= $3::int))`;
}

const names = [
  "pg_operator",
  "pg_opclass",
  "pg_opfamily",
  "pg_amop",
  "pg_amproc",
  "pg_cast",
  "pg_collation",
  "pg_conversion",
  "pg_ts_config",
  "pg_ts_dict",
  "pg_ts_parser",
  "pg_ts_template",
  "pg_language",
  "pg_transform",
  "pg_am",
  "pg_foreign_data_wrapper",
  "pg_foreign_server",
  "pg_extension",
].map((table) => [table, "oid"] as const);

const rest = (version: number) =>
  [
    ["pg_ts_config_map", "mapcfg"],
    ["pg_publication", "oid"],
    ["pg_publication_rel", "oid"],
    ...(version < 150000 ? [] : [["pg_publication_namespace", "oid"] as const]),
    ["pg_default_acl", "oid"],
    ["pg_event_trigger", "oid"],
  ] as const;

const row = (alias: string, id: string) =>
  `select concat_ws('.', ${alias}.tableoid, ${id}, ${alias}.xmin, ${alias}.cmin) as version, ${isChanged(alias)} as changed`;

const rowsOf = ([table, id]: readonly [string, string]) =>
  `${row("x", `x.${id}`)} from ${table} x where x.${id} >= 16384`;

/** What a view or a column privilege hides the row versions of: the text itself stands for the version. */
const textOf = (expression: string, from: string) => `select ${expression}, null from ${from}`;

const members = `${row("x", "x.objid")} from pg_depend x where x.refclassid = 'pg_extension'::regclass and x.deptype in ('e', 'x')`;

const group = (selects: readonly string[]) =>
  `(select json_build_array(count(*), json_agg(version) filter (where changed), (sum(hashtextextended(version, 0)) filter (where changed is null))::text)
  from (${selects.join("\n  union all ")}) x)`;

/** SQL of a RareDigest as JSON. */
export function rareDigests(version: number): string {
  const named = [
    ...names.map(rowsOf),
    members,
    textOf("concat_ws('.', oid, rolname)", "pg_roles where rolname !~ '^pg_'"),
    textOf("concat_ws('.', oid, spcname)", "pg_tablespace where oid >= 16384"),
  ];
  const others = [
    ...rest(version).map(rowsOf),
    textOf("x::text", "pg_roles x where rolname !~ '^pg_'"),
    textOf("m::text", "pg_auth_members m where roleid >= 16384 or member >= 16384"),
    `${row("x", "x.objoid")} from pg_shdescription x where x.classoid = 'pg_authid'::regclass`,
    textOf("concat_ws('.', umid, umuser, umoptions)", "pg_user_mappings"),
    textOf(
      `concat_ws('.', s.oid, subname, subowner, subenabled, subslotname, subsynccommit, subpublications, ${subscriptionConnection})`,
      "pg_subscription s join pg_database on s.subdbid = pg_database.oid where datname = current_database()",
    ),
  ];
  return `json_build_object('names', ${group(named)},\n'rest', ${group(others)})`;
}

/**
 * The hash of a subscription's connection string, or NULL for a role that may not read it: that column's privilege is
 * checked for the whole statement, so it is read in a statement of its own.
 */
export const subscriptionConnection = `case when has_column_privilege('pg_subscription', 'subconninfo', 'select')
  then query_to_xml('select md5(subconninfo) from pg_catalog.pg_subscription where oid = ' || s.oid, false, true, '')::text end`;
