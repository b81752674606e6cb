import type { Client } from "pg";
import { escapeIdentifier } from "pg";
import { type Address, connect, parseAddress } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { registerCleanup } from "./cleanup";
import { createDatabase, createdAt, databasePrefix, dropDatabase } from "./databases";
import { isAbandoned, parseOwner, stateOf } from "./owner";
import { type ShadowDatabase, type ShadowServer, shadowUrlSetting } from "./server";

/** Databases on a server of the user. Nothing but our own databases, and the roles made in them, is touched. */
export async function useGivenServer(url: string, onProgress: (text: string) => void): Promise<ShadowServer> {
  const address = parseAddress(url, shadowUrlSetting);
  const client = await connect(address, { timeoutMs: 30_000 });
  let facts: ServerFacts;
  try {
    facts = await readFacts(client, address);
    await dropLeftovers(client, address);
  } finally {
    await client.end();
  }

  const open = new Set<ShadowDatabase>();
  const usedRoles = new Set<string>();
  let disposed: Promise<void> | undefined;
  const finish = async () => {
    for (const database of open) await database[Symbol.asyncDispose]();
    await dropNewRoles(address, facts.roles, usedRoles, onProgress);
    unregister();
  };
  const dispose = () => {
    disposed ??= finish();
    return disposed;
  };
  // Without an event loop there is no connection: the next run finds the databases by their names.
  const unregister = registerCleanup({ run: dispose, runNow: () => {} });
  return {
    kind: "given",
    version: facts.version,
    major: facts.major,
    address,
    socket: undefined,
    createDatabase: async (purpose, template) => {
      const collectRoles = async (database: Address) => {
        for (const role of await rolesUsedIn(database)) usedRoles.add(role);
      };
      const database = await createDatabase(address, purpose, template, collectRoles, onProgress);
      open.add(database);
      return database;
    },
    takeRoles: (roles) => {
      for (const role of roles) usedRoles.add(role);
    },
    processes: () => [],
    [Symbol.asyncDispose]: dispose,
  };
}

interface ServerFacts {
  readonly version: string;
  readonly major: number;
  /** The roles that were there before. */
  readonly roles: ReadonlySet<string>;
}

async function readFacts(client: Client, address: Address): Promise<ServerFacts> {
  const { rows } = await client.query<{
    version: string;
    number: number;
    may_create: boolean;
    roles: string[];
  }>(`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
           (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create,
           (SELECT array_agg(rolname::text) FROM pg_roles) AS roles`);
  const [row] = rows;
  const where = `${address.name}: ${address.host}:${address.port}, user "${address.user}"`;
  if (row === undefined || row.number < 130_000) {
    throw new UserError({
      what: `The shadow server is PostgreSQL ${row?.version}, which is too old.`,
      where,
      do: "Use 13 or newer.",
    });
  }
  if (!row.may_create) {
    throw new UserError({
      what: `User "${address.user}" may not create databases on the shadow server.`,
      where,
      do: `ALTER ROLE ${escapeIdentifier(address.user)} CREATEDB;`,
    });
  }
  return {
    version: row.version.split(" ")[0]!,
    major: Math.floor(row.number / 10_000),
    roles: new Set(row.roles),
  };
}

/** Databases of runs that were killed: their owner is dead, or cannot be asked and a day has gone by without a session. */
async function dropLeftovers(client: Client, address: Address): Promise<void> {
  const { rows } = await client.query<{ name: string; comment: string | null; used: boolean }>(
    `SELECT d.datname AS name, shobj_description(d.oid, 'pg_database') AS comment,
            EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid) AS used
       FROM pg_database d WHERE starts_with(d.datname, $1) AND pg_has_role(d.datdba, 'USAGE')`,
    [databasePrefix],
  );
  for (const { name, comment, used } of rows) {
    const created = createdAt(name);
    if (created === undefined) continue;
    const owner = parseOwner(comment ?? "");
    const state = owner === undefined ? "elsewhere" : stateOf(owner);
    if (state === "dead" || (state === "elsewhere" && isAbandoned(created) && !used)) {
      // Another run may be dropping it too; what is left is found again.
      await dropDatabase(address, name).catch(() => {});
    }
  }
}

/** Roles that own something or were granted something in this database; roles themselves belong to the whole server. */
async function rolesUsedIn(database: Address): Promise<string[]> {
  const client = await connect(database);
  try {
    const { rows } = await client.query<{ role: string }>(`
      SELECT DISTINCT r.rolname::text AS role FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
       WHERE s.refclassid = 'pg_authid'::regclass
         AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`);
    return rows.map(({ role }) => role);
  } finally {
    await client.end();
  }
}

/**
 * Drops the roles that revisions made, known by what they own or may do in our databases. Another new role may be
 * somebody else's and stays, as does one that something else on the server uses by now.
 */
async function dropNewRoles(
  address: Address,
  before: ReadonlySet<string>,
  used: ReadonlySet<string>,
  onProgress: (text: string) => void,
): Promise<void> {
  try {
    const client = await connect(address);
    try {
      const { rows } = await client.query<{ role: string }>("SELECT rolname::text AS role FROM pg_roles");
      for (const { role } of rows.filter((row) => !before.has(row.role))) {
        const drop = `DROP ROLE ${escapeIdentifier(role)}`;
        const refused = used.has(role)
          ? await client.query(drop).then(
              () => undefined,
              (error: Error) => error.message,
            )
          : "nothing in the shadow databases used it, so that it may be somebody else's";
        if (refused === undefined) continue;
        onProgress(
          `The new role "${role}" stays on the shadow server: ${refused}. If a revision made it: ${drop};`,
        );
      }
    } finally {
      await client.end();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    onProgress(`New roles may have stayed on the shadow server: ${reason}`);
  }
}
