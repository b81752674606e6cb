import { connect } from "../src/databases/postgres/connection";
import { readRows } from "../src/databases/postgres/row-snapshot";
import { fillTables } from "../src/databases/postgres/rows/fill";
import { startShadow } from "../src/shadow/start";
import { randomSchema } from "../test/databases/rows/random-schema";
import { Random } from "../test/support/random";
import { median, spread, type Target } from "./figures";

const tables = 200;
const rows = 10;
/** The schemas of these seeds, in turn. */
const seeds = [1, 2, 3];
const mostSeconds = 3;
const mostReadingSeconds = 0.3;

/** Fills random schemas from nothing, tops them up, and reads their rows. */
export async function benchRows(repetitions: number, say: (line: string) => void): Promise<Target[]> {
  await using server = await startShadow({});
  const fills: Record<string, number[]> = {
    "fill, hostile": [],
    "fill, plain": [],
    "top-up, hostile": [],
    read: [],
  };
  let wanted = 0;
  let filled = 0;
  for (let round = -1; round < repetitions; round++) {
    const sql = randomSchema(new Random(seeds[(round + 1) % seeds.length]!), tables);
    for (const tier of ["hostile", "plain"] as const) {
      await using database = await server.createDatabase("bench");
      const client = await connect(database.address);
      try {
        await client.query(sql);
        for (const topUp of tier === "hostile" ? [false, true] : [false]) {
          const started = performance.now();
          const outcome = await fillTables(client, { tier, rows, topUp, skip: new Set() });
          // The first round warms up the server and this process.
          if (round < 0) continue;
          fills[`${topUp ? "top-up" : "fill"}, ${tier}`]!.push(performance.now() - started);
          wanted += outcome.length;
          filled += outcome.filter((table) => table.rows > 0).length;
        }
        const started = performance.now();
        await readRows(client);
        if (round >= 0) fills.read!.push(performance.now() - started);
      } finally {
        await client.end();
      }
    }
  }
  say(
    `\nrows for ${tables} tables, ${rows} each, from ${seeds.length} random schemas; ${repetitions} times each`,
  );
  say("                     wall ms: min  median     max");
  for (const [name, times] of Object.entries(fills)) say(`${name.padEnd(27)}${spread(times)}`);
  return [
    {
      name: `rows for ${tables} tables, ${rows} each`,
      bound: "at most",
      value: mostSeconds,
      unit: " s",
      measured: median(fills["fill, hostile"]!) / 1000,
    },
    {
      name: `reading the rows of ${tables} tables`,
      bound: "at most",
      value: mostReadingSeconds,
      unit: " s",
      measured: median(fills.read!) / 1000,
    },
    {
      name: "tables that get rows",
      bound: "at least",
      value: 98,
      unit: " %",
      measured: (100 * filled) / wanted,
    },
  ];
}
