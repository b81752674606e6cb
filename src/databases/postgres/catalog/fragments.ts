/** SQL fragments that several kinds of object share. `catalog` is the pg_catalog table, `oid` an SQL expression. */

/** The JSON of a definition; keys whose value is NULL are left out. */
export function definition(fields: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(fields).map(([name, sql]) => `'${name}', ${sql}`);
  return `jsonb_strip_nulls(jsonb_build_object(${pairs.join(",\n    ")}))`;
}

export function comment(catalog: string, oid: string, column = "0"): string {
  return `(select description from pg_description where objoid = ${oid} and classoid = '${catalog}'::regclass and objsubid = ${column})`;
}

/**
 * Privileges as sorted aclitems; NULL where they are what the owner's defaults are, because GRANT and then
 * REVOKE leaves the default written out. `kind` is acldefault's letter.
 */
export function privileges(acl: string, kind: string, owner: string): string {
  const sorted = (items: string) =>
    `(select coalesce(jsonb_agg(item::text order by item::text collate "C"), '[]') from unnest(${items}) item)`;
  return `case when ${acl} is not null then nullif(${sorted(acl)}, ${sorted(`acldefault(${kind}, ${owner})`)}) end`;
}

/** A reloptions-like text[] sorted: the order in which options were set says nothing. */
export function options(list: string): string {
  return `(select jsonb_agg(item order by item collate "C") from unnest(${list}) item)`;
}

export function whenTrue(condition: string): string {
  return `case when ${condition} then true end`;
}

/** True where the object belongs to an extension, which creates and drops it. */
export function isMember(catalog: string, oid: string): string {
  return `exists (select from pg_depend m where m.classid = '${catalog}'::regclass and m.objid = ${oid} and m.deptype = 'e')`;
}

/** The extensions that an object was bound to by ALTER … DEPENDS ON EXTENSION. */
export function boundExtensions(catalog: string, oid: string): string {
  return `(select jsonb_agg(e.extname order by e.extname) from pg_depend m join pg_extension e on e.oid = m.refobjid
    where m.classid = '${catalog}'::regclass and m.objid = ${oid} and m.objsubid = 0 and m.deptype = 'x' and m.refclassid = 'pg_extension'::regclass)`;
}

/** True for schemas that hold what users made; `alias` is pg_namespace's. */
export function isUserSchema(alias: string): string {
  return `(${alias}.nspname !~ '^pg_' and ${alias}.nspname <> 'information_schema')`;
}

export function qualified(schema: string, name: string): string {
  return `quote_ident(${schema}) || '.' || quote_ident(${name})`;
}

export function tablespace(oid: string): string {
  return `(select spcname from pg_tablespace where oid = ${oid})`;
}

/** One answer row: the root's letter and oid, the catalog key, the definition, the owning relation of a sequence. */
export function entry(root: string, key: string, value: string, from: string, owner = "null"): string {
  return `select ${root}, ${key}, ${value}::text, ${owner} from ${from}`;
}
