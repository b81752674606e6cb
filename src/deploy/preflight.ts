import type { Client } from "pg";
import type { Address } from "../databases/postgres/connection";
import { invalidIndexes, unvalidatedConstraints } from "../databases/postgres/leftovers";
import { announcedPid } from "../databases/postgres/own-session";
import { readExtensions, readRights } from "../databases/postgres/rights";
import {
  askRepeatedly,
  readOnly,
  readServerFacts,
  type ServerFacts,
} from "../databases/postgres/server-facts";
import { readSessions } from "../databases/postgres/session-facts";
import type { ErrorParts } from "../errors";
import { visible } from "../reports/visible";
import type { Settings } from "../settings";
import { poolerProblem, serverProblems, writableProblems } from "./checks/connection";
import { leftoverWarnings } from "./checks/leftovers";
import { joinProblems, type PreflightProblem, type Problems } from "./checks/problem";
import { extensionProblems, rightProblems } from "./checks/rights";
import { sessionProblems } from "./checks/sessions";
import { gateLockKey } from "./gate-lock";

export type { PreflightCheck, PreflightProblem } from "./checks/problem";

export interface PreflightOptions {
  readonly address: Address;
  readonly settings: Pick<Settings, "lock-timeout" | "max-transaction-age">;
  /** Where the applied revisions are written; undefined before the first install. */
  readonly versionTable: { readonly schema: string; readonly table: string } | undefined;
  /** Names of the extensions that pending revisions create. */
  readonly extensions: readonly string[];
  /** The database, for messages: no secret. */
  readonly where: string;
  readonly writes: "apply" | "rollback";
  /** The gate's own sessions beside `client`: that of its lock, the watch. */
  readonly ownPids?: readonly number[];
}

export interface PreflightReport {
  /** One is enough to write nothing. */
  readonly refusals: readonly PreflightProblem[];
  readonly warnings: readonly PreflightProblem[];
  readonly server: {
    readonly version: string;
    readonly major: number;
    /** E.g. TLSv1.3; undefined where the connection is not encrypted. */
    readonly tls: string | undefined;
    readonly role: string;
  };
}

/** What the application_name of a tool begins with that a gate started. */
export const toolApplicationPrefix = "migration-gate tool";

/**
 * What stands in the way of a migration, or should be known before it. Reads only, in one read-only transaction; on a
 * pooler or a replica nothing else is looked at, because it would be said of the wrong server.
 */
export async function preflight(client: Client, options: PreflightOptions): Promise<PreflightReport> {
  const { pids, schema } = await askRepeatedly(client);
  const pooler = poolerProblem(announcedPid(client), pids, options);
  return await readOnly(client, async () => {
    const facts = await readServerFacts(client);
    const writable = writableProblems(facts, options);
    const unfit = {
      refusals: [...(pooler === undefined ? [] : [pooler]), ...writable.refusals],
      warnings: [],
    };
    const rest =
      pooler === undefined && !facts.inRecovery ? await inspect(client, facts, schema, options) : [];
    const { refusals, warnings } = joinProblems([unfit, ...rest]);
    const { version, major, role, tls } = facts;
    return {
      refusals: refusals.map(readable),
      warnings: warnings.map(readable),
      server: { version, major, role, tls: tls ?? undefined },
    };
  });
}

async function inspect(
  client: Client,
  facts: ServerFacts,
  currentSchema: string | null,
  options: PreflightOptions,
): Promise<Problems[]> {
  const { versionTable, where, writes, settings, extensions, ownPids = [] } = options;
  const { role, database } = facts;
  const rights = await readRights(client, versionTable);
  const about = { writes, where, role, database, versionTable, currentSchema };
  const wanted = extensions.length === 0 ? [] : await readExtensions(client, extensions);
  const question = { versionTable, ownPids, gateLockKey, toolPrefix: toolApplicationPrefix };
  const sessions = sessionProblems(await readSessions(client, question), {
    where,
    role,
    maxTransactionAgeMs: settings["max-transaction-age"] * 1000,
    lockTimeoutMs: settings["lock-timeout"] * 1000,
    toolPrefix: toolApplicationPrefix,
  });
  const indexes = await invalidIndexes(client);
  const constraints = await unvalidatedConstraints(client);
  return [
    serverProblems(facts, options),
    rightProblems(rights, about),
    extensionProblems(wanted, rights, about),
    sessions,
    { refusals: [], warnings: leftoverWarnings(indexes, constraints, where) },
  ];
}

/** Names of the server's are foreign text; `do` is left as it is, to be pasted, without what deceives the eye. */
function readable({ check, parts }: PreflightProblem): PreflightProblem {
  const clean = Object.entries(parts).map(([label, text]) => [label, visible(text)]);
  return { check, parts: Object.fromEntries(clean) as Required<ErrorParts> };
}
