import { openTarget } from "../deploy/target";
import type { StatusReport } from "../model/status";
import type { Settings } from "../settings";

export interface StatusContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Which revisions a database has, by its version table and the revision files alone: the tool is not started, because
 * an env.py may write on any command, and nothing is written. A UserError where it cannot be told.
 */
export async function status({ settings, environment }: StatusContext): Promise<StatusReport> {
  await using target = await openTarget(settings, environment, "migration-gate status");
  return await target.status(await target.seen());
}
