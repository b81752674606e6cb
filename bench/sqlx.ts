import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { urlOf } from "../src/databases/postgres/connection";
import { startShadow } from "../src/shadow/start";
import { withPython, writeProject } from "../test/support/project";
import type { BareSample } from "./bare";
import { median, spread, type Target } from "./figures";
import type { LaneSample } from "./lane";
import { sample } from "./processes";

const run = promisify(execFile);
const proved = 165;
const listed = 500;
const most = { ratio: 2, seconds: 0.3 };

/** Simple SQLx migrations: their proof against bare `sqlx migrate run`, in turn, and the status of many that are applied. */
export async function benchSqlx(repetitions: number, say: (line: string) => void): Promise<Target[]> {
  await using project = await simpleProject(proved);
  const bare: BareSample[] = [];
  const lane: LaneSample[] = [];
  for (let round = -1; round < repetitions; round++) {
    const pair = [
      await sample<BareSample>("bareSqlx", project),
      await sample<LaneSample>("lane", project),
    ] as const;
    if (pair[1].proved !== proved) throw new Error(`${pair[1].proved} steps were proved`);
    // A first pair that does not count brings files and programs into the page cache.
    if (round < 0) continue;
    bare.push(pair[0]);
    lane.push(pair[1]);
  }
  const status = await statusOfMany(repetitions);
  say(`\nSQLx, ${proved} simple migrations; ${repetitions} times each, in turn`);
  say("                            wall ms: min  median     max     cpu ms: min  median     max");
  const row = (name: string, usages: readonly { readonly wall: number; readonly cpu: number }[]) =>
    say(
      `${name.padEnd(33)}${spread(usages.map(({ wall }) => wall))}            ${spread(usages.map(({ cpu }) => cpu))}`,
    );
  row(
    "bare sqlx migrate run",
    bare.map(({ roundTrip }) => roundTrip),
  );
  row(
    "fresh lane",
    lane.map((each) => each.lane),
  );
  row(
    "  apart: replay",
    lane.map(({ replay }) => replay),
  );
  say(`status of ${listed} that are applied      ${spread(status)}`);
  return [
    ...(["wall", "cpu"] as const).map(
      (clock): Target => ({
        name: `proof of ${proved} simple SQLx migrations against bare sqlx, ${clock}`,
        bound: "at most",
        value: most.ratio,
        unit: "x",
        measured: median(
          lane.map((each, index) => each.lane[clock] / (bare[index]?.roundTrip[clock] ?? Number.NaN)),
        ),
      }),
    ),
    {
      name: `status of ${listed} SQLx migrations`,
      bound: "at most",
      value: most.seconds,
      unit: " s",
      measured: median(status) / 1000,
    },
  ];
}

/** `dist/cli.js status` from its start to its end. */
async function statusOfMany(repetitions: number): Promise<number[]> {
  await using project = await simpleProject(listed);
  await using server = await startShadow({});
  await using database = await server.createDatabase("bench");
  const options = { cwd: project.path, env: { ...withPython(), DATABASE_URL: urlOf(database.address) } };
  await run("sqlx", ["migrate", "run"], options);
  const times: number[] = [];
  for (let round = 0; round < repetitions; round++) {
    const started = performance.now();
    const words = [join(import.meta.dirname, "..", "dist", "cli.js"), "status"];
    const { stdout } = await run(process.execPath, words, options);
    times.push(performance.now() - started);
    if (!stdout.includes(`Up to date: ${listed} applied`)) throw new Error(stdout.slice(0, 300));
  }
  return times;
}

/** Tables, indexes, columns, checks and types in a cycle of five. */
function simpleProject(migrations: number) {
  const files: Record<string, string> = {
    "Cargo.toml": '[package]\nname = "bench"\nversion = "0.1.0"\n\n[dependencies]\nsqlx = "0.8"\n',
  };
  for (let index = 0; index < migrations; index++) {
    const table = `t${Math.floor(index / 5)}`;
    const statement = [
      `CREATE TABLE ${table} (id bigserial PRIMARY KEY, name varchar(50) NOT NULL)`,
      `CREATE INDEX ${table}_name ON ${table} (name)`,
      `ALTER TABLE ${table} ADD COLUMN extra integer NOT NULL DEFAULT 0`,
      `ALTER TABLE ${table} ADD CONSTRAINT ${table}_extra CHECK (extra >= 0)`,
      `CREATE TYPE ${table}_kind AS ENUM ('a', 'b')`,
    ][index % 5];
    const version = String(index + 1).padStart(4, "0");
    files[`migrations/${version}_step.sql`] =
      `-- migration-gate: irreversible because the bench goes up only\n${statement};\n`;
  }
  return writeProject(files);
}
