import path from "node:path";
import { git } from "../project/git";
import { type SettingName, settingTable } from "../settings";

/** The words of the command line that say what the action's inputs say. */
export function argumentsOf(environment: NodeJS.ProcessEnv): string[] {
  return (Object.keys(settingTable) as SettingName[])
    .filter((name) => name !== "format")
    .flatMap((name) => {
      const value = environment[`INPUT_${name.toUpperCase()}`]?.trim() ?? "";
      const isList = settingTable[name].type === "list";
      const values = isList ? value.split("\n").map((line) => line.trim()) : [value];
      return values.filter((part) => part !== "").map((part) => `--${name}=${part}`);
    });
}

/** Without the files by which a step speaks to its runner, and without its token: revisions are foreign code. */
export function toolEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => !/^(?:GITHUB_(?:TOKEN|OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)|GH_TOKEN)$/.test(name),
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
