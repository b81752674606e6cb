import type { Address } from "../../databases/postgres/connection";
import type { ServerFacts } from "../../databases/postgres/server-facts";
import { quoted } from "../describe-session";
import type { PreflightProblem, Problems } from "./problem";

export interface ConnectionContext {
  readonly address: Address;
  readonly where: string;
  readonly ownPids?: readonly number[];
}

/** Two more for the gate (its lock, the watch), and one for the tool; those that are open already are in use. */
const neededConnections = 3;

/** A pooler that gives its server processes to several clients; undefined where each answer came from the one process. */
export function poolerProblem(
  announced: number | undefined,
  pids: readonly number[],
  { address, where }: ConnectionContext,
): PreflightProblem | undefined {
  if (announced !== undefined && pids.every((pid) => pid === announced)) return undefined;
  return {
    check: "pooler",
    parts: {
      what: "There is a connection pooler between here and the database.",
      where,
      seen: `The connection was made to process ${announced ?? "none"}, and ${[...new Set(pids)].join(", ")} answered.`,
      why: "In a pooler's transaction mode locks and settings of a session go to other clients, and stay after its end: two migrations are not kept apart, and lock_timeout is another client's.",
      do: `Put the server's own address into ${address.name} (PgBouncer listens on 6432, the server behind it on 5432; providers call it the direct, session or non-pooled connection).`,
    },
  };
}

/** Where nothing can be written. */
export function writableProblems(facts: ServerFacts, { address, where }: ConnectionContext): Problems {
  const refusals: PreflightProblem[] = [];
  if (facts.inRecovery) {
    const primary = facts.primary === null ? "" : ` It gets its data from ${facts.primary}.`;
    refusals.push({
      check: "read-replica",
      parts: {
        what: "The address is that of a read replica.",
        where,
        seen: `pg_is_in_recovery() is true.${primary}`,
        why: "A replica takes no writes; it has what its primary has.",
        do: `Put the primary's address into ${address.name}.`,
      },
    });
  } else if (facts.readOnly) {
    refusals.push({
      check: "read-only",
      parts: {
        what: `Sessions of the role ${quoted(facts.role)} can only read.`,
        where,
        seen: `default_transaction_read_only is on, from: ${facts.readOnlySource}.`,
        why: "Each statement of a migration would fail with 25006.",
        do: resetReadOnly(facts, address),
      },
    });
  }
  return { refusals, warnings: [] };
}

function resetReadOnly({ readOnlySource, role, database }: ServerFacts, address: Address): string {
  const setting = "RESET default_transaction_read_only;";
  switch (readOnlySource) {
    case "user":
      return `ALTER ROLE ${ident(role)} ${setting}`;
    case "database":
      return `ALTER DATABASE ${ident(database)} ${setting}`;
    case "database user":
      return `ALTER ROLE ${ident(role)} IN DATABASE ${ident(database)} ${setting}`;
    case "client":
      return `Take default_transaction_read_only out of the options in ${address.name}.`;
    default:
      return `Find out why the server is read-only (a full disk, a switch-over); then ALTER SYSTEM ${setting} SELECT pg_reload_conf();`;
  }
}

export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** TLS, connections that are left, time limits, replication of rows that does not carry the schema. */
export function serverProblems(facts: ServerFacts, context: ConnectionContext): Problems {
  const warnings = [tls(facts, context), ...timeouts(facts, context), replication(facts, context)];
  return {
    refusals: connections(facts, context),
    warnings: warnings.filter((problem) => problem !== undefined),
  };
}

function tls(
  { tls: version }: ServerFacts,
  { address, where }: ConnectionContext,
): PreflightProblem | undefined {
  const { host, sslmode, name } = address;
  if (version !== null || host.startsWith("/") || /^(?:localhost|127\.[\d.]+|::1)$/.test(host))
    return undefined;
  return {
    check: "tls",
    parts: {
      what: `The connection to ${host} is not encrypted.`,
      where,
      seen: `sslmode=${sslmode}${sslmode === "prefer" ? ", and the server does not offer TLS" : ""}.`,
      why: "Whoever is on the way can read and change what is migrated, the password's exchange included.",
      do: `Turn TLS on at the server and add sslmode=verify-full to the URL in ${name}: it encrypts and checks the server's name (sslmode=require only encrypts).`,
    },
  };
}

function connections(
  { connections: facts, role, database }: ServerFacts,
  { where, ownPids = [] }: ConnectionContext,
): PreflightProblem[] {
  const needed = Math.max(neededConnections - ownPids.length, 1);
  const scopes = [
    [facts.role, `the role ${quoted(role)}`, `ALTER ROLE ${ident(role)} CONNECTION LIMIT`],
    [facts.database, "the database", `ALTER DATABASE ${ident(database)} CONNECTION LIMIT`],
    [facts.server, "the server", "max_connections"],
  ] as const;
  for (const [{ used, limit }, whose, setting] of scopes) {
    if (limit < 0 || used + needed <= limit) continue;
    return [
      {
        check: "connections",
        parts: {
          what: `There are not enough connections left for ${whose}: ${Math.max(limit - used, 0)}, and a migration needs ${needed} more.`,
          where,
          seen: `${used} of ${limit} are in use.`,
          why: "The tool, the gate's lock and its watch each need one.",
          do: `Close idle connections, or raise the limit: ${setting}${setting.startsWith("ALTER") ? ` ${used + needed};` : "."}`,
        },
      },
    ];
  }
  return [];
}

function timeouts(facts: ServerFacts, { where }: ConnectionContext): PreflightProblem[] {
  return facts.timeouts
    .filter(({ source }) => source !== "client")
    .map(({ name, value, source }) => ({
      check: "server-timeouts",
      parts: {
        what: `The server sets ${name} to ${value} for this role.`,
        where,
        seen: `${name} = ${value}, from: ${source}.`,
        why: /^(?:lock|statement)_/.test(name)
          ? "A driver that takes PGOPTIONS gets the gate's own limit instead; asyncpg and pg8000 do not, and theirs is the shorter of the two."
          : "It ends a migration's transaction that is open for longer, whatever the gate's settings are.",
        do: `Where a migration needs more: ALTER ROLE ${ident(facts.role)} IN DATABASE ${ident(facts.database)} SET ${name} = '1h';`,
      },
    }));
}

function replication(facts: ServerFacts, { where }: ConnectionContext): PreflightProblem | undefined {
  const { publications, subscriptions } = facts;
  if (publications.length + subscriptions.length === 0) return undefined;
  const list = (what: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${what}: ${names.map(quoted).join(", ")}`];
  return {
    check: "logical-replication",
    parts: {
      what: "The database takes part in logical replication, which does not carry changes of the schema.",
      where,
      seen: [...list("publications", publications), ...list("subscriptions", subscriptions)].join("\n"),
      why: "A column that a subscriber does not have stops the replication, and WAL piles up at the publisher.",
      do: "Make what is added on the subscriber first, and what is dropped on the publisher first.",
    },
  };
}
