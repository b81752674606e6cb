import type { Client } from "pg";
import { type Address, connect } from "../databases/postgres/connection";

/** How long a session may take to end after it was told to, in milliseconds. */
const endLimitMs = 5_000;

const otherSessions = `select pid from pg_catalog.pg_stat_activity
  where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid() and backend_type = 'client backend'`;

/** Ends every other session of this database, and returns when they are gone: one that lives on holds its locks. */
export async function endOtherSessions(client: Client): Promise<void> {
  const until = performance.now() + endLimitMs;
  for (;;) {
    const { rowCount } = await client.query(
      `select pg_catalog.pg_terminate_backend(others.pid) from (${otherSessions}) as others`,
    );
    if (rowCount === 0 || performance.now() > until) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Every role of the server, which all its databases share. */
export async function rolesOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select rolname::text as name from pg_catalog.pg_roles",
  );
  return rows.map(({ name }) => name);
}

/** Drops roles that revisions made, once their database is gone: the next database must not meet them. */
export async function dropRoles(address: Address, roles: readonly string[]): Promise<void> {
  const client = await connect(address, { applicationName: "migration-gate" });
  try {
    for (const role of roles) {
      await client.query(`drop role if exists ${client.escapeIdentifier(role)}`).catch(() => undefined);
    }
  } finally {
    await client.end();
  }
}
