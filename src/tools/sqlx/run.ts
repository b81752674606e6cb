import { UserError } from "../../errors";
import type { ToolCommands, ToolProject } from "../contract";
import { withOwnWords } from "../own-words";
import { shellWords } from "../shell-words";

/** How SQLx is started: the setting `run`, else `sqlx migrate`. */
export function runWords(_: ToolProject, run?: string): readonly string[] {
  if (run === undefined) return ["sqlx", "migrate"];
  const words = shellWords(run);
  if (words.length > 0) return words;
  throw new UserError({
    what: 'The setting "run" is empty.',
    do: 'Set run to what starts SQLx\'s migrations, such as "sqlx migrate" or "cargo sqlx migrate".',
  });
}

/** sqlx-cli 0.8's arguments; the folder is named only where it is not the usual one. */
export function commands(project: ToolProject): ToolCommands {
  const { config } = project;
  const source = config === "migrations" ? [] : ["--source", config];
  const to = (target: string) => ["--target-version", target];
  return withOwnWords(project, {
    current: ["info", ...source],
    stamp: undefined,
    upgrade: (target) => ["run", ...source, ...(/^heads?$/.test(target) ? [] : to(target))],
    // Without a target it takes back the last one. What a program of its own applied, the gate takes back.
    downgrade: (target) =>
      project.words?.apply === undefined
        ? ["revert", ...source, ...(target === "-1" ? [] : to(target === "base" ? "0" : target))]
        : undefined,
  });
}
