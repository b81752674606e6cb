import {
  comment,
  definition,
  entry,
  isMember,
  isUserSchema,
  options,
  privileges,
  qualified,
  whenTrue,
} from "./fragments";
import { subscriptionConnection } from "./rare-digest";

const owner = (column: string) => `pg_get_userbyid(${column})`;
const procedure = (column: string) => `nullif(${column}, 0)::regprocedure::text`;
const own = (catalog: string, oid: string) => `${oid} >= 16384 and not ${isMember(catalog, oid)}`;
/** The columns of a row as they are, without those that are oids or said elsewhere. */
const rest = (alias: string, ...without: readonly string[]) =>
  `(to_jsonb(${alias}) - array['oid',${without.map((name) => `'${name}'`).join(",")}])`;
const method = (oid: string) => `(select quote_ident(amname) from pg_am where oid = ${oid})`;

const inSchema = (catalog: string, alias: string, schema: string) =>
  `${catalog} ${alias} join pg_namespace n on n.oid = ${alias}.${schema} where ${isUserSchema("n")} and ${own(catalog, `${alias}.oid`)}`;

const rare = (kind: string, key: string, value: string, from: string) =>
  entry("'rare'", `'${kind} ' || ${key}`, value, from);

const extensions = rare(
  "extension",
  "quote_ident(e.extname)",
  definition({
    version: "e.extversion",
    schema: "(select nspname from pg_namespace n where n.oid = e.extnamespace)",
    comment: comment("pg_extension", "e.oid"),
  }),
  "pg_extension e",
);

const eventTriggers = rare(
  "event trigger",
  "quote_ident(e.evtname)",
  definition({
    event: "e.evtevent",
    function: procedure("e.evtfoid"),
    enabled: "nullif(e.evtenabled, 'O')::text",
    tags: "to_jsonb(e.evttags)",
    owner: owner("e.evtowner"),
    comment: comment("pg_event_trigger", "e.oid"),
  }),
  `pg_event_trigger e where ${own("pg_event_trigger", "e.oid")}`,
);

const defaultPrivileges = rare(
  "default privileges",
  `quote_ident(${owner("d.defaclrole")}) || coalesce(' in ' || (select quote_ident(nspname) from pg_namespace n where n.oid = d.defaclnamespace), '') || ' on '
   || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end`,
  definition({ privileges: `coalesce(${options("d.defaclacl::text[]")}, '[]')` }),
  "pg_default_acl d",
);

const operators = rare(
  "operator",
  "o.oid::regoperator::text",
  definition({
    procedure: procedure("o.oprcode"),
    commutator: "nullif(o.oprcom, 0)::regoperator::text",
    negator: "nullif(o.oprnegate, 0)::regoperator::text",
    restrict: procedure("o.oprrest"),
    join: procedure("o.oprjoin"),
    merges: whenTrue("o.oprcanmerge"),
    hashes: whenTrue("o.oprcanhash"),
    owner: owner("o.oprowner"),
    comment: comment("pg_operator", "o.oid"),
  }),
  inSchema("pg_operator", "o", "oprnamespace"),
);

const operatorClasses = rare(
  "operator class",
  `${qualified("n.nspname", "o.opcname")} || ' using ' || ${method("o.opcmethod")}`,
  definition({
    type: "o.opcintype::regtype::text",
    default: whenTrue("o.opcdefault"),
    family: `(select ${qualified("fn.nspname", "f.opfname")} from pg_opfamily f join pg_namespace fn on fn.oid = f.opfnamespace where f.oid = o.opcfamily)`,
    storage: "nullif(o.opckeytype, 0)::regtype::text",
    owner: owner("o.opcowner"),
    comment: comment("pg_opclass", "o.oid"),
  }),
  inSchema("pg_opclass", "o", "opcnamespace"),
);

/** pg_amop and pg_amproc of a family, whether a class or ALTER OPERATOR FAMILY put them there. */
const operatorFamilies = rare(
  "operator family",
  `${qualified("n.nspname", "f.opfname")} || ' using ' || ${method("f.opfmethod")}`,
  definition({
    operators: `(select jsonb_agg(concat_ws(' ', a.amopstrategy, a.amopopr::regoperator, a.amoppurpose,
        (select ${qualified("sn.nspname", "s.opfname")} from pg_opfamily s join pg_namespace sn on sn.oid = s.opfnamespace where s.oid = a.amopsortfamily))
      order by a.amopstrategy, a.amopopr::regoperator::text) from pg_amop a where a.amopfamily = f.oid)`,
    functions: `(select jsonb_agg(concat_ws(' ', a.amprocnum, a.amproclefttype::regtype, a.amprocrighttype::regtype, a.amproc::oid::regprocedure)
      order by a.amprocnum, a.amproclefttype::regtype::text, a.amprocrighttype::regtype::text) from pg_amproc a where a.amprocfamily = f.oid)`,
    owner: owner("f.opfowner"),
    comment: comment("pg_opfamily", "f.oid"),
  }),
  inSchema("pg_opfamily", "f", "opfnamespace"),
);

