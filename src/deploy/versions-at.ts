import { type Address, connect } from "../databases/postgres/connection";
import { close, within } from "../databases/postgres/own-session";
import { UserError } from "../errors";
import { type ReadOptions, readVersions } from "./read-versions";
import type { SeenDatabase } from "./status";

/** A network that drops everything must not be waited for. */
export const answerLimitMs = 30_000;

/** Of a database, for messages: no secret. */
export function placeOf({ host, port, database }: Address): string {
  return `${host}:${port}/${database}`;
}

/** The version table's content of a database, on a connection that is closed again. A UserError where it cannot be told. */
export async function versionsAt(
  address: Address,
  reading: Omit<ReadOptions, "where">,
  applicationName: string,
): Promise<SeenDatabase> {
  const client = await connect(address, { applicationName });
  const where = placeOf(address);
  try {
    return await within(client, readVersions(client, { ...reading, where }), answerLimitMs);
  } catch (error) {
    throw error instanceof UserError ? error : notRead(where, error);
  } finally {
    await close(client);
  }
}

/** What is no answer of ours: the server's refusal, or none in time. */
export function notRead(where: string, error: unknown): UserError {
  return new UserError(
    {
      what: "The version table could not be read.",
      where,
      seen: error instanceof Error ? error.message : String(error),
      why: "What is applied cannot be told.",
      do: "See in pg_stat_activity whether a session holds an exclusive lock on it (another migration at work), and whether a limit of this role ends queries; then run it again.",
    },
    { cause: error },
  );
}
