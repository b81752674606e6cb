import { secretVariables } from "../settings";
import type { AddressParts } from "./address";

/** The tool's environment, and the names (never the values) that were kept from it because they may lead to a database. */
export interface ChildEnvironment {
  readonly env: Record<string, string>;
  readonly removed: readonly string[];
}

/**
 * The variables that a tool may see: the parent's without any that may lead to another database, then `ours`.
 * Sorted names of what was removed; a name that `ours` sets anew is not among them.
 */
export function childEnvironment(
  parent: NodeJS.ProcessEnv,
  ours: Readonly<Record<string, string>>,
): ChildEnvironment {
  const env: Record<string, string> = {};
  const removed: string[] = [];
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined || isOurs(name) || Object.hasOwn(ours, name)) continue;
    if (leadsToDatabase(name, value)) removed.push(name);
    else env[name] = value;
  }
  return { env: { ...env, ...toolSettings, ...ours }, removed: removed.sort() };
}

/** The parent's variables but those that are the gate's or GitHub's own, then `ours`: for a tool on the user's own database. */
export function ownEnvironment(
  parent: NodeJS.ProcessEnv,
  ours: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(parent).filter(([name, value]) => value !== undefined && !isOurs(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...toolSettings, ...ours };
}

/**
 * libpq's variables for the recorder, so that a tool without an address of its own arrives there too. The files are
 * empty so that neither ~/.pgpass nor a service can lead elsewhere (PostgreSQL manual, 34.15 and 34.17).
 */
export function recorderVariables(parts: AddressParts): Record<string, string> {
  return {
    PGHOST: parts.host,
    PGPORT: String(parts.port),
    PGUSER: parts.user,
    PGPASSWORD: parts.password,
    PGDATABASE: parts.database,
    PGPASSFILE: "/dev/null",
    PGSERVICEFILE: "/dev/null",
    // The recorder is on this machine: encryption would only cost time. An address that asks for it still gets it.
    PGSSLMODE: "disable",
    PGGSSENCMODE: "disable",
  };
}

/** Output as it is written and without colours, and no __pycache__ in the project's tree. */
const toolSettings = { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1", NO_COLOR: "1" } as const;

/** What the runner gives to an action only, secrets among it; a step's commands do not see them either. */
const runnersOwn = /^(?:INPUT_|ACTIONS_(?:RUNTIME|ID_TOKEN|RESULTS|CACHE)_)/;

const tokens = /^(?:GITHUB|GH)(?:_ENTERPRISE)?_TOKEN$/;

/** For the gate and for GitHub: a revision is foreign code. */
function isOurs(name: string): boolean {
  return runnersOwn.test(name) || tokens.test(name) || secretVariables.includes(name);
}

/** All of libpq's (PostgreSQL manual, 34.15), the two images' own, and what begins with PG but is none (PGP_KEY). */
const databaseServerName = /^(?:PG(?!P_)|POSTGRES(?:QL)?_|MYSQL_|MARIADB_)/;

/** Parts that a settings module joins to an address, with any prefix: DB_HOST, BOARDS_DATABASE_PASSWORD_FILE. */
const databasePartName =
  /(?:^|_)(?:DB|DATABASE|POSTGRES(?:QL)?|PG|MYSQL|MARIADB|MSSQL|ORACLE|MONGO(?:DB)?|SQL|SQLALCHEMY|RDS|AURORA)_{1,2}(?:HOST(?:NAME|ADDR)?|PORT|USER(?:NAME)?|PASS(?:WORD|WD)?|PWD|NAME|DATABASE|DB|SERVER|SERVICE|SOCKET|ADDR(?:ESS)?|ENDPOINT|CONN(?:ECTION)?(?:_STRING)?)(?:_FILE)?$/i;

const addressName = /(?:^|_)(?:URL|URI|DSN)(?:_FILE)?$/i;

/**
 * Not a database that a migration writes to: caches, brokers, mail, files, package indexes and the like. They stay,
 * because a settings module that requires one would not even start without it.
 */
const otherAddress =
  /^(?:https?|file|wss?|rediss?|unix|amqps?|nats|kafka|memcached|smtps?|ssh|git|s3|gs|ldaps?|sqs):/i;

const databaseAddress =
  /(?:postgres(?:ql)?|mysql|mariadb|mssql|sqlserver|oracle|mongodb|cockroach(?:db)?|redshift|snowflake|clickhouse|sqlite|duckdb|libsql|firebird|db2|cassandra)(?:[+:][\w+:]*)?:\/\//i;

/** Thick Oracle and SQL Server addresses as JDBC writes them. */
const jdbcAddress = /jdbc:[a-z0-9]+:/i;

/** libpq's keyword string (PostgreSQL manual, 34.1.1.1): at least two of its words, one of which says where. */
const keywordPlace = /(?:^|\s)(?:host|hostaddr|service|dbname)\s*=/i;
const keyword = /(?:^|\s)(?:host|hostaddr|service|dbname|user|password|port|sslmode)\s*=/gi;

/** ODBC's and ADO's `Server=…;Database=…`. */
const odbcString =
  /(?:^|;)\s*(?:server|data source|host|driver)\s*=[^;]*;.*(?:database|initial catalog|uid|user id|pwd|password)\s*=/is;

function leadsToDatabase(name: string, value: string): boolean {
  if (databaseServerName.test(name) || databasePartName.test(name)) return true;
  if (databaseAddress.test(value) || jdbcAddress.test(value) || odbcString.test(value)) return true;
  if (keywordPlace.test(value) && (value.match(keyword)?.length ?? 0) > 1) return true;
  if (!addressName.test(name) || value === "") return false;
  // A path is an application's own (STATIC_URL=/static/), but not where a file holds the address.
  return !otherAddress.test(value) && (!/^[/.]/.test(value) || /_FILE$/i.test(name));
}
