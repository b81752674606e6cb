import { randomBytes } from "node:crypto";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { type Address, connect } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { thisOwner } from "./owner";
import type { ShadowDatabase } from "./server";

/** The start of every shadow database's name, by which a later run finds what was left. */
export const databasePrefix = "migration_gate_";

/** `migration_gate_<seconds since 1970, 8 digits hex><8 digits random>_<purpose>`: a name that tells its age. */
function newName(purpose: string): string {
  const seconds = Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, "0");
  const word = purpose
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .slice(0, 30);
  return `${databasePrefix}${seconds}${randomBytes(4).toString("hex")}_${word}`;
}

/** When a database of this name was created; undefined for a name that is not ours. */
export function createdAt(name: string): Date | undefined {
  const seconds = new RegExp(`^${databasePrefix}([0-9a-f]{8})[0-9a-f]{8}_`).exec(name)?.[1];
  return seconds === undefined ? undefined : new Date(Number.parseInt(seconds, 16) * 1000);
}

/**
 * Creates a database from the server's default template (what an image puts there, production has too) or as a copy.
 * `beforeDrop` sees it once more. Disposing never fails: what could not be dropped is told by `onLeft`.
 */
export async function createDatabase(
  server: Address,
  purpose: string,
  template: string | undefined,
  beforeDrop: (database: Address) => Promise<void>,
  onLeft: (reason: string) => void,
): Promise<ShadowDatabase> {
  const name = newName(purpose);
  const client = await connect(server);
  try {
    const copy = template === undefined ? "" : ` TEMPLATE ${escapeIdentifier(template)}`;
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)}${copy}`);
    if (template !== undefined) await copySettings(client, template, name);
    await client.query(
      `COMMENT ON DATABASE ${escapeIdentifier(name)} IS ${escapeLiteral(JSON.stringify(thisOwner()))}`,
    );
  } catch (error) {
    throw new UserError(
      {
        what: `The shadow database for "${purpose}" could not be created.`,
        where: server.name,
        seen: error instanceof Error ? error.message : String(error),
        do: "Mend what the server names, and run again.",
      },
      { cause: error },
    );
  } finally {
    await client.end();
  }
  const address = { ...server, database: name };
  let dropped: Promise<void> | undefined;
  const drop = async () => {
    try {
      await beforeDrop(address);
      await dropDatabase(server, name);
    } catch (error) {
      onLeft(
        `The shadow database ${name} could not be dropped: ${error instanceof Error ? error.message : error}`,
      );
    }
  };
  return {
    name,
    address,
    [Symbol.asyncDispose]: () => {
      dropped ??= drop();
      return dropped;
    },
  };
}

/** Lists of names that are written down as they are to be read: a literal of all would be one name (pg_dump's dumputils.c). */
const lists = new Set([
  "search_path",
  "temp_tablespaces",
  "local_preload_libraries",
  "session_preload_libraries",
]);

/** What ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET left belongs to no database's files: CREATE DATABASE does not copy it. */
async function copySettings(client: Client, from: string, to: string): Promise<void> {
  const { rows } = await client.query<{ role: string | null; settings: string[] }>(
    `select r.rolname::text as role, s.setconfig as settings from pg_catalog.pg_db_role_setting s
       join pg_catalog.pg_database d on d.oid = s.setdatabase left join pg_catalog.pg_roles r on r.oid = s.setrole
      where d.datname = $1 and (s.setrole = 0 or r.oid is not null)`,
    [from],
  );
  for (const { role, settings } of rows) {
    const whose =
      role === null
        ? `DATABASE ${escapeIdentifier(to)}`
        : `ROLE ${escapeIdentifier(role)} IN DATABASE ${escapeIdentifier(to)}`;
    for (const setting of settings) {
      const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(setting) ?? [];
      const isList = lists.has(name) && !/^"?"?$/.test(value);
      await client.query(
        `ALTER ${whose} SET ${escapeIdentifier(name)} TO ${isList ? value : escapeLiteral(value.replace(/^""$/, ""))}`,
      );
    }
  }
}

/** Drops the database and ends its connections; no error if it does not exist. */
export async function dropDatabase(server: Address, name: string): Promise<void> {
  const client = await connect(server);
  try {
    await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}
