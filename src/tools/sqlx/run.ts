import type { ToolCommands, ToolProject } from "../contract";
import { runSetting } from "../shell-words";

/** How SQLx is started: the setting `run`, else `sqlx migrate`. */
export function runWords(_: ToolProject, run?: string): readonly string[] {
  if (run === undefined) return ["sqlx", "migrate"];
  return runSetting(run, 'what starts SQLx\'s migrations, such as "sqlx migrate" or "cargo sqlx migrate"');
}

/** sqlx-cli 0.8's arguments; the folder is named only where it is not the usual one. */
export function commands({ config }: ToolProject): ToolCommands {
  const source = config === "migrations" ? [] : ["--source", config];
  const to = (target: string) => ["--target-version", target];
  return {
    current: ["info", ...source],
    stamp: undefined,
    upgrade: (target) => ["run", ...source, ...(/^heads?$/.test(target) ? [] : to(target))],
    // Without a target it takes back the last one.
    downgrade: (target) => [
      "revert",
      ...source,
      ...(target === "-1" ? [] : to(target === "base" ? "0" : target)),
    ],
  };
}
