import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, spread, type Target } from "./figures";
import { plainProject } from "./projects";

const revisions = 200;
const mostSeconds = 0.5;

/** dist/action.js where no revision changed, against a Node.js that does nothing. Both by the Node.js of the bench. */
export async function benchAction(repetitions: number, say: (line: string) => void): Promise<Target[]> {
  await using project = await plainProject(revisions, "psycopg2");
  const git = (...words: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=Bench", "-c", "user.email=bench@example.com", ...words], {
      cwd: project.path,
    });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "All");
  const files = { GITHUB_OUTPUT: "output", GITHUB_STEP_SUMMARY: "summary" };
  for (const name of Object.values(files)) writeFileSync(join(project.path, ".git", name), "");
  const environment = {
    PATH: process.env.PATH,
    INPUT_BASE: "HEAD",
    GITHUB_WORKSPACE: project.path,
    RUNNER_TEMP: join(project.path, ".git"),
    ...Object.fromEntries(
      Object.entries(files).map(([name, file]) => [name, join(project.path, ".git", file)]),
    ),
  };
  const time = (args: readonly string[]): number => {
    const started = performance.now();
    const { status, stdout } = spawnSync(process.execPath, args, {
      cwd: project.path,
      env: environment,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`exit ${status}\n${stdout}`);
    return performance.now() - started;
  };
  const action = join(import.meta.dirname, "..", "dist", "action.js");
  const bare: number[] = [];
  const whole: number[] = [];
  // A first pair that does not count brings files into the page cache.
  for (let round = -1; round < repetitions; round++) {
    const pair = [time(["-e", "0"]), time([action])] as const;
    if (round < 0) continue;
    bare.push(pair[0]);
    whole.push(pair[1]);
  }
  say(`\nThe action with nothing to do, ${revisions} revisions; ${repetitions} times each, in turn`);
  say("                     wall ms: min  median     max");
  say(`bare Node.js               ${spread(bare)}`);
  say(`the action                 ${spread(whole)}`);
  const measured = (median(whole) - median(bare)) / 1000;
  return [
    {
      name: "action with nothing to do, over bare Node.js",
      bound: "at most",
      value: mostSeconds,
      unit: " s",
      measured,
    },
  ];
}
