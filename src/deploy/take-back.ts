import { connect } from "../databases/postgres/connection";
import type { CommandResult } from "../executors/local";
import { type OwnWayBack, runWayBack } from "../lanes/own-way-back";
import { namedTable } from "../tools/named-table";
import type { SeenDatabase } from "./status";
import type { Target } from "./target";

export interface TakeBack {
  readonly target: Target;
  readonly seen: Pick<SeenDatabase, "database" | "versionTable">;
  readonly revision: string;
  /** The reverse, as the project names it, and its text. */
  readonly file: string;
  readonly text: string;
  /** By which the watch knows the session. */
  readonly applicationName: string;
  /** libpq's options for the session, where the server takes them. */
  readonly options: string | undefined;
  readonly lockTimeoutMs: number | undefined;
  readonly statementTimeoutMs: number;
  readonly timeoutMs: number;
}

/**
 * Takes back what the tool cannot, on the real database: the reverse and the deletion of the row, in one transaction
 * unless the file says otherwise, on a connection of its own. It is told as a command's end; of what did not end well
 * nothing is left then.
 */
export function takeBack(job: TakeBack, abort: AbortSignal): Promise<CommandResult> {
  const { address, tool } = job.target;
  const table = job.seen.versionTable ?? namedTable(tool);
  const options = [address.options, job.options].filter((part) => part !== undefined && part !== "");
  const own = { ...address, ...(options.length === 0 ? {} : { options: options.join(" ") }) };
  const libraryLock = tool.rows?.libraryLock(job.seen.database.name);
  const back: OwnWayBack = {
    revision: job.revision,
    file: job.file,
    text: job.text,
    deletion: tool.rows?.deletion(table, job.revision) ?? "",
    writesVersions: (sql) => tool.versionWrites(sql, table).length > 0,
    before: [
      ...(job.lockTimeoutMs === undefined ? [] : [`SET lock_timeout = ${job.lockTimeoutMs}`]),
      `SET statement_timeout = ${job.statementTimeoutMs}`,
      "SET idle_in_transaction_session_timeout = 0",
    ],
    ...(libraryLock === undefined ? {} : { libraryLock }),
  };
  const open = () => connect(own, { applicationName: job.applicationName });
  return runWayBack(open, [back], { timeoutMs: job.timeoutMs, abort });
}
