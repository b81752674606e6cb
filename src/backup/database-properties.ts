import { type Client, escapeIdentifier, escapeLiteral } from "pg";

interface Properties {
  readonly owner: string;
  readonly encoding: string;
  readonly tablespace: string;
  readonly comment: string | null;
  /** The whole row of pg_database: the names of the locale's columns differ from version to version. */
  readonly row: {
    readonly datcollate: string;
    readonly datctype: string;
    readonly datlocprovider?: string;
    /** 17 and newer; daticulocale in 15 and 16. */
    readonly datlocale?: string | null;
    readonly daticulocale?: string | null;
    readonly daticurules?: string | null;
    readonly datconnlimit: number;
  };
}

async function propertiesOf(client: Client, database: string): Promise<Properties> {
  const { rows } = await client.query<Properties>(
    `select pg_catalog.pg_get_userbyid(d.datdba)::text as owner, pg_catalog.pg_encoding_to_char(d.encoding)::text as encoding,
            t.spcname::text as tablespace, pg_catalog.shobj_description(d.oid, 'pg_database') as comment, pg_catalog.to_jsonb(d) - 'datacl' as row
       from pg_catalog.pg_database d join pg_catalog.pg_tablespace t on t.oid = d.dattablespace where d.datname = $1`,
    [database],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`the server has no database ${database}`);
  return row;
}

/** Creates an empty database with the owner, encoding, locale and place of another one. */
export async function createLike(
  client: Client,
  database: string,
  name: string,
  comment: string,
): Promise<void> {
  const { owner, encoding, tablespace, row } = await propertiesOf(client, database);
  const provider = row.datlocprovider;
  const locale = row.datlocale ?? row.daticulocale;
  const words = [
    `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE template0 OWNER ${escapeIdentifier(owner)}`,
    `ENCODING ${escapeLiteral(encoding)} LC_COLLATE ${escapeLiteral(row.datcollate)} LC_CTYPE ${escapeLiteral(row.datctype)}`,
    `CONNECTION LIMIT ${row.datconnlimit}`,
  ];
  // To name even the default one needs a right that an owner who is no superuser has not.
  if (tablespace !== "pg_default") words.push(`TABLESPACE ${escapeIdentifier(tablespace)}`);
  if (provider === "i" && locale) words.push(`LOCALE_PROVIDER icu ICU_LOCALE ${escapeLiteral(locale)}`);
  if (provider === "b" && locale)
    words.push(`LOCALE_PROVIDER builtin BUILTIN_LOCALE ${escapeLiteral(locale)}`);
  if (row.daticurules) words.push(`ICU_RULES ${escapeLiteral(row.daticurules)}`);
  await client.query(words.join(" "));
  await client.query(`COMMENT ON DATABASE ${escapeIdentifier(name)} IS ${escapeLiteral(comment)}`);
}

/**
 * Copies what belongs to a database and is in no dump: privileges, and settings (ALTER DATABASE … SET, ALTER ROLE … IN
 * DATABASE … SET). Returns what could not be copied.
 */
export async function copySettings(client: Client, from: string, to: string): Promise<string[]> {
  const failed: string[] = [];
  const target = escapeIdentifier(to);
  const attempt = async (what: string, statements: readonly string[]) => {
    await client.query("begin");
    try {
      for (const statement of statements) await client.query(statement);
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      failed.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const settings = await client.query<{ role: string | null; setting: string }>(
    `select case s.setrole when 0 then null else pg_catalog.pg_get_userbyid(s.setrole)::text end as role, pg_catalog.unnest(s.setconfig) as setting
       from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase where d.datname = $1`,
    [from],
  );
  for (const { role, setting } of settings.rows) {
    const [name = ""] = setting.split("=", 1);
    const value = setting.slice(name.length + 1);
    const whose =
      role === null
        ? `ALTER DATABASE ${target}`
        : `ALTER ROLE ${escapeIdentifier(role)} IN DATABASE ${target}`;
    // FROM CURRENT: lists (search_path) need no quoting of ours. A role would change who goes on here.
    const written = name.split(".").map(escapeIdentifier).join(".");
    await attempt(
      `setting ${name}`,
      name === "role" || name === "session_authorization"
        ? [`${whose} SET ${name} TO ${escapeLiteral(value)}`]
        : [
            `SELECT pg_catalog.set_config(${escapeLiteral(name)}, ${escapeLiteral(value)}, true)`,
            `${whose} SET ${written} FROM CURRENT`,
          ],
    );
  }
  const grants = await client.query<{ grantee: string | null; privilege: string; grantable: boolean }>(
    `select case a.grantee when 0 then null else pg_catalog.pg_get_userbyid(a.grantee)::text end as grantee, a.privilege_type as privilege, a.is_grantable as grantable
       from pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a where d.datname = $1`,
    [from],
  );
  if (grants.rows.length > 0) {
    const statements = grants.rows.map(
      ({ grantee, privilege, grantable }) =>
        `GRANT ${privilege} ON DATABASE ${target} TO ${grantee === null ? "PUBLIC" : escapeIdentifier(grantee)}${grantable ? " WITH GRANT OPTION" : ""}`,
    );
    await attempt("privileges", [`REVOKE ALL ON DATABASE ${target} FROM PUBLIC`, ...statements]);
  }
  return failed;
}

/** The statement that gives a database the comment of another one. */
export async function commentLike(client: Client, from: string, to: string): Promise<string> {
  const { comment } = await propertiesOf(client, from);
  return `COMMENT ON DATABASE ${escapeIdentifier(to)} IS ${comment === null ? "NULL" : escapeLiteral(comment)}`;
}
