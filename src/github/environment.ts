import path from "node:path";
import { UserError } from "../errors";
import { suggestion } from "../nearest";
import { git } from "../project/git";
import { type CommandName, commandNames, secretVariables } from "../settings";

const runnersOwn = /^(?:GITHUB_(?:OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)|(?:GITHUB|GH)(?:_ENTERPRISE)?_TOKEN)$/;

/** Without the files by which a step speaks to its runner, and without its secrets: revisions are foreign code. */
export function toolEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => !runnersOwn.test(name) && !secretVariables.includes(name),
  );
  return Object.fromEntries(kept);
}

/** A folder relative to its repository's root, with `/`; empty for the root itself. */
export async function folderInRepository(folder: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const inGit = await git(folder, ["rev-parse", "--show-prefix"]).catch(() => undefined);
  if (inGit !== undefined) return inGit.replace(/\/?\n$/, "");
  const relative = path.relative(environment.GITHUB_WORKSPACE ?? process.cwd(), path.resolve(folder));
  return relative.startsWith("..") ? "" : relative.split(path.sep).join("/");
}

/** The action's command. A UserError where there is none of that name. */
export function commandOf(input: string): CommandName {
  if (input === "") return "check";
  const command = commandNames.find((name) => name === input);
  if (command !== undefined) return command;
  throw new UserError({
    what: `The action has no command "${input}".`,
    do: `${suggestion(input, commandNames)}The commands are: ${commandNames.join(", ")}.`,
  });
}
