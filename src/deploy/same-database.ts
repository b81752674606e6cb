import { randomInt } from "node:crypto";
import { within } from "../databases/postgres/own-session";
import { UserError } from "../errors";
import { gateLockKey } from "./gate-lock";
import type { Target } from "./target";
import { answerLimitMs } from "./versions-at";

/**
 * The first of these that is the same database as one before it, whatever their addresses look like: an advisory lock of
 * one is then in the other's way (manual, 13.3.5). Nothing stays locked.
 */
export async function firstTwice(targets: readonly Target[]): Promise<Target | undefined> {
  // Of nobody else: another gate looks at the same moment.
  const key = [gateLockKey[0], randomInt(2, 2 ** 31)];
  const ask = async (target: Target, call: string): Promise<boolean> => {
    const client = await target.client();
    const text = `select pg_catalog.${call}($1::int4, $2::int4) as done`;
    try {
      const { rows } = await within(client, client.query<{ done: boolean }>(text, key), answerLimitMs);
      return rows[0]?.done === true;
    } catch (error) {
      throw new UserError(
        {
          what: "The server did not tell whether two databases of this project are one.",
          where: target.where,
          seen: error instanceof Error ? error.message : String(error),
          why: "In one database the tool would wait for its own lock.",
          do: "See that this role may call pg_try_advisory_lock, and that no limit of it ends the call; then run it again.",
        },
        { cause: error },
      );
    }
  };
  const held: Target[] = [];
  try {
    for (const target of targets) {
      if (!(await ask(target, "pg_try_advisory_lock"))) return target;
      held.push(target);
    }
    return undefined;
  } finally {
    // With a connection that is lost the lock is gone as well.
    for (const target of held) await ask(target, "pg_advisory_unlock").catch(() => undefined);
  }
}
