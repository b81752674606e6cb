import { UserError } from "../errors";
import type { Policy } from "../model/policy";
import type { Settings } from "../settings";
import { findConfigFile, noPolicy, readConfigFile } from "./config-file";
import { readSettings } from "./read-settings";

export interface LoadedSettings {
  readonly settings: Settings;
  readonly policy: Policy;
}

/**
 * All sources of settings in their order: flag or input, variable, migration-gate.yml, default. The argument list is
 * that after the command. UserError names what is wrong and where.
 */
export function loadSettings(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { inputs = false }: { readonly inputs?: boolean } = {},
): LoadedSettings {
  requireCurrentFolder();
  const settings = readSettings(args, environment, { inputs });
  const file = findConfigFile(settings["working-directory"], settings["config-file"]);
  if (file === undefined) return { settings, policy: noPolicy };
  const config = readConfigFile(file);
  return {
    settings: readSettings(args, environment, { inputs, file: config.settings }),
    policy: config.policy,
  };
}

/** A shell may stand in a folder that is gone; Node would only say uv_cwd. */
function requireCurrentFolder(): void {
  try {
    process.cwd();
  } catch (error) {
    throw new UserError(
      {
        what: "The folder in which this was started is not there any more.",
        do: "Change to a folder that is there, and start again.",
      },
      { cause: error },
    );
  }
}
