import type { Client } from "pg";

/** Schema-qualified and quoted names. */
export interface InvalidIndex {
  readonly name: string;
  readonly table: string;
  readonly oid: string;
}

export interface UnvalidatedConstraint {
  /** The constraint's own name, quoted. */
  readonly name: string;
  /** Schema-qualified and quoted. */
  readonly table: string;
  readonly kind: "check" | "foreign key" | "not null";
}

const fromUserSchemas = `join pg_catalog.pg_namespace n on n.oid = t.relnamespace
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and t.relpersistence <> 't'`;

/**
 * Indexes that no query uses because their build was ended, in order of name. One that is being built right now is
 * invalid as well and not among them; nor is a partitioned table's, invalid until each partition has its own.
 */
export async function invalidIndexes(client: Client): Promise<InvalidIndex[]> {
  const { rows } = await client.query<InvalidIndex>(
    `select pg_catalog.format('%I.%I', s.nspname, c.relname) as name,
       pg_catalog.format('%I.%I', n.nspname, t.relname) as table, c.oid::text as oid
     from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
     join pg_catalog.pg_namespace s on s.oid = c.relnamespace
     join pg_catalog.pg_class t on t.oid = i.indrelid ${fromUserSchemas}
       and not (i.indisvalid and i.indisready and i.indislive)
       and not exists (select from pg_catalog.pg_stat_progress_create_index p where p.index_relid = c.oid)
     order by 1`,
  );
  return rows;
}

/**
 * Constraints that were added NOT VALID and not validated since, in order of table and name. NOT ENFORCED ones
 * (PostgreSQL 18) never are.
 */
export async function unvalidatedConstraints(client: Client): Promise<UnvalidatedConstraint[]> {
  const { rows } = await client.query<UnvalidatedConstraint>(
    `select pg_catalog.quote_ident(k.conname) as name, pg_catalog.format('%I.%I', n.nspname, t.relname) as table,
       case k.contype when 'c' then 'check' when 'f' then 'foreign key' else 'not null' end as kind
     from pg_catalog.pg_constraint k join pg_catalog.pg_class t on t.oid = k.conrelid ${fromUserSchemas}
       and not k.convalidated and k.contype in ('c', 'f', 'n') and k.conparentid = 0
       and coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true)
     order by 2, 1`,
  );
  return rows;
}
