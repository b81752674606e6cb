import type { BareSample } from "./bare";
import type { Usage } from "./cpu";
import { median, spread, type Target } from "./figures";
import type { LaneSample } from "./lane";
import { sample } from "./processes";
import { plainProject } from "./projects";

const revisions = 200;
const most = 1.5;

/** The fresh lane against the bare tool's up, down and up, side by side. */
export async function benchFreshLane(repetitions: number, say: (line: string) => void): Promise<Target[]> {
  const targets: Target[] = [];
  for (const driver of ["psycopg2", "asyncpg"] as const) {
    for (const perMigration of [false, true]) {
      const name = `${driver}, transaction_per_migration ${perMigration ? "on" : "off"}`;
      await using project = await plainProject(revisions, driver, perMigration);
      const bare: BareSample[] = [];
      const lane: LaneSample[] = [];
      // A first pair that does not count brings files and programs into the page cache.
      for (let round = -1; round < repetitions; round++) {
        const pair = [
          await sample<BareSample>("bare", project),
          await sample<LaneSample>("lane", project),
        ] as const;
        if (pair[1].proved !== 2 * revisions) throw new Error(`${name}: ${pair[1].proved} steps were proved`);
        if (round < 0) continue;
        bare.push(pair[0]);
        lane.push(pair[1]);
      }
      say(`\nFresh lane, ${revisions} revisions, ${name}; ${repetitions} times each, in turn`);
      say("                                 wall ms: min  median     max     cpu ms: min  median     max");
      table(
        say,
        "bare tool, up + down + up",
        bare.map(({ roundTrip }) => roundTrip),
      );
      table(
        say,
        "fresh lane",
        lane.map((each) => each.lane),
      );
      table(
        say,
        "  apart: static part",
        lane.map((each) => each.static),
      );
      table(
        say,
        "  apart: shadow start",
        lane.map(({ shadowStart }) => shadowStart),
      );
      table(
        say,
        "  apart: the tool's current",
        lane.map(({ current }) => current),
      );
      table(
        say,
        "  apart: replay",
        lane.map(({ replay }) => replay),
      );
      const parts = (name: "own" | "children" | "server") =>
        median(lane.map((each) => each.lane[name])).toFixed(0);
      const [one] = lane;
      say(
        `  the lane's cpu: gate ${parts("own")}, tool ${parts("children")}, server ${parts("server")} ms; ` +
          `${one?.statements} statements, ${one?.boundaries} boundaries, ` +
          `the tool waited ${median(lane.map(({ injection }) => injection)).toFixed(0)} ms for them`,
      );
      for (const clock of ["wall", "cpu"] as const) {
        const ratios = lane.map(
          (each, index) => each.lane[clock] / (bare[index]?.roundTrip[clock] ?? Number.NaN),
        );
        targets.push({
          name: `fresh lane, ${name}, ${clock}`,
          bound: "at most",
          value: most,
          unit: "x",
          measured: median(ratios),
        });
        say(`  ${clock} ratio of each pair: ${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}`);
      }
    }
  }
  return targets;
}

function table(say: (line: string) => void, name: string, usages: readonly Usage[]): void {
  const wall = spread(usages.map((usage) => usage.wall));
  const cpu = spread(usages.map((usage) => usage.cpu));
  say(`  ${name.padEnd(32)} ${wall}            ${cpu}`);
}