const casts = rare(
  "cast",
  "'(' || format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null) || ')'",
  definition({
    function: procedure("c.castfunc"),
    context: "case c.castcontext when 'a' then 'assignment' when 'i' then 'implicit' end",
    method: "case c.castmethod when 'i' then 'inout' when 'b' then 'binary' end",
    comment: comment("pg_cast", "c.oid"),
  }),
  `pg_cast c where ${own("pg_cast", "c.oid")}`,
);

const collations = rare(
  "collation",
  qualified("n.nspname", "c.collname"),
  `jsonb_strip_nulls(${rest("c", "collname", "collnamespace", "collowner", "collversion", "collencoding")} || ${definition(
    {
      owner: owner("c.collowner"),
      comment: comment("pg_collation", "c.oid"),
    },
  )})`,
  inSchema("pg_collation", "c", "collnamespace"),
);

const conversions = rare(
  "conversion",
  qualified("n.nspname", "c.conname"),
  definition({
    from: "pg_encoding_to_char(c.conforencoding)",
    to: "pg_encoding_to_char(c.contoencoding)",
    function: procedure("c.conproc"),
    default: whenTrue("c.condefault"),
    owner: owner("c.conowner"),
    comment: comment("pg_conversion", "c.oid"),
  }),
  inSchema("pg_conversion", "c", "connamespace"),
);

const textSearch = [
  rare(
    "text search configuration",
    qualified("n.nspname", "c.cfgname"),
    definition({
      parser: `(select ${qualified("pn.nspname", "p.prsname")} from pg_ts_parser p join pg_namespace pn on pn.oid = p.prsnamespace where p.oid = c.cfgparser)`,
      mappings: `(select jsonb_agg(jsonb_build_array((select t.alias from ts_token_type(c.cfgparser) t where t.tokid = m.maptokentype), m.mapdict::regdictionary::text)
        order by m.maptokentype, m.mapseqno) from pg_ts_config_map m where m.mapcfg = c.oid)`,
      owner: owner("c.cfgowner"),
      comment: comment("pg_ts_config", "c.oid"),
    }),
    inSchema("pg_ts_config", "c", "cfgnamespace"),
  ),
  rare(
    "text search dictionary",
    qualified("n.nspname", "d.dictname"),
    definition({
      template: `(select ${qualified("tn.nspname", "t.tmplname")} from pg_ts_template t join pg_namespace tn on tn.oid = t.tmplnamespace where t.oid = d.dicttemplate)`,
      options: "d.dictinitoption",
      owner: owner("d.dictowner"),
      comment: comment("pg_ts_dict", "d.oid"),
    }),
    inSchema("pg_ts_dict", "d", "dictnamespace"),
  ),
  rare(
    "text search parser",
    qualified("n.nspname", "p.prsname"),
    definition({
      start: procedure("p.prsstart::oid"),
      token: procedure("p.prstoken::oid"),
      end: procedure("p.prsend::oid"),
      headline: procedure("p.prsheadline::oid"),
      types: procedure("p.prslextype::oid"),
      comment: comment("pg_ts_parser", "p.oid"),
    }),
    inSchema("pg_ts_parser", "p", "prsnamespace"),
  ),
  rare(
    "text search template",
    qualified("n.nspname", "t.tmplname"),
    definition({
      init: procedure("t.tmplinit::oid"),
      lexize: procedure("t.tmpllexize::oid"),
      comment: comment("pg_ts_template", "t.oid"),
    }),
    inSchema("pg_ts_template", "t", "tmplnamespace"),
  ),
];

const languages = rare(
  "language",
  "quote_ident(l.lanname)",
  definition({
    trusted: whenTrue("l.lanpltrusted"),
    handler: procedure("l.lanplcallfoid"),
    inline: procedure("l.laninline"),
    validator: procedure("l.lanvalidator"),
    owner: owner("l.lanowner"),
    privileges: privileges("l.lanacl", "'l'", "l.lanowner"),
    comment: comment("pg_language", "l.oid"),
  }),
  `pg_language l where ${own("pg_language", "l.oid")}`,
);

const transforms = rare(
  "transform",
  "format_type(t.trftype, null) || ' language ' || (select quote_ident(lanname) from pg_language l where l.oid = t.trflang)",
  definition({
    fromSql: procedure("t.trffromsql::oid"),
    toSql: procedure("t.trftosql::oid"),
    comment: comment("pg_transform", "t.oid"),
  }),
  `pg_transform t where ${own("pg_transform", "t.oid")}`,
);

const accessMethods = rare(
  "access method",
  "quote_ident(a.amname)",
  definition({
    handler: procedure("a.amhandler::oid"),
    type: "a.amtype::text",
    comment: comment("pg_am", "a.oid"),
  }),
  `pg_am a where ${own("pg_am", "a.oid")}`,
);

