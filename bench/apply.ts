import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { urlOf } from "../src/databases/postgres/connection";
import type { ShadowServer } from "../src/shadow/server";
import { startShadow } from "../src/shadow/start";
import { withPython } from "../test/support/project";
import { median, spread, type Target } from "./figures";
import { plainProject } from "./projects";

const run = promisify(execFile);
const revisions = 20;
const mostSeconds = 1;

/** `dist/cli.js apply` without a backup against the bare tool, each on an empty database of its own, in turn. */
export async function benchApply(repetitions: number, say: (line: string) => void): Promise<Target[]> {
  await using server = await startShadow({});
  await using project = await plainProject(revisions, "psycopg2");
  const cli = join(import.meta.dirname, "..", "dist", "cli.js");
  const waived = ["--yes", "--backup", "none", "--backup-because", "a measurement"];
  const bare: number[] = [];
  const ours: number[] = [];
  const again: number[] = [];
  for (let round = -1; round < repetitions; round++) {
    await using one = await server.createDatabase("bench");
    await using other = await server.createDatabase("bench");
    const tool = await time(project.path, one, "alembic", ["upgrade", "head"]);
    const gate = await time(project.path, other, process.execPath, [cli, "apply", ...waived]);
    const nothing = await time(project.path, other, process.execPath, [cli, "apply", ...waived]);
    if (round < 0) continue;
    bare.push(tool);
    ours.push(gate);
    again.push(nothing);
  }
  say(`\napply of ${revisions} revisions without a backup; ${repetitions} times each, in turn`);
  say("                     wall ms: min  median     max");
  say(`bare alembic upgrade       ${spread(bare)}`);
  say(`apply                      ${spread(ours)}`);
  say(`apply with nothing to do   ${spread(again)}`);
  const differences = ours.map((milliseconds, index) => milliseconds - (bare[index] ?? Number.NaN));
  return [
    {
      name: "apply over the bare tool, without a backup",
      bound: "at most",
      value: mostSeconds,
      unit: " s",
      measured: median(differences) / 1000,
    },
  ];
}

async function time(
  cwd: string,
  { address }: Awaited<ReturnType<ShadowServer["createDatabase"]>>,
  program: string,
  args: readonly string[],
): Promise<number> {
  const started = performance.now();
  await run(program, args, { cwd, env: { ...withPython(), DATABASE_URL: urlOf(address) } });
  return performance.now() - started;
}
