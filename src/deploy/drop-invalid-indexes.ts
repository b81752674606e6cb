import type { Client } from "pg";
import { UserError } from "../errors";

/** Drops them without blocking readers or writers; a UserError names the one that stays. */
export async function dropInvalidIndexes(
  client: Client,
  indexes: readonly { readonly name: string }[],
  lockTimeoutMs: number,
  say: (text: string) => void,
): Promise<void> {
  await client.query("select pg_catalog.set_config('lock_timeout', $1, false)", [`${lockTimeoutMs}ms`]);
  for (const { name } of indexes) {
    say(`Dropping the invalid index ${name} that the cancelled build left.`);
    try {
      await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
    } catch (error) {
      throw new UserError(
        {
          what: `The invalid index ${name} could not be dropped.`,
          seen: error instanceof Error ? error.message : String(error),
          do: `DROP INDEX CONCURRENTLY ${name}; then run the same job again.`,
        },
        { cause: error },
      );
    }
  }
}
