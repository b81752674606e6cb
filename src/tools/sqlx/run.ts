import type { ToolCommands, ToolProject } from "../contract";
import { withOwnWords } from "../own-words";
import { runSetting } from "../shell-words";
import { readSqlxToml } from "./sqlx-toml";

/** How SQLx is started: the setting `run`, else `sqlx migrate`. */
export function runWords(_: ToolProject, run?: string): readonly string[] {
  if (run === undefined) return ["sqlx", "migrate"];
  return runSetting(run, 'what starts SQLx\'s migrations, such as "sqlx migrate" or "cargo sqlx migrate"');
}

/** sqlx-cli's arguments (0.8, 0.9); the folder is named only where it is not the usual one. */
export function commands(project: ToolProject): ToolCommands {
  const { config, root, otherSources = [] } = project;
  const { migrationsDir, matters } = readSqlxToml(root);
  const source = [
    ...(config === "migrations" && migrationsDir === undefined ? [] : ["--source", config]),
    // 0.9 reads the file without it; what is older stops here, and does not work on a table of its own choice.
    ...(matters ? ["--config", "sqlx.toml"] : []),
  ];
  const missing = otherSources.length > 0 ? ["--ignore-missing"] : [];
  const to = (target: string) => ["--target-version", target];
  return withOwnWords(project, {
    current: ["info", ...source],
    stamp: undefined,
    upgrade: (target) => ["run", ...source, ...missing, ...(/^heads?$/.test(target) ? [] : to(target))],
    // Without a target it takes back the last one. What a program of its own applied, the gate takes back.
    downgrade: (target) =>
      project.words?.apply === undefined
        ? ["revert", ...source, ...missing, ...(target === "-1" ? [] : to(target === "base" ? "0" : target))]
        : undefined,
  });
}
