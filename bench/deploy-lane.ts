import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { urlOf } from "../src/databases/postgres/connection";
import { startShadow } from "../src/shadow/start";
import { repositoryIn } from "../test/support/git";
import { alembicFiles, type Driver, type RevisionSource, withPython } from "../test/support/project";
import { between, readUsage, type Usage } from "./cpu";
import { median, spread, type Target } from "./figures";
import { type WholeCheck, wholeCheck } from "./processes";
import { plainProject, type SampleProject } from "./projects";

const run = promisify(execFile);
const landed = 48;
const added = 2;

/** Against the sum of the tool starts that the whole check consists of; the same sum where the base was kept. */
const most = { built: 1.3, kept: 0.7 };

/** Milliseconds of the tool's starts, one after the other; `cpu` with the server's. */
interface Starts {
  /** Status, up, down and up on an empty database. */
  readonly fresh: number;
  /** Status, and up to the base's head. */
  readonly base: number;
  /** From the base's head up, down and up. */
  readonly deploy: number;
  readonly cpu: { readonly built: number; readonly kept: number };
}

/** The whole check of a change with two revisions on top of many, with and without a kept base, against the bare tool, in turn. */
export async function benchDeployLane(
  repetitions: number,
  drivers: readonly Driver[],
  say: (line: string) => void,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const driver of drivers) {
    await using project = await plainProject(landed, driver);
    putOnBase(project);
    const bare: Starts[] = [];
    const built: WholeCheck[] = [];
    const kept: WholeCheck[] = [];
    for (let round = -1; round < repetitions; round++) {
      const starts = await bareStarts(project);
      const cache = await mkdtemp(join(tmpdir(), "migration-gate-bench-cache-"));
      try {
        const pair = [await laneCheck(project, cache, false), await laneCheck(project, cache, true)] as const;
        // A first round that does not count brings files and programs into the page cache.
        if (round < 0) continue;
        bare.push(starts);
        built.push(pair[0]);
        kept.push(pair[1]);
      } finally {
        await rm(cache, { recursive: true, force: true });
      }
    }
    say(
      `\nwhole check with the deploy lane, ${landed + added} revisions of which ${added} are new, ${driver}; ${repetitions} times each, in turn`,
    );
    say("                                       wall ms: min  median     max");
    const line = (name: string, times: readonly number[]) => say(`${name.padEnd(43)}${spread(times)}`);
    line(
      "bare tool, 4 starts on an empty database",
      bare.map(({ fresh }) => fresh),
    );
    line(
      "bare tool, 2 starts to the base's head",
      bare.map(({ base }) => base),
    );
    line(
      "bare tool, 3 starts on top of it",
      bare.map(({ deploy }) => deploy),
    );
    line(
      "check, base built",
      built.map(({ wall }) => wall),
    );
    line(
      "check, base kept",
      kept.map(({ wall }) => wall),
    );
    for (const [name, checks] of Object.entries({ built, kept })) {
      const phases = Object.keys(checks[0]?.report.timings ?? {});
      const times = phases.map((phase) => `${phase} ${phaseOf(checks, phase)}`);
      say(`  base ${name}, medians: ${times.join(", ")} ms`);
    }
    const ratios = {
      built: built.map(({ wall }, index) => wall / sumOf(bare[index], "built")),
      kept: kept.map(({ wall }, index) => wall / sumOf(bare[index], "built")),
    };
    const without = kept.map(({ wall }, index) => wall / sumOf(bare[index], "kept"));
    say(
      `  base kept, against the 7 starts that are left: ${without.map((each) => each.toFixed(2)).join(" ")}`,
    );
    for (const name of ["built", "kept"] as const) {
      say(`  base ${name}, ratio of each pair: ${ratios[name].map((ratio) => ratio.toFixed(2)).join(" ")}`);
      const cpu = (name === "built" ? built : kept).map(
        (check, index) => check.cpu / (bare[index]?.cpu[name] ?? NaN),
      );
      // Both lanes run at once: on two idle cores half of it is what the wall can come to.
      say(`  base ${name}, cpu ratio of each pair: ${cpu.map((ratio) => ratio.toFixed(2)).join(" ")}`);
      targets.push({
        name: `whole check, ${driver}, base ${name}, against all 9 starts`,
        bound: "at most",
        value: most[name],
        unit: "x",
        measured: median(ratios[name]),
      });
    }
  }
  return targets;
}

function sumOf(starts: Starts | undefined, name: "built" | "kept"): number {
  if (starts === undefined) return Number.NaN;
  return starts.fresh + starts.deploy + (name === "built" ? starts.base : 0);
}

function phaseOf(checks: readonly WholeCheck[], phase: string): string {
  return median(checks.map(({ report }) => report.timings[phase] ?? Number.NaN)).toFixed(0);
}

/** The history on main, and on a branch two revisions that awkward rows do not stop: a column and a table. */
function putOnBase({ path, revisions: ids }: SampleProject): void {
  const repository = repositoryIn(path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  const sources: RevisionSource[] = [
    {
      id: "new1",
      down: ids.at(-1) ?? null,
      upgrade: 'op.create_table("accounts", sa.Column("id", sa.Integer, primary_key=True))',
      downgrade: 'op.drop_table("accounts")',
    },
    {
      id: "new2",
      down: "new1",
      upgrade:
        'op.add_column("accounts", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))',
      downgrade: 'op.drop_column("accounts", "active")',
    },
  ];
  for (const [file, text] of Object.entries(alembicFiles({ revisions: sources })))
    if (file.includes("/versions/")) repository.write(file, text);
  repository.commit();
}

async function laneCheck(project: SampleProject, cache: string, kept: boolean): Promise<WholeCheck> {
  const seen = await wholeCheck(project, ["--base", "main"], { MIGRATION_GATE_CACHE: cache });
  const lane = seen.report.deployLane;
  // Anything else takes other tool starts than those that it is measured against.
  if (lane?.status !== "proved" || lane.rows !== "hostile" || lane.kept !== kept)
    throw new Error(`another deploy lane than expected: ${JSON.stringify({ ...lane, steps: undefined })}`);
  return seen;
}

/** The server's own start is not counted. */
async function bareStarts({ path, revisions: ids }: SampleProject): Promise<Starts> {
  await using server = await startShadow({});
  const base = ids.at(-1) ?? "";
  const timed = async (url: string, ...commands: readonly (readonly string[])[]): Promise<Usage> => {
    const env = { ...withPython(), PYTHONUNBUFFERED: "1", DATABASE_URL: url };
    const before = readUsage(server.processes());
    for (const args of commands) await run("alembic", args, { cwd: path, env, maxBuffer: 2 ** 26 });
    return between(before, readUsage(server.processes()));
  };
  const empty = urlOf((await server.createDatabase("bench")).address);
  const deployed = urlOf((await server.createDatabase("bench")).address);
  const up = ["upgrade", "head"];
  const fresh = await timed(empty, ["current"], up, ["downgrade", "base"], up);
  const before = await timed(deployed, ["current"], ["upgrade", base]);
  const deploy = await timed(deployed, up, ["downgrade", base], up);
  const kept = fresh.cpu + deploy.cpu;
  return {
    fresh: fresh.wall,
    base: before.wall,
    deploy: deploy.wall,
    cpu: { built: kept + before.cpu, kept },
  };
}