const foreignData = [
  rare(
    "foreign-data wrapper",
    "quote_ident(w.fdwname)",
    definition({
      handler: procedure("w.fdwhandler"),
      validator: procedure("w.fdwvalidator"),
      options: options("w.fdwoptions"),
      owner: owner("w.fdwowner"),
      privileges: privileges("w.fdwacl", "'F'", "w.fdwowner"),
      comment: comment("pg_foreign_data_wrapper", "w.oid"),
    }),
    `pg_foreign_data_wrapper w where ${own("pg_foreign_data_wrapper", "w.oid")}`,
  ),
  rare(
    "server",
    "quote_ident(s.srvname)",
    definition({
      wrapper: "(select fdwname from pg_foreign_data_wrapper w where w.oid = s.srvfdw)",
      type: "s.srvtype",
      version: "s.srvversion",
      options: options("s.srvoptions"),
      owner: owner("s.srvowner"),
      privileges: privileges("s.srvacl", "'S'", "s.srvowner"),
      comment: comment("pg_foreign_server", "s.oid"),
    }),
    `pg_foreign_server s where ${own("pg_foreign_server", "s.oid")}`,
  ),
  // The values may be passwords: a hash says that they differ.
  rare(
    "user mapping",
    "case when m.umuser = 0 then 'public' else quote_ident(m.usename) end || '@' || quote_ident(m.srvname)",
    definition({ options: `md5(${options("m.umoptions")}::text)` }),
    "pg_user_mappings m",
  ),
];

function publications(version: number): string {
  const columns =
    "(select jsonb_agg(t.attname order by t.attnum) from pg_attribute t where t.attrelid = p.prrelid and t.attnum = any(p.prattrs))";
  const details = version < 150000 ? {} : { columns, where: "pg_get_expr(p.prqual, p.prrelid)" };
  const schemas =
    version < 150000
      ? {}
      : {
          schemas:
            "(select jsonb_agg(n.nspname order by n.nspname) from pg_publication_namespace s join pg_namespace n on n.oid = s.pnnspid where s.pnpubid = b.oid)",
        };
  return rare(
    "publication",
    "quote_ident(b.pubname)",
    `jsonb_strip_nulls(${rest("b", "pubname", "pubowner")} || ${definition({
      tables: `(select jsonb_object_agg(p.prrelid::regclass::text, ${definition(details)}) from pg_publication_rel p where p.prpubid = b.oid)`,
      ...schemas,
      owner: owner("b.pubowner"),
      comment: comment("pg_publication", "b.oid"),
    })})`,
    "pg_publication b",
  );
}

const subscriptions = rare(
  "subscription",
  "quote_ident(s.subname)",
  definition({
    enabled: "s.subenabled",
    slot: "s.subslotname",
    synchronousCommit: "s.subsynccommit",
    publications: options("s.subpublications"),
    connection: `md5(${subscriptionConnection})`,
    owner: owner("s.subowner"),
    comment: comment("pg_subscription", "s.oid"),
  }),
  "pg_subscription s join pg_database on s.subdbid = pg_database.oid where datname = current_database()",
);

/** Roles belong to the whole server: those of another database's migrations are seen here, too. */
const roles = rare(
  "role",
  "quote_ident(r.rolname)",
  definition({
    superuser: whenTrue("r.rolsuper"),
    noInherit: whenTrue("not r.rolinherit"),
    createRole: whenTrue("r.rolcreaterole"),
    createDatabase: whenTrue("r.rolcreatedb"),
    login: whenTrue("r.rolcanlogin"),
    replication: whenTrue("r.rolreplication"),
    bypassRowSecurity: whenTrue("r.rolbypassrls"),
    connectionLimit: "nullif(r.rolconnlimit, -1)",
    validUntil: "r.rolvaliduntil",
    settings: options("r.rolconfig"),
    memberOf: `(select jsonb_agg(${owner("m.roleid")} || case when m.admin_option then ' with admin option' else '' end
      order by ${owner("m.roleid")}) from pg_auth_members m where m.member = r.oid)`,
    comment:
      "(select description from pg_shdescription where objoid = r.oid and classoid = 'pg_authid'::regclass)",
  }),
  "pg_roles r where r.rolname !~ '^pg_'",
);

/** Every entry of the kinds that migrations seldom touch; answers the JSON of Entry[], all with the root `rare`. */
export function rareStatement(version: number): string {
  const entries = [
    extensions,
    eventTriggers,
    defaultPrivileges,
    operators,
    operatorClasses,
    operatorFamilies,
    casts,
    collations,
    conversions,
    ...textSearch,
    languages,
    transforms,
    accessMethods,
    ...foreignData,
    publications(version),
    subscriptions,
    roles,
  ];
  return `select convert_to(coalesce(json_agg(json_build_array(root, key, definition, owner)), '[]')::text, 'UTF8') from (
${entries.join("\nunion all ")}) entries(root, key, definition, owner)`;
}
