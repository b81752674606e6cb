import path from "node:path";
import { childEnvironment } from "../executors/environment";
import { findExecutable } from "../executors/executable";
import { ForkServer } from "../executors/fork-server";
import { textOfFile } from "../executors/readable-files";
import { addressVariables } from "./address-variables";
import type { LaneContext } from "./stage";

type Starts = Pick<LaneContext, "tool" | "project" | "run" | "isolation" | "environment" | "address">;

/**
 * What a start loads beside the tool's modules, by words of the address's form or of the files that decide how revisions run.
 * SQLAlchemy's asyncio needs greenlet, which who does not use it may not have.
 */
const named: Readonly<Record<string, readonly string[]>> = {
  asyncpg: ["asyncpg", "sqlalchemy.ext.asyncio"],
  "sqlalchemy.ext.asyncio": ["sqlalchemy.ext.asyncio"],
  psycopg2: ["psycopg2"],
};

/** Loads what every start of the tool needs, for all that are to come; undefined where each start is to load it by itself. */
export async function beginForkServer(starts: Starts, anyProgram: boolean): Promise<ForkServer | undefined> {
  const { tool, project, run, isolation, address } = starts;
  const [name, ...args] = run;
  if (tool.modules === undefined || name === undefined) return undefined;
  const { env, varying } = environmentOf(starts);
  const file = fileOf(name, project.root, env);
  if (file === undefined) return undefined;
  const files = project.environmentFiles.map((name) => textOfFile(path.resolve(project.root, name)));
  const texts = [address.databaseUrlFormat, ...files];
  const more = Object.entries(named).filter(([word]) => texts.some((text) => text.includes(word)));
  const modules = [...tool.modules, ...more.flatMap(([, loaded]) => loaded)];
  const first = { file, args, cwd: project.root, env };
  return ForkServer.begin({ first, modules, anyProgram, varying, isolation });
}

/** The variables that are the same for every start, and the names of those that say where a database is. */
function environmentOf({ project, isolation, environment, address }: Starts) {
  const [one, other] = ["one", "other"].map((user, index) => {
    const parts = { host: user, port: index + 1, user, password: user, database: user };
    return addressVariables(address, { judged: parts, lines: parts, others: {} });
  }) as [Record<string, string>, Record<string, string>];
  const told = Object.entries(one);
  const varying = new Set([
    ...told.flatMap(([name, value]) => (other[name] === value ? [] : [name])),
    ...(project.bind?.others ?? []).map(({ variable }) => variable),
  ]);
  const { env } = childEnvironment(environment, Object.fromEntries(told));
  const all = Object.entries({ ...isolation.environment, ...env });
  return { env: Object.fromEntries(all.filter(([name]) => !varying.has(name))), varying };
}

/** Its first start says what is missing. */
function fileOf(name: string, root: string, env: Readonly<Record<string, string>>): string | undefined {
  try {
    return findExecutable(name, root, env);
  } catch {
    return undefined;
  }
}
