import { boundExtensions, comment, definition, entry, privileges, qualified, whenTrue } from "./fragments";

/** Entries of what is neither a relation nor rare: types, functions, schemas, extended statistics. */
export function typeEntries(): string[] {
  return [types, domainConstraints, functions, schemas, statistics];
}

const support = (column: string) => `nullif(${column}, 0)::regproc::text`;

const types = entry(
  "'t' || t.oid",
  `case t.typtype when 'e' then 'enum type ' when 'd' then 'domain ' when 'r' then 'range type ' else 'base type ' end || t.fq`,
  definition({
    owner: "pg_get_userbyid(t.typowner)",
    privileges: privileges("t.typacl", "'T'", "t.typowner"),
    labels: `case when t.typtype = 'e' then (select coalesce(jsonb_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e where e.enumtypid = t.oid) end`,
    type: "case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end",
    notNull: whenTrue("t.typnotnull"),
    default: "coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault)",
    collation:
      "case when t.typtype = 'd' and t.typcollation <> (select b.typcollation from pg_type b where b.oid = t.typbasetype) then t.typcollation::regcollation::text end",
    range: `(select ${definition({
      subtype: "g.rngsubtype::regtype::text",
      multirange: "g.rngmultitypid::regtype::text",
      collation: "nullif(g.rngcollation, 0)::regcollation::text",
      operatorClass: `(select ${qualified("n.nspname", "o.opcname")} from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace where o.oid = g.rngsubopc)`,
      canonical: support("g.rngcanonical"),
      difference: support("g.rngsubdiff"),
    })} from pg_range g where t.typtype = 'r' and g.rngtypid = t.oid)`,
    base: `case when t.typtype = 'b' then ${definition({
      input: support("t.typinput"),
      output: support("t.typoutput"),
      receive: support("t.typreceive"),
      send: support("t.typsend"),
      modifierInput: support("t.typmodin"),
      modifierOutput: support("t.typmodout"),
      analyze: support("t.typanalyze"),
      subscript: support("t.typsubscript"),
      length: "t.typlen",
      byValue: whenTrue("t.typbyval"),
      alignment: "t.typalign::text",
      storage: "t.typstorage::text",
      category: "t.typcategory::text",
      preferred: whenTrue("t.typispreferred"),
      delimiter: "t.typdelim::text",
      element: "nullif(t.typelem, 0)::regtype::text",
      collatable: whenTrue("t.typcollation <> 0"),
    })} end`,
    shell: whenTrue("not t.typisdefined"),
    comment: comment("pg_type", "t.oid"),
  }),
  "typ t",
);

const domainConstraints = entry(
  "'t' || t.oid",
  "'constraint ' || t.fq || '.' || quote_ident(k.conname)",
  definition({ definition: "pg_get_constraintdef(k.oid)", comment: comment("pg_constraint", "k.oid") }),
  "typ t join pg_constraint k on k.contypid = t.oid and k.contype = 'c' where t.typtype = 'd'",
);

const functions = entry(
  "'f' || p.oid",
  "case p.prokind when 'a' then 'aggregate ' when 'p' then 'procedure ' else 'function ' end || p.oid::regprocedure::text",
  definition({
    definition: "case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end",
    aggregate: `(select ${definition({
      arguments: "pg_get_function_arguments(p.oid)",
      parallel: "nullif(p.proparallel, 'u')::text",
      kind: "nullif(g.aggkind, 'n')::text",
      transition: support("g.aggtransfn"),
      final: support("g.aggfinalfn"),
      combine: support("g.aggcombinefn"),
      serial: support("g.aggserialfn"),
      deserial: support("g.aggdeserialfn"),
      movingTransition: support("g.aggmtransfn"),
      movingInverse: support("g.aggminvtransfn"),
      movingFinal: support("g.aggmfinalfn"),
      finalExtra: whenTrue("g.aggfinalextra"),
      movingFinalExtra: whenTrue("g.aggmfinalextra"),
      finalModify: "g.aggfinalmodify::text",
      movingFinalModify: "g.aggmfinalmodify::text",
      sortOperator: "nullif(g.aggsortop, 0)::regoperator::text",
      state: "g.aggtranstype::regtype::text",
      stateSpace: "nullif(g.aggtransspace, 0)",
      movingState: "nullif(g.aggmtranstype, 0)::regtype::text",
      movingStateSpace: "nullif(g.aggmtransspace, 0)",
      initial: "g.agginitval",
      movingInitial: "g.aggminitval",
    })} from pg_aggregate g where g.aggfnoid = p.oid)`,
    owner: "pg_get_userbyid(p.proowner)",
    privileges: privileges("p.proacl", "'f'", "p.proowner"),
    extensions: boundExtensions("pg_proc", "p.oid"),
    comment: comment("pg_proc", "p.oid"),
  }),
  "fun p",
);

const schemas = entry(
  "'n' || n.oid",
  "'schema ' || quote_ident(n.nspname)",
  definition({
    owner: "pg_get_userbyid(n.nspowner)",
    privileges: privileges("n.nspacl", "'n'", "n.nspowner"),
    comment: comment("pg_namespace", "n.oid"),
  }),
  "nsp n",
);

const statistics = entry(
  "'s' || s.oid",
  "'statistics ' || s.fq",
  definition({
    definition: "pg_get_statisticsobjdef(s.oid)",
    target: "case when s.stxstattarget >= 0 then s.stxstattarget::int end",
    owner: "pg_get_userbyid(s.stxowner)",
    comment: comment("pg_statistic_ext", "s.oid"),
  }),
  "sta s",
);
