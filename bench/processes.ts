import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CheckReport } from "../src/model/verdict";
import { withPython } from "../test/support/project";
import type { SampleProject } from "./projects";

const run = promisify(execFile);

/** Where run.mjs put the bundles. */
const folder = process.env.BENCH_FOLDER ?? ".";

/** A sample in a process of its own, so that each begins as cold as the gate does. */
export async function sample<Sample>(
  kind: string,
  project: Pick<SampleProject, "path"> & { readonly base?: string },
  revisions: readonly string[] = [],
) {
  const argument = JSON.stringify({ path: project.path, base: project.base, revisions });
  const { stdout } = await run(process.execPath, [join(folder, "sample.mjs"), kind, argument], {
    env: process.env,
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as Sample;
}

/** `migration-gate check` from its start to its end. */
export interface WholeCheck {
  readonly wall: number;
  readonly cpu: number;
  /** MB at the most, of the gate's own process. */
  readonly memory: number;
  readonly report: CheckReport;
}

export async function wholeCheck(
  project: Pick<SampleProject, "path">,
  args: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): Promise<WholeCheck> {
  // One name for all runs, which come one after the other: a variable that changes would be another environment to a kept base.
  const file = join(folder, "exit.json");
  const started = performance.now();
  const words = [
    "--import",
    join(folder, "exit-hook.mjs"),
    join(folder, "cli.mjs"),
    "check",
    "--format",
    "json",
    ...args,
  ];
  const child = spawn(process.execPath, words, {
    cwd: project.path,
    env: { ...withPython(), ...variables, BENCH_EXIT_FILE: file },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  const wall = performance.now() - started;
  const { cpu, memory } = JSON.parse(readFileSync(file, "utf8")) as { cpu: number; memory: number };
  rmSync(file);
  const report = JSON.parse(Buffer.concat(chunks).toString("utf8")) as CheckReport;
  if (report.verdict !== "passed")
    throw new Error(`the clean project was not passed: ${report.findings[0]?.what}`);
  return { wall, cpu, memory, report };
}
