import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { urlOf } from "../src/databases/postgres/connection";
import type { ShadowServer } from "../src/shadow/server";
import { startShadow } from "../src/shadow/start";
import { withPython } from "../test/support/project";
import { between, readUsage, type Usage } from "./cpu";

const run = promisify(execFile);

/** The tool as a person runs it, on a server like the gate's, without the gate. */
export interface BareSample {
  /** Upgrade, downgrade, upgrade; of what goes up only, the way up. */
  readonly roundTrip: Usage;
}

export async function bareSample(project: string): Promise<BareSample> {
  await using shadow = await startShadow({});
  // The lane makes its database itself as well.
  const roundTrip = await measured(shadow, async () => {
    const alembic = await onNewDatabase(shadow, project);
    await alembic("upgrade", "head");
    await alembic("downgrade", "base");
    await alembic("upgrade", "head");
  });
  return { roundTrip };
}

/** `sqlx migrate run` of a project, once. */
export async function bareSqlxSample(project: string): Promise<BareSample> {
  await using shadow = await startShadow({});
  const roundTrip = await measured(shadow, async () => {
    const database = await shadow.createDatabase("bare");
    const env = { ...withPython(), DATABASE_URL: urlOf(database.address) };
    await run("sqlx", ["migrate", "run"], { cwd: project, env, maxBuffer: 2 ** 26 });
  });
  return { roundTrip };
}

/** Three starts of the tool for each of these revisions; the way to the next sampled one is not counted. */
export async function stairwaySample(project: string, revisions: readonly string[]): Promise<Usage[]> {
  await using shadow = await startShadow({});
  const alembic = await onNewDatabase(shadow, project);
  const steps: Usage[] = [];
  for (const revision of revisions) {
    // Without a number there is nothing below: the first revision.
    if (isFarther(revision, revisions, steps.length)) await alembic("upgrade", `${revision}-1`);
    const step = await measured(shadow, async () => {
      await alembic("upgrade", revision);
      await alembic("downgrade", "-1");
      await alembic("upgrade", revision);
    });
    steps.push(step);
  }
  return steps;
}

/** The plain shape numbers its revisions g0001, g0002, …: is there a gap before this one? */
function isFarther(revision: string, revisions: readonly string[], index: number): boolean {
  const number = (id: string | undefined) => (id === undefined ? 0 : Number(id.slice(1)));
  return number(revision) > number(revisions[index - 1]) + 1;
}

async function onNewDatabase(shadow: ShadowServer, project: string) {
  const database = await shadow.createDatabase("bare");
  const env = { ...withPython(), PYTHONUNBUFFERED: "1", DATABASE_URL: urlOf(database.address) };
  return (...args: string[]) => run("alembic", args, { cwd: project, env, maxBuffer: 2 ** 26 });
}

async function measured(shadow: ShadowServer, work: () => Promise<unknown>): Promise<Usage> {
  const before = readUsage(shadow.processes());
  await work();
  return between(before, readUsage(shadow.processes()));
}
