import { childEnvironment } from "../executors/environment";
import { findExecutable } from "../executors/executable";
import { ForkServer } from "../executors/fork-server";
import type { LaneContext } from "./stage";

type Starts = Pick<LaneContext, "tool" | "project" | "run" | "isolation" | "environment">;

/** Drivers that an address names, by what stands after the plus sign. */
const drivers: ReadonlySet<string> = new Set(["asyncpg", "psycopg", "psycopg2", "pg8000"]);

/**
 * Loads what every start of the tool needs, for all that are to come; undefined where each start is to load it by itself.
 * `format` is the setting database-url-format.
 */
export async function beginForkServer(
  { tool, project, run, isolation, environment }: Starts,
  format: string,
): Promise<ForkServer | undefined> {
  const [name, ...args] = run;
  if (tool.modules === undefined || name === undefined) return undefined;
  const env = { ...isolation.environment, ...childEnvironment(environment, {}).env };
  const file = fileOf(name, project.root, env);
  if (file === undefined) return undefined;
  const driver = /^\w+\+(\w+)/.exec(format)?.[1] ?? "";
  const modules = [...tool.modules, ...(drivers.has(driver) ? [driver] : [])];
  return ForkServer.begin({ file, args, cwd: project.root, env }, modules, isolation);
}

/** Its first start says what is missing. */
function fileOf(name: string, root: string, env: Readonly<Record<string, string>>): string | undefined {
  try {
    return findExecutable(name, root, env);
  } catch {
    return undefined;
  }
}
