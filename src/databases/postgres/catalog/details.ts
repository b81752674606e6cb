import { isMember, isUserSchema, qualified } from "./fragments";
import { relationEntries } from "./relations";
import { typeEntries } from "./types";

/** A catalog entry as the server returns it: the root it is read with, and the owning relation of a sequence. */
export type Entry = readonly [root: string, key: string, definition: string, owner: string | null];

/** Rows of one pg_catalog table by oid, as far as they are the schema's own; `fq` is the qualified name. */
interface Roots {
  readonly catalog: string;
  readonly name: string;
  readonly schema: string;
  readonly ids: string;
  readonly kinds?: string;
}

function rootsOf({ catalog, name, schema, ids, kinds = "true" }: Roots): string {
  return `select n.nspname, ${qualified("n.nspname", `o.${name}`)} as fq, o.* from (${ids}) ids
  join ${catalog} o on o.oid = ids.oid join pg_namespace n on n.oid = o.${schema}
  where (${kinds}) and ${isUserSchema("n")} and not ${isMember(catalog, "o.oid")}`;
}

/**
 * What prints a relation's columns without having a row of its own changed with it: `(a join b using (id)) q` in a
 * view becomes `q(id, x, x_1)` once both tables have a column x.
 */
function dependents(catalog: string, id: string, join = ""): string {
  return `select ${id} from pg_depend d ${join}
    where d.refclassid = 'pg_class'::regclass and d.refobjid = any($1::oid[]) and d.classid = '${catalog}'::regclass`;
}

/** The oids of pg_class to be read, in SQL; $1 is an oid[]. */
const relations = rootsOf({
  catalog: "pg_class",
  name: "relname",
  schema: "relnamespace",
  ids: [
    "select unnest($1::oid[]) as oid",
    dependents("pg_rewrite", "w.ev_class", "join pg_rewrite w on w.oid = d.objid"),
    dependents("pg_policy", "p.polrelid", "join pg_policy p on p.oid = d.objid"),
  ].join(" union "),
  kinds: "o.relkind in ('r', 'p', 'v', 'm', 'f', 'c', 'S')",
});

/**
 * The entries of relations alone ($1 oid[]), where no function can depend on one: most boundaries change nothing else,
 * and a third of the time goes into setting a statement up.
 */
export function relationsStatement(version: number): string {
  return statement({ rel: relations }, relationEntries(version));
}

/**
 * All entries of the given roots: $1 relations, $2 types, $3 functions, $4 schemas, $5 extended statistics, each an
 * oid[]. Answers the JSON of Entry[]; a root without an entry is gone or is none of ours.
 */
export function detailsStatement(version: number): string {
  const ctes = {
    rel: relations,
    typ: rootsOf({
      catalog: "pg_type",
      name: "typname",
      schema: "typnamespace",
      ids: "select unnest($2::oid[]) as oid",
      kinds: "o.typtype in ('e', 'd', 'r', 'b') or not o.typisdefined",
    }),
    fun: rootsOf({
      catalog: "pg_proc",
      name: "proname",
      schema: "pronamespace",
      ids: `select unnest($3::oid[]) as oid union ${dependents("pg_proc", "d.objid")}`,
    }),
    nsp: `select n.* from unnest($4::oid[]) id join pg_namespace n on n.oid = id
  where ${isUserSchema("n")} and not ${isMember("pg_namespace", "n.oid")}`,
    sta: rootsOf({
      catalog: "pg_statistic_ext",
      name: "stxname",
      schema: "stxnamespace",
      ids: "select unnest($5::oid[]) as oid",
      kinds: "exists (select from pg_class c where c.oid = o.stxrelid and c.relpersistence <> 't')",
    }),
  };
  return statement(ctes, [...relationEntries(version), ...typeEntries()]);
}

function statement(ctes: Readonly<Record<string, string>>, entries: readonly string[]): string {
  const roots = Object.entries(ctes).map(([name, sql]) => `${name} as materialized (${sql})`);
  return `with ${roots.join(",\n")},
entries(root, key, definition, owner) as (
${entries.join("\nunion all ")})
select convert_to(coalesce(json_agg(json_build_array(root, key, definition, owner)), '[]')::text, 'UTF8') from entries`;
}
