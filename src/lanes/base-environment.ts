import { createHash } from "node:crypto";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { childEnvironment } from "../executors/environment";
import { findExecutable } from "../executors/executable";

/**
 * A hash of what decides, beside files that git has, what the base's revisions do: the variables that the tool sees, files
 * of variables in the project's folder, and the packages beside the tool. What every run of a CI has anew is left out.
 * Nothing of it can be read back.
 */
export function environmentOfBase(root: string, run: readonly string[], parent: NodeJS.ProcessEnv): string {
  const { env } = childEnvironment(parent, {});
  const variables = Object.entries(env)
    .filter(([name]) => !ofOneRun.test(name))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const hash = createHash("sha256").update(JSON.stringify(variables));
  for (const name of filesOfVariables(root)) hash.update(`\0${name}\0`).update(textOf(path.join(root, name)));
  return hash.update(JSON.stringify(packagesBeside(root, run, env))).digest("hex");
}

/** Ids, times, commits and places of one job or one terminal. A variable of the project's own has none of these names. */
const ofOneRun =
  /^(?:GITHUB_|RUNNER_|ACTIONS_|CI_|BUILDKITE_|CIRCLE_|BUILD_|JENKINS_|VITEST|npm_|SSH_|XDG_SESSION|TERM|WINDOWID|_$|HOSTNAME$|PWD$|OLDPWD$|SHLVL$|INVOCATION_ID$|JOURNAL_STREAM$)/;

/** What cannot be read here, the tool cannot read either. */
function textOf(file: string): Buffer | string {
  try {
    return readFileSync(file);
  } catch {
    return "";
  }
}

function filesOfVariables(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^\.(?:flask)?env(?:\.|$)/.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Names and versions of what is installed where the tool is (`…-1.16.4.dist-info`); the tool's own path. */
function packagesBeside(
  root: string,
  [command = ""]: readonly string[],
  env: Readonly<Record<string, string>>,
): readonly string[] {
  try {
    const program = findExecutable(command, root, env);
    // `uv run` and its like are not in the environment that they start.
    const places = [path.dirname(path.dirname(program)), env.VIRTUAL_ENV ?? root, ".venv", "venv"];
    return [
      realpathSync(program),
      ...places.flatMap((place) => packagesIn(path.resolve(root, place, "lib"))),
    ];
  } catch {
    // It is not there, and will not start either.
    return [];
  }
}

function packagesIn(library: string): string[] {
  return namesIn(library)
    .filter((name) => name.startsWith("python"))
    .flatMap((python) => namesIn(path.join(library, python, "site-packages")))
    .filter((name) => name.endsWith(".dist-info"));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
