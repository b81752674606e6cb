import type { Client } from "pg";
import type { Address } from "../databases/postgres/connection";
import type { Settings } from "../settings";
import type { PreflightProblem } from "./checks/problem";

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

/** What stands in the way of a migration, or should be known before it. Reads only, in five round trips. */
export async function preflight(_client: Client, _options: PreflightOptions): Promise<PreflightReport> {
  throw new Error("not written yet");
}
