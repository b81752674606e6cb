import path from "node:path";
import { UserError } from "../errors";
import { git } from "../project/git";
import { secretVariables } from "../settings";

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
  const relative = path.relative(environment["GITHUB_WORKSPACE"] ?? process.cwd(), path.resolve(folder));
  return relative.startsWith("..") ? "" : relative.split(path.sep).join("/");
}

/** The action's command; throws for those that are for a terminal, or not built yet. */
export function commandOf(input: string): "check" | "status" {
  if (input === "" || input === "check") return "check";
  if (input === "status") return "status";
  throw new UserError({
    what: `The action's command "${input}" is not built yet.`,
    do: "Set the input command to check or status, or leave it out.",
  });
}
