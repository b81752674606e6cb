import { sum, type Usage } from "./cpu";
import { median, spread, type Target } from "./figures";
import { sample, type WholeCheck, wholeCheck } from "./processes";
import { plainProject, type SampleProject } from "./projects";

interface Case {
  readonly revisions: number;
  /** Revisions of the stairway that are measured; the others are taken to cost the same. */
  readonly sampled: number;
  readonly target: number;
}

const cases: readonly Case[] = [
  { revisions: 20, sampled: 20, target: 12 },
  { revisions: 200, sampled: 10, target: 75 },
];

/** The whole check against the stairway as people write it: three starts of the tool a revision. */
export async function benchStairway(repetitions: number, say: (line: string) => void): Promise<Target[]> {
  const targets: Target[] = [];
  for (const { revisions, sampled, target } of cases) {
    await using project = await plainProject(revisions, "psycopg2");
    const ratios = { wall: [] as number[], cpu: [] as number[], apart: [] as number[] };
    const walls = { check: [] as number[], apart: [] as number[], stairway: [] as number[] };
    for (let round = -1; round < repetitions; round++) {
      const check = await wholeCheck(project);
      if (round < 0) continue;
      const stairway = await climb(project, sampled);
      walls.check.push(check.wall);
      walls.stairway.push(stairway.wall);
      const { "shadow start": start = 0, replay = 0 } = check.report.timings;
      // The stairway has a database already, and replays nothing.
      const apart = check.wall - start - replay;
      walls.apart.push(apart);
      ratios.apart.push(stairway.wall / apart);
      for (const clock of ["wall", "cpu"] as const) ratios[clock].push(stairway[clock] / check[clock]);
    }
    const how = sampled === revisions ? "measured in full" : `extrapolated from ${sampled} revisions`;
    say(`\nStairway, ${revisions} revisions, psycopg2; ${repetitions} times each, in turn`);
    say("                                 wall ms: min  median     max");
    say(`  ${"check, from start to end".padEnd(32)} ${spread(walls.check)}`);
    say(`  ${"shadow start and replay apart".padEnd(32)} ${spread(walls.apart)}`);
    say(`  ${`stairway, ${how}`.padEnd(32)} ${spread(walls.stairway)}`);
    const { wall, cpu } = ratios;
    say(
      `  times faster, from start to end: wall ${wall.map(show).join(" ")}, cpu ${cpu.map(show).join(" ")}`,
    );
    targets.push({
      name: `check, shadow start and replay apart, against the stairway at ${revisions} revisions (${how})`,
      bound: "at least",
      value: target,
      unit: "x",
      measured: median(ratios.apart),
    });
  }
  return targets;
}

/** Memory of the gate's process; 1,000 revisions for information. */
export async function benchMemory(say: (line: string) => void, sizes: readonly number[]): Promise<Target[]> {
  const targets: Target[] = [];
  say("\nMemory of the gate's process at the most (VmHWM), and the whole check's phases");
  for (const revisions of sizes) {
    await using project = await plainProject(revisions, "psycopg2");
    const check = await wholeCheck(project);
    say(`  ${revisions} revisions: ${check.memory.toFixed(0)} MB; ${phases(check)}`);
    if (revisions !== 200) continue;
    const name = "gate's memory at 200 revisions";
    targets.push({ name, bound: "at most", value: 300, unit: " MB", measured: check.memory });
  }
  return targets;
}

function phases({ report, wall }: WholeCheck): string {
  const timings = Object.entries(report.timings).map(([name, milliseconds]) => `${name} ${milliseconds}`);
  return `${timings.join(", ")}, all ${wall.toFixed(0)} ms`;
}

async function climb(project: SampleProject, sampled: number): Promise<Usage> {
  const { revisions } = project;
  // The middle of each of as many equal parts of the history.
  const chosen = Array.from(
    { length: sampled },
    (_, part) => revisions[Math.floor(((part + 0.5) * revisions.length) / sampled)] ?? "",
  );
  const steps = await sample<Usage[]>("stairway", project, chosen);
  const all = sum(steps);
  const factor = revisions.length / sampled;
  return { ...all, wall: all.wall * factor, cpu: all.cpu * factor };
}

function show(ratio: number): string {
  return ratio.toFixed(1);
}
